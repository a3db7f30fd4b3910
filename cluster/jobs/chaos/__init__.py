"""Chaos trades: random entries, holds and sides, priced and described, for patterns to be searched among."""

NAME = "chaos"
SUMMARY = "Sample random trades and record their outcomes."
COMMAND = ("chaos", "run")
