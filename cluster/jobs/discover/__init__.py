"""Searches for patterns: conditions among random trades that are worth believing, confirmed on later bars and kept in the library."""

NAME = "discover"
SUMMARY = "Search patterns among random trades, confirm them on later bars, and keep them in the library."
COMMAND = ("patterns", "discover")
