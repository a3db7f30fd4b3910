"""Answers from what is stored: replays, charts, vetting, vaults."""
