"""Buckets around buckets: each takes the port and is the same port."""
