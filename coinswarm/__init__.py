"""The science: what a play is, what it is worth and whether to believe it. Blind to machines."""
