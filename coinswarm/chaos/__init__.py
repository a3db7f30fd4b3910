"""Random trades on real bars, each with what was known at its decision and with its outcome."""
