"""Sanity checks of a result: too good, too few trades, or not possible."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from coinswarm.backtest.run import Backtest, run
from coinswarm.market.bars import Bars
from coinswarm.types import FloatArray
from coinswarm.validate import names, stress
from coinswarm.validate.bench import Bench
from coinswarm.validate.card import Section, Table
from coinswarm.validate.curves import Portfolio
from coinswarm.validate.spans import portfolio_of
from coinswarm.validate.worlds import canary
from coinswarm.validate.worlds.canary import Leak

MOST_SHARPE, MOST_WIN_RATE, MOST_PROFIT_FACTOR = 5.0, 0.9, 5.0
KEPT_LATE = 0.5
"""A mistake in times or fills makes its money in the bar right after a decision; what is as good a bar later is no such mistake."""
LEAST_TRADES = 30
MOST_EXPOSURE = 0.98
_ALIKE = 1e-6
_RULES = {
    "too_good": f"win rate above {MOST_WIN_RATE:.0%}, profit factor above {MOST_PROFIT_FACTOR:g}, or annual Sharpe above {MOST_SHARPE:g} "
    f"of which less than {KEPT_LATE:.0%} is left when every decision comes a bar late",
    "too_few_trades": f"fewer than {LEAST_TRADES} closed trades",
    "zero_cost": "no fee or no slippage: nobody trades for nothing",
    "impossible_prices": "bars that contradict themselves, or fills outside the range of their bar",
    "knows_next_bar": "columns of the bars, or other markets, that predict the next bar better than anything known at its start can",
    "simulators_differ": "the fast path and the reference simulator disagree: one of them is wrong",
    "one_trade_dominates": "the best trade made more than half of all that was won, less what was lost",
    "always_in": f"in the market on more than {MOST_EXPOSURE:.0%} of the bars: it holds, it does not trade",
    "gaps": "bars in a position after a gap that the play does not allow for",
}


def section(bench: Bench) -> Section:
    """Each rule with what was found, over train and validation."""
    portfolio = portfolio_of(bench, bench.case.splits.whole)
    simulated = _simulated(bench)
    figures = {
        "too_good": float(_too_good(bench, portfolio)),
        "too_few_trades": float(portfolio.n_trades < LEAST_TRADES),
        "zero_cost": float(_free(bench)),
        "impossible_prices": float(sum(impossible(one.bars) + outside(one) for one in simulated)),
        "knows_next_bar": float(sum(leak.found for bars in bench.case.markets for leak in leaks(bars, bench.case.others))),
        "simulators_differ": float(_differ(portfolio, simulated)),
        "one_trade_dominates": float(_dominated(portfolio)),
        "always_in": float(portfolio.span_figures()["exposure"] > MOST_EXPOSURE),
        "gaps": float(_gaps(bench)),
    }
    broken = sum(value > 0 for value in figures.values())
    rows = tuple(("failed" if figures[name] > 0 else "ok", words, figures[name]) for name, words in _RULES.items())
    table = Table(title="Rules", head=("verdict", "rule", "found"), rows=rows)
    notes = tuple(f"{name}: {_RULES[name]}" for name in _RULES if figures[name] > 0)
    return Section(name="lint", title=names.TITLES["lint"], figures={"n_findings": float(broken), **figures}, tables=(table,), notes=notes)


def impossible(bars: Bars) -> int:
    """How many bars have a high below their open, close or low, or a low above them, or a price that is not above 0."""
    top, bottom = np.maximum(bars.open, bars.close), np.minimum(bars.open, bars.close)
    return int(((bars.high < top) | (bars.low > bottom) | (bars.low <= 0)).sum())


def leaks(bars: Bars, others: Mapping[str, Bars]) -> tuple[Leak, ...]:
    """What columns of a market, and the bars of others that open at the same times, say of its next bar, worst first.

    Fewer than 30 bars say nothing. A leak is a file stamped too early; the play cannot be blamed for it, and cannot be believed either.
    """
    moves = {f"{symbol} close": _beside(bars, other) for symbol, other in others.items() if symbol != bars.symbol}
    return canary.leaks(bars, moves) if len(bars) >= canary.FEWEST_BARS else ()


def _beside(bars: Bars, other: Bars) -> FloatArray:
    """(n_bars,) close against open of another market's bar that opens at the same time; NaN where there is none."""
    _, here, there = np.intersect1d(bars.ts, other.ts, assume_unique=True, return_indices=True)
    out = np.full(len(bars), np.nan)
    out[here] = other.close[there] / other.open[there]
    return out


def outside(result: Backtest) -> int:
    """How many fills of a simulation lie outside the range of their bar, slippage apart. A liquidation is booked at its own price."""
    bars, wrong = result.bars, 0
    for row in result.trades.iter_rows(named=True):
        slip = row["slippage"] / row["qty"]
        wrong += not _inside(bars, row["entry_bar"], row["entry_price"], slip)
        if row["exit_bar"] is not None and row["exit_reason"] != "liquidation":
            wrong += not _inside(bars, row["exit_bar"], row["exit_price"], slip)
    return wrong


def _inside(bars: Bars, at: int, price: float, slip: float) -> bool:
    slack = slip + 1e-9 * price
    return bool(bars.low[at] - slack <= price <= bars.high[at] + slack)


def _simulated(bench: Bench) -> list[Backtest]:
    """The variant bar by bar on each market, by the reference simulator."""
    case, whole = bench.case, bench.case.splits.whole
    return [
        run(case.play, bars, genome=case.genome, markets=case.others, start_ts=whole.start_ts, end_ts=whole.end_ts) for bars in case.markets
    ]


def _differ(portfolio: Portfolio, simulated: Sequence[Backtest]) -> bool:
    pairs = zip(portfolio.markets, simulated, strict=True)
    return any(abs(part.total_return - one.metrics["total_return"]) > _ALIKE * max(1.0, abs(part.total_return)) for part, one in pairs)


def _too_good(bench: Bench, portfolio: Portfolio) -> bool:
    every = portfolio.span_figures()
    if not every["n_trades"] > 0:
        return False
    if every["win_rate"] > MOST_WIN_RATE or every["profit_factor"] > MOST_PROFIT_FACTOR:
        return True
    return every["sharpe"] > MOST_SHARPE and _late_sharpe(bench) < KEPT_LATE * every["sharpe"]


def _late_sharpe(bench: Bench) -> float:
    late = bench.portfolio(bench.case.splits.whole, play=stress.delayed(bench.case.play)).span_figures()["sharpe"]
    return 0.0 if math.isnan(late) else late


def _free(bench: Bench) -> bool:
    costs = bench.case.play.costs
    slips = costs.slippage_bps + costs.slippage_volatility + costs.slippage_participation
    return costs.taker_bps <= 0 or (slips <= 0 and bench.case.play.risk.limit is None)


def _dominated(portfolio: Portfolio) -> bool:
    gains = portfolio.trade_column("gain")
    return bool(gains.size and gains.sum() > 0 and gains.max() > 0.5 * gains.sum())


def _gaps(bench: Bench) -> float:
    whole = bench.case.splits.whole
    tables = [bench.scorer(bars, whole).score(bench.case.genome[np.newaxis]) for bars in bench.case.markets]
    return float(np.nansum([table["n_gaps"][0] for table in tables]))
