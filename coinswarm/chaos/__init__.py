"""Trades at random on real bars, with what was known when each was decided and what became of it."""
