"""Wrong variants of this house, kept as patches, each of which must turn the suite red."""
