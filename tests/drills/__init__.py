"""Drills: what happens to jobs when the processes around them are killed, stopped or started twice, and after an hour of small jobs."""
