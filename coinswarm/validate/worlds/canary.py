"""The look-ahead canary: a column that knows the next bar, and the check that must detect it.

The play language cannot reach forward, so a leak can only come with the data: a column stamped one bar too early, as when a provider
writes a figure at the open of the bar it describes. The canary plants that in the volume. No search can tell it from an edge, and no
re-run with a scrambled future can either, because the leak is in the past of the file. What gives it away is its size: how well a column
predicts the next bar is limited on every market worth trading, see `stats.honest_ceiling`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coinswarm import check, stats
from coinswarm.market.bars import COLUMNS, Bars
from coinswarm.types import FloatArray
from coinswarm.validate.worlds import drawn
from coinswarm.validate.worlds.marking import marked

FEWEST_BARS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Leak:
    """How well one column predicts the next bar.

    Attributes:
        column: its name.
        correlation: rank correlation with the next bar's simple return, in [-1, 1].
        z: the same in standard errors of independent bars.
        found: too good to be known at that time.
    """

    column: str
    correlation: float
    z: float
    found: bool


def leaking(like: Sequence[Bars], rng: np.random.Generator, exchange: str) -> tuple[Bars, ...]:
    """Markets of N1 whose volume is high before bars that rise and low before bars that fall.

    Args:
        like: markets whose times, first price, volatility, correlation and volumes are taken.
        rng: source of the returns.
        exchange: name of the world.
    """
    return tuple(_stamped_early(bars, exchange) for bars in drawn.clustered(like, rng, exchange))


def _stamped_early(bars: Bars, exchange: str) -> Bars:
    rising = np.concatenate([bars.close[1:] > bars.open[1:], np.zeros(1, dtype=np.bool_)])
    return marked(bars, exchange, volume=bars.volume * np.where(rising, 3.0, 1.0))


def leaks(bars: Bars, columns: dict[str, FloatArray] | None = None) -> tuple[Leak, ...]:
    """What any column says about the next bar, worst first.

    Prices enter as what they say within their bar: close, high and low against the open.

    Args:
        bars: (n_bars,) at least 30.
        columns: (n_bars,) more columns by name, each value known at its bar's close; NaN is left out.

    Raises:
        InvalidArgument: there are too few bars.
    """
    check.at_least(len(bars), "n_bars", FEWEST_BARS)
    series = {name: getattr(bars, name) / bars.open for name in COLUMNS if name not in ("open", "volume")}
    series |= {"volume": bars.volume, **(columns or {})}
    future = bars.close[1:] / bars.close[:-1] - 1
    every = [_leak(name, np.asarray(values, dtype=np.float64)[:-1], future) for name, values in series.items()]
    return tuple(sorted(every, key=lambda leak: -abs(leak.correlation)))


def _leak(name: str, values: FloatArray, future: FloatArray) -> Leak:
    seen = stats.foreknowledge(values, future)
    return Leak(column=name, correlation=seen.correlation, z=seen.z, found=seen.found)
