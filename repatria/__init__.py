"""Repatria moves user records home to Europe, batch by batch, and proves it."""
