"""What a stranger may try, and what then happens."""
