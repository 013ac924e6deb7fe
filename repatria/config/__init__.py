"""The configuration: strict YAML in, frozen nouns out, nothing guessed and nothing overridden."""
