"""Everything in memory: the reference of every port, which ships, and which tests use."""
