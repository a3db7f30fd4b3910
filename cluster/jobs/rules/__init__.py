"""Test published rules."""
