"""Fetches: finished candles, and funding of perpetuals, from an exchange into the catalog."""

NAME = "fetch"
SUMMARY = "Fetch candles, and funding of perpetuals, through ccxt; goes on where it stopped."
COMMAND = ("bars", "fetch")
