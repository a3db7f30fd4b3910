"""A trader's first day, run as it is written: `python -m tests.first_day.run`."""
