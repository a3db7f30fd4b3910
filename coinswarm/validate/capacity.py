"""How much money the variant can carry: its share of the volume of the bars it trades in, and what ten times the money costs."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from coinswarm.config import Costs
from coinswarm.market.bars import Bars
from coinswarm.types import FloatArray
from coinswarm.validate import curves, names
from coinswarm.validate.bench import Bench
from coinswarm.validate.card import Section, Table
from coinswarm.validate.curves import MarketHistory
from coinswarm.validate.odds import refuse_too_few
from coinswarm.validate.spans import portfolio_of

SHARE = 0.01
TIMES = 10.0


def section(bench: Bench) -> Section:
    """Participation of the entries at the starting equity, over train and validation."""
    portfolio = portfolio_of(bench, bench.case.splits.whole)
    refuse_too_few(portfolio)
    shares_of = [participation(market) for market in portfolio.markets]
    every = np.concatenate(shares_of)
    median, high = float(np.median(every)), float(np.quantile(every, 0.95))
    equity = bench.case.play.account.starting_equity
    medians = [float(np.median(shares)) if shares.size else None for shares in shares_of]
    highs = [float(np.quantile(shares, 0.95)) if shares.size else None for shares in shares_of]
    capital = [equity * SHARE / share if share else math.nan for share in highs]
    figures = {
        "participation_median": median, "participation_p95": high,
        "capital_at_1pct": equity * SHARE / high if high > 0 else math.inf, "sharpe_at_10x": _larger(bench),
    }  # fmt: skip
    keys = [market.bars.key for market in portfolio.markets]
    rows = tuple(zip(keys, medians, highs, capital, strict=True))
    table = Table(title="By market", head=("market", "median share", "95 % share", "capital at 1 %"), rows=rows,
                  units=("", "percent", "percent", ""))  # fmt: skip
    note = (
        f"With {equity:,.0f} in each market; a bar without volume counts as taken whole. At {TIMES:g} times that, slippage grows by the "
        "deviation of a bar's return times the square root of the share of its volume (square-root impact)."
    )
    return Section(name="capacity", title=names.TITLES["capacity"], figures=figures, tables=(table,), notes=(note,))


def participation(market: MarketHistory) -> FloatArray:
    """(n_trades,) quantity of each entry at the starting equity over the volume of its bar, in [0, 1]."""
    entry = market.trades.entry
    quantity = market.trades.notional * market.start / market.bars.open[entry]
    volume = market.bars.volume[entry]
    return np.where(volume > 0, np.minimum(1.0, quantity / np.where(volume > 0, volume, 1.0)), 1.0)


def _larger(bench: Bench) -> float:
    """Annual Sharpe with ten times the equity and square-root impact."""
    case = bench.case
    account = case.play.account.model_copy(update={"starting_equity": min(1e15, case.play.account.starting_equity * TIMES)})
    larger = replace(case.play, account=account)
    histories = []
    for bars in case.markets:
        scorer = bench.scorer(bars, case.splits.whole, costs=_impact(case.play.costs, bars), play=larger)
        histories.append(bench.history(scorer))
    return curves.portfolio(histories).sharpe


def _impact(costs: Costs, bars: Bars) -> Costs:
    moves = np.diff(bars.close) / bars.close[:-1]
    deviation = float(moves.std()) if moves.size else 0.0
    return costs.model_copy(update={"slippage_participation": min(10.0, max(costs.slippage_participation, deviation))})
