"""Indicators and simulators that look ahead, each in its own way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import talib

from coinswarm.backtest import listing, rules, tape
from coinswarm.backtest.decisions import Decisions, decide
from coinswarm.backtest.simulate import Simulation
from coinswarm.config import Account, Costs
from coinswarm.indicators import catalog, features, structures
from coinswarm.indicators.features import Computed
from coinswarm.market import resample
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.play.model import Play
from coinswarm.types import FloatArray
from coinswarm.validate import lookahead
from coinswarm.validate.lookahead.engine import from_listing

HOUR = Timeframe.parse("1h")


@contextmanager
def registered(compute: Any, warmup: int = 0) -> Iterator[None]:
    """An entry called `cheat` in the catalogue, for as long as it is needed."""
    catalog.register(catalog.Indicator(name="cheat", warmup=lambda _: warmup, compute=lambda bars, *_: (compute(bars),), cite="made up"))
    try:
        yield
    finally:
        del catalog.CATALOG["cheat"]


def centred_mean(bars: Bars) -> FloatArray:
    return np.convolve(bars.close, np.full(5, 0.2), mode="same")


def early_pivot(bars: Bars) -> FloatArray:
    """Swing highs on the bar on which they happened."""
    known = np.roll(structures.pivots(bars, 5, 5)[0], -5)
    last = np.maximum.accumulate(np.where(np.isnan(known), 0, np.arange(len(bars))))
    return known[last]


def unclosed_hour(bars: Bars) -> FloatArray:
    """The close of the hour that a bar lies in, before the hour is over."""
    starts = resample.bucket_starts(bars.ts, HOUR)
    return bars.close[np.searchsorted(starts, starts, side="right") - 1]


def share_of_the_highest(bars: Bars) -> FloatArray:
    return bars.close / bars.close.max()


def next_funding(bars: Bars) -> FloatArray:
    if not bars.funding_ts.size:
        return np.full(len(bars), np.nan)
    following = np.minimum(np.searchsorted(bars.funding_ts, bars.close_ts), bars.funding_ts.size - 1)
    return bars.funding_rate[following]


def cold_ema(bars: Bars) -> FloatArray:
    return talib.EMA(bars.close, 50)


def wobbling_close(bars: Bars) -> FloatArray:
    """The close, give or take a rounding that depends on where the data began."""
    return bars.close * (1 + 1e-13 * (np.arange(len(bars)) % 2))


def early_market(indicator: str, params: Any, bars: Bars, *, market: Bars | None, **others: Any) -> Computed:
    """Another market's bars as if they closed five minutes earlier."""
    early = None if market is None else replace(market, ts=market.ts - 5 * 60_000)
    return features.compute(indicator, params, bars, market=early, **others)


def foresight(play: Play, bars: Bars, markets: Mapping[str, Bars]) -> Decisions:
    """Decisions taken one bar before there is a reason to."""
    return _sooner(decide(play, bars, markets))


def _sooner(wanted: Decisions) -> Decisions:
    names = ("entry_long", "exit_long", "entry_short", "exit_short")
    return replace(wanted, **{name: np.append(getattr(wanted, name)[1:], False) for name in names})


def same_bar(
    play: Play, bars: Bars, *, costs: Costs, account: Account, markets: Mapping[str, Bars], start_ts: int | None
) -> lookahead.Trading:
    """Fills at the open of the bar whose close decided."""
    wanted = _sooner(decide(play, bars, markets, start_ts=start_ts))
    if wanted.first > len(bars) - 2:
        return lookahead.engine.NOTHING
    simulation = Simulation(tape.of(bars), wanted, rules.of(play, costs, account))
    simulation.run()
    portfolio = simulation.portfolio
    return from_listing(listing.frame(portfolio.trades, bars), np.array(portfolio.equity), play)
