"""The calibration benchmark: a pipeline is run on worlds where nothing is to be found, or something is, and what it promotes is counted."""

NAME = "honesty"
SUMMARY = "Measure how often a pipeline promotes something: on null worlds, where nothing is, and on planted ones."
COMMAND = ("honesty",)
