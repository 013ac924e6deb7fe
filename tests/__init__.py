"""What must stay true of Repatria."""
