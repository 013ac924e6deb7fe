"""The outside world: stores, formats, the ledger, and wrappers around them."""
