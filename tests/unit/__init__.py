"""Does this rule say what it should? No I/O but small temporary files."""
