"""Measure how often a pipeline promotes something where nothing is."""
