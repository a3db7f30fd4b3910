"""The times several markets have together, so that one draw of chance meets all of them at the same bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coinswarm import errors
from coinswarm.market.bars import Bars
from coinswarm.types import FloatArray, IntArray

_RIDGE = 1e-6  # two copies of one market would leave nothing to draw apart


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Grid:
    """Open times of all markets.

    Attributes:
        ts: (n_times,) every open time of any market, milliseconds since 1970 UTC, strictly increasing.
        rows: for each market (n_bars,) where its bars stand in `ts`.
    """

    ts: IntArray
    rows: tuple[IntArray, ...]


def of(like: Sequence[Bars]) -> Grid:
    """The grid of markets.

    Args:
        like: at least one market, all of one timeframe, each with at least two bars and a name of its own.

    Raises:
        InvalidArgument: they are not.
    """
    if not like:
        raise errors.InvalidArgument("a world is made like at least one market", found="none", hint="coinswarm bars list")
    lengths, names = {bars.timeframe for bars in like}, [bars.symbol for bars in like]
    if len(lengths) > 1:
        raise errors.InvalidArgument("the markets of a world have one timeframe", found=", ".join(map(str, sorted(lengths))))
    if len(set(names)) < len(names):
        raise errors.InvalidArgument("each market of a world is named once", found=", ".join(names))
    short = [bars.key for bars in like if len(bars) < 2]
    if short:
        raise errors.SpanTooShort("a world is made like markets of at least 2 bars", found=", ".join(short))
    ts = like[0].ts if len(like) == 1 else np.unique(np.concatenate([bars.ts for bars in like]))
    return Grid(ts=ts, rows=tuple(np.searchsorted(ts, bars.ts) for bars in like))


def returns(bars: Bars) -> FloatArray:
    """(n_bars,) simple return of each bar, close on the close before; the first on its own open.

    Args:
        bars: (n_bars,) at least one.
    """
    return np.asarray(bars.close / before(bars) - 1)


def before(bars: Bars) -> FloatArray:
    """(n_bars,) the close before each bar; the first bar's own open.

    Args:
        bars: (n_bars,) at least one.
    """
    return np.concatenate([bars.open[:1], bars.close[:-1]])


def correlation(like: Sequence[Bars], grid: Grid) -> FloatArray:
    """(n_markets, n_markets) correlation of the returns of the bars that all markets have; that of a market that never moves is 0.

    Args:
        like: the markets.
        grid: their times.
    """
    table = np.full((len(like), grid.ts.size), np.nan)
    for row, (bars, place) in enumerate(zip(like, grid.rows, strict=True)):
        table[row, place] = returns(bars)
    shared = table[:, np.isfinite(table).all(axis=0)]
    moving = shared.std(axis=1) > 0 if shared.shape[1] > 2 else np.zeros(len(like), dtype=np.bool_)
    result = np.eye(len(like))
    if moving.sum() > 1:
        result[np.ix_(moving, moving)] = np.corrcoef(shared[moving])
    return np.asarray((1 - _RIDGE) * result + _RIDGE * np.eye(len(like)))
