"""Hands: child processes that do a run's decoding, so that what kills a decoder kills no run."""
