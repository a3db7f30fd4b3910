"""Searches: the variants of plays are bred and scored in sample, the winners are judged out of sample, and every trial is kept."""

NAME = "evolve"
SUMMARY = "Search the variants of plays on all cores or a cluster."
COMMAND = ("evolve",)
