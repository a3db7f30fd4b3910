"""What every made-up market has in common: its name says which world it is from, it is synthetic, and it pays no funding."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from coinswarm.market.bars import Bars
from coinswarm.types import FloatArray


def marked(bars: Bars, exchange: str, **columns: FloatArray) -> Bars:
    """Bars with other prices, marked as made.

    Args:
        bars: (n_bars,) the market they are made like.
        exchange: name of the world, which takes the place of the exchange.
        columns: (n_bars,) the columns that differ.

    Returns:
        (n_bars,) bars of the same market and times.
    """
    none = slice(0, 0)
    unpaid = {"funding_ts": bars.funding_ts[none], "funding_rate": bars.funding_rate[none]}
    changes: dict[str, Any] = {**unpaid, **columns}
    return replace(bars, exchange=exchange, synthetic=True, **changes)
