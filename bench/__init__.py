"""Benchmarks: each measures what a page of the manual claims, and prints a table."""
