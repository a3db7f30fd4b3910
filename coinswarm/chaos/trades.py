"""Chaos trades as columns; the record itself is the ledger's, so that stores can keep it without knowing how it was made."""

from __future__ import annotations

from coinswarm.ledger.chaos import COLUMNS, ChaosFrame, ChaosTrades, concatenate, empty

__all__ = ["COLUMNS", "ChaosFrame", "ChaosTrades", "concatenate", "empty"]
