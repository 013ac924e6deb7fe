"""How records are written in objects: one codec for each format."""
