"""How a variant trades, apart from how well: the axes of the archive that keeps the best variant of each kind."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from coinswarm.evolve.archive import Behaviour, Descriptor
from coinswarm.market.timeframe import DAY_MS
from coinswarm.types import FloatArray

TRADING = Behaviour(
    descriptors=(
        Descriptor(name="hold_h", low=0.1, high=1000.0, cells=8, log=True),
        Descriptor(name="trades_a_day", low=0.01, high=100.0, cells=8, log=True),
        Descriptor(name="exposure", low=0.0, high=1.0, cells=5),
        Descriptor(name="win_rate", low=0.0, high=1.0, cells=5),
    )
)
"""Mean holding time in hours, trades a day, share of the time in a position, and whether it earns often or rarely."""


def descriptors(table: npt.NDArray[np.void], bar_ms: float | FloatArray) -> FloatArray:
    """(n_variants, 4) where variants stand on the axes of `TRADING`, as means over their markets.

    Args:
        table: (n_variants, n_markets) `SCORE_DTYPE`.
        bar_ms: (n_markets,) time in ms from a bar to the next, on average: longer than a bar where some are missing; or one for all.

    NaN where a variant has no figures on some market, or never trades: it then behaves in no way.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        trades_a_day = table["n_trades"] / (table["n_obs"] * bar_ms / DAY_MS)
        hold_h = table["avg_hold"] * bar_ms / (DAY_MS / 24)
    columns = [hold_h, trades_a_day, table["exposure"], table["win_rate"]]
    means = np.stack([column.mean(axis=1) for column in columns], axis=1)
    idle = table["n_trades"].sum(axis=1) == 0
    return np.asarray(np.where(idle[:, np.newaxis], np.nan, means))
