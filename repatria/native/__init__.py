"""The hot path in C: optional, built where there is a compiler, equal in every result."""
