"""What must hold between the parts of a configuration, though each part is valid by itself."""
