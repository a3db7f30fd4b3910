"""Report cards: one variant held against everything that could make it look better than it is."""

NAME = "validate"
SUMMARY = "Say how much of a result to believe: one report card, on train and validation bars only; the vault stays closed."
COMMAND = ("validate",)
