"""Trades at random on real bars, with what was known when each was decided and what became of it."""

from __future__ import annotations

from coinswarm.chaos.drawing import Urn, draw, fill
from coinswarm.chaos.markets import describe
from coinswarm.chaos.pricing import price, trades
from coinswarm.chaos.running import run
from coinswarm.chaos.settings import ChaosSettings, make
from coinswarm.config import Costs
from coinswarm.kernels.codes import Reason
from coinswarm.ledger.chaos import ChaosFrame, ChaosTrades, concatenate

__all__ = [
    "ChaosFrame",
    "ChaosSettings",
    "ChaosTrades",
    "Costs",
    "Reason",
    "Urn",
    "concatenate",
    "describe",
    "draw",
    "fill",
    "make",
    "price",
    "run",
    "trades",
]
