"""Validate one variant."""
