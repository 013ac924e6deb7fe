"""Buckets that speak S3, on any endpoint."""
