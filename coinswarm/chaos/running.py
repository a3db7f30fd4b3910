"""Chaos trades in this process: what a notebook calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from coinswarm import check
from coinswarm.chaos import drawing, pricing
from coinswarm.chaos.settings import Law, Side, make
from coinswarm.config import WARMUP_TOLERANCE, Costs
from coinswarm.ledger.chaos import ChaosTrades
from coinswarm.market.bars import Bars


def run(
    bars: Bars | Sequence[Bars],
    n: int,
    *,
    hold: str | tuple[int, int] = "5m..24h",
    hold_law: Law = "log",
    side: Side = "both",
    size: tuple[float, float] | float = 1000.0,
    features: Sequence[str] = (),
    costs: Costs | None = None,
    seed: int = 0,
    others: Mapping[str, Bars] | None = None,
    warmup_tolerance: float = WARMUP_TOLERANCE,
) -> ChaosTrades:
    """Trade at random and record what happened.

    Args:
        bars: candles of one market or of several, of one timeframe.
        n: how many trades, at least 1; the first of them are the same for any n.
        hold: shortest and longest hold, such as `5m..24h`, or two numbers of milliseconds.
        hold_law: `log` or `uniform`; see `ChaosSettings`.
        side: `long`, `short` or `both`.
        size: notional in quote currency, or its bounds.
        features: names of features to describe trades by, besides `naming.BASE`; see `naming`.
        costs: what trading costs; the project's defaults unless given.
        seed: the same seed draws the same trades.
        others: bars of markets that features name and that are not traded, by canonical symbol.
        warmup_tolerance: how far the bars before the data may move a warm feature, in units of its own scale.

    Returns:
        n trades. What `state` says of one was known at the close of its decision bar.

    Raises:
        InvalidArgument: an argument lies outside its domain. NotFound: a feature or a market of a feature is not here.
        SpanTooShort: the bars are too few for the holds.
    """
    check.at_least(n, "the number of trades", 1)
    settings = make(
        hold=hold, hold_law=hold_law, side=side, size=size, features=features, costs=costs, seed=seed, warmup_tolerance=warmup_tolerance
    )
    sampler = drawing.sampler([bars] if isinstance(bars, Bars) else list(bars), settings, others)
    return pricing.trades(sampler, 0, n)
