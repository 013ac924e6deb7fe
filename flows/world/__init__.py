"""The embedded world: five S3 sites on loopback, and the synthetic people who live in them."""
