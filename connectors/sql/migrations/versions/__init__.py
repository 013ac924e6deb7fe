"""One module per version of the schema. Never edited once released."""
