"""Sample random trades."""
