"""Tests of published rules: each side of each rule against random-entry trades of the same market, side and holding period."""

NAME = "rules"
SUMMARY = "Test published trading rules against random-entry trades with the same market, side and holding period."
COMMAND = ("patterns", "test")
FORMERLY = ("test",)
