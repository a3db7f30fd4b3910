"""Fetch candles."""
