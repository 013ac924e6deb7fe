"""The ledger in an SQL database: SQLite in a file, or PostgreSQL."""
