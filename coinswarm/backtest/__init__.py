"""One variant in full: every order, every trade, equity at every close. The readable reference that the fast path is held to."""

from __future__ import annotations

from coinswarm.backtest.decisions import Decisions, decide
from coinswarm.backtest.run import Backtest, fixed, run

__all__ = ["Backtest", "Decisions", "decide", "fixed", "run"]
