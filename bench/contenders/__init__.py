"""What the benchmark measures beside Repatria, each a script of its own environment."""
