"""Search patterns among random trades."""
