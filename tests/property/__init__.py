"""Is this law true for anything?"""
