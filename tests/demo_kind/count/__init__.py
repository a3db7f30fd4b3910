"""Counts: how many bars of each market rise, a kind of job that shows what a kind needs."""

NAME = "count"
SUMMARY = "Count the bars of markets that rise."
COMMAND = ("count",)
