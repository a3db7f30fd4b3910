"""From a play and bars to a finished backtest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coinswarm import errors
from coinswarm.backtest import decisions, listing, rules, tape, unmet
from coinswarm.backtest.portfolio import Trade
from coinswarm.backtest.position import ExitReason
from coinswarm.backtest.simulate import Simulation
from coinswarm.config import Account, Costs
from coinswarm.market import overlap
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.metrics import assemble
from coinswarm.metrics.figures import Status
from coinswarm.metrics.history import History
from coinswarm.play import runs, variants, warmth
from coinswarm.play.dimension import Value
from coinswarm.play.model import Play
from coinswarm.play.runs import with_tolerance
from coinswarm.play.warmth import WarmUp
from coinswarm.types import FloatArray

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Backtest:
    """One variant in full.

    Attributes:
        play: the variant, every dimension fixed.
        bars: (n_bars) the bars it ran on, those from `end_ts` on cut off.
        start: index `w` of the first decision bar.
        trades: one row a trade; columns: `coinswarm.backtest.listing.frame`.
        equity: (n_bars,) account value at the close of each bar, quote currency; the starting equity before `start`.
        position: (n_bars,) signed quantity held at the close of each bar, base currency; negative is short.
        metrics: every figure of `coinswarm.metrics.figures.FIGURES` by name.
        status: OK, or NO_TRADES when no position was ever opened.
        reason: why there were no trades; empty otherwise.
        unmet: where no entry was ever decided, what its conditions lacked, a line a part; else none.
        costs, account: what it ran with.
    """

    play: Play
    bars: Bars
    start: int
    trades: pl.DataFrame
    equity: FloatArray
    position: FloatArray
    metrics: dict[str, float]
    status: Status
    reason: str
    unmet: tuple[str, ...]
    costs: Costs
    account: Account

    @property
    def warm_up(self) -> WarmUp:
        """The wait for the slowest feature, in bars."""
        return warmth.of(self.play, self.bars.timeframe.ms)


def run(
    play: Play,
    bars: Bars,
    *,
    genome: FloatArray | None = None,
    params: Mapping[str, Value] | None = None,
    costs: Costs | None = None,
    account: Account | None = None,
    markets: Mapping[str, Bars] | None = None,
    start_ts: int | None = None,
    end_ts: int | None = None,
    side: runs.Side | None = None,
    warmup_tolerance: float | None = None,
) -> Backtest:
    """Simulate one variant of a play bar by bar, as docs/simulation.md says.

    Args:
        play: the play; with a space of variants, one of `genome` and `params` picks the variant.
        bars: (n_bars) exec bars.
        genome: (n_dims,) genes of the variant.
        params: value of every dimension by path, such as `{"ema_fast.length": 8}`.
        costs: what trading costs; None: as the play says.
        account: what it is traded with; None: as the play says.
        markets: bars of other markets that features name, by canonical symbol.
        start_ts: first time (ms) at which a decision bar may open; earlier bars only warm features up.
        end_ts: bars that open at or after this time (ms) are not used.
        side: take the entries of this side alone, as `coinswarm.play.one_side` says; None: all.
        warmup_tolerance: how far the bars before the data may move a warm feature, in units of its own scale; None: as the play has it.

    Raises:
        InvalidArgument: the variant is not fixed, it has no such side, or it cannot be simulated on bars of this length.
        NotFound: a market is missing.
        SpanTooShort: no decision is possible on these bars.
    """
    variant = with_tolerance(fixed(play, genome, params), warmup_tolerance)
    variant = variant if side is None else runs.one_side(variant, side)
    same_timeframe(variant, bars)
    used = bars if end_ts is None else bars[: bars.index_at(end_ts)]
    if len(used) == 0:
        raise errors.SpanTooShort("a backtest needs bars", found="none", hint="widen the span")
    decided = decisions.decide(variant, used, markets or {}, start_ts=start_ts)
    _long_enough(variant, used, decided.first, markets or {})
    costs, account = costs or play.costs, account or play.account
    simulation = Simulation(tape.of(used), decided, rules.of(variant, costs, account))
    simulation.run()
    return _finished(variant, used, decided, simulation, costs, account, markets or {})


def fixed(play: Play, genome: FloatArray | None = None, params: Mapping[str, Value] | None = None) -> Play:
    """One variant of a play: the one that a (n_dims,) genome or a value of every dimension names; a play without dimensions as it is.

    Raises:
        InvalidArgument: dimensions are left open, values are given twice, or lie outside the space.
    """
    if genome is not None and params:
        raise errors.InvalidArgument("a variant is given by a genome or by parameters, not by both")
    if genome is None:
        if not play.space.dimensions and not params:
            return play
        genome = play.space.encode(params or {})
    return variants.fix(play, np.asarray(genome, dtype=np.float64))


def same_timeframe(play: Play, bars: Bars) -> None:
    """Raise `InvalidArgument` unless the bars have the length the play trades on."""
    if play.timeframe_ms is not None and play.timeframe_ms != bars.timeframe.ms:
        raise errors.InvalidArgument(
            f"{play.name} trades on {Timeframe(play.timeframe_ms)} bars",
            found=str(bars.timeframe),
            hint="give bars of its timeframe, or resample them",
        )


def _long_enough(variant: Play, bars: Bars, first: int, markets: Mapping[str, Bars]) -> None:
    if first <= len(bars) - 2:
        return
    asked = warmth.of(variant, bars.timeframe.ms)
    needed = max(asked.bars, first if first < len(bars) else 0)
    slowest = f" of {asked.feature}" if asked.feature else ""
    raise errors.SpanTooShort(
        f"a decision is possible after {needed} bars of warm-up{slowest} and needs one more bar to fill in",
        found=f"{len(bars)} bars",
        hint=f"give at least {needed + 2} bars{_of_others(variant, bars, markets)}",
    )


def _of_others(variant: Play, bars: Bars, markets: Mapping[str, Bars]) -> str:
    """What bars of other markets have to do with it: nothing, or which of them begins when."""
    named = {feature.market for feature in variant.features.values()} - {None, bars.symbol}
    looked_at = [markets[symbol] for symbol in sorted(filter(None, named)) if len(markets[symbol])]
    if not named:
        return ""
    common = overlap.of([bars, *looked_at])
    return ", and of other markets as much" + ("" if common.alike else f" ({common.text})")


def _finished(
    play: Play,
    bars: Bars,
    decided: decisions.Decisions,
    simulation: Simulation,
    costs: Costs,
    account: Account,
    markets: Mapping[str, Bars],
) -> Backtest:
    portfolio = simulation.portfolio
    status, reason = _verdict(decided, simulation)
    equity, held = np.array(portfolio.equity), np.array(portfolio.held)
    return Backtest(
        play=play,
        bars=bars,
        start=decided.first,
        trades=listing.frame(portfolio.trades, bars),
        equity=equity,
        position=held,
        metrics=assemble.figures(_history(simulation, decided.first, bars, equity, held)),
        status=status,
        reason=reason,
        unmet=() if _signals(decided) else unmet.of(play, bars, markets, decided),
        costs=costs,
        account=account,
    )


def _verdict(decided: decisions.Decisions, simulation: Simulation) -> tuple[Status, str]:
    if simulation.portfolio.trades:
        return Status.OK, ""
    if simulation.n_rejected:
        return Status.NO_TRADES, f"all {simulation.n_rejected} entries were rejected: too small, or without a valid stop or target"
    return Status.NO_TRADES, "no limit order was filled" if _signals(decided) else "no entry signal in the span"


def _signals(decided: decisions.Decisions) -> bool:
    """Whether an entry was ever decided."""
    return bool(decided.entry_long.any() or decided.entry_short.any())


def _history(simulation: Simulation, first: int, bars: Bars, equity: FloatArray, held: FloatArray) -> History:
    portfolio = simulation.portfolio
    closed = [trade for trade in portfolio.trades if trade.reason != ExitReason.OPEN]
    return History(
        starting_equity=portfolio.rules.account.starting_equity,
        equity=equity[first:],
        in_position=held[first:] != 0,
        periods_per_year=bars[first:].periods_per_year,
        pnl=np.array([trade.pnl for trade in closed]),
        trade_returns=np.array([trade.pnl / (trade.qty * trade.entry_price) for trade in closed]),
        bars_held=np.array([float(trade.bars_held) for trade in closed]),
        traded=sum(_traded(trade) for trade in portfolio.trades),
        fees=sum(trade.fees for trade in portfolio.trades),
        slippage=sum(trade.slippage for trade in portfolio.trades),
        funding=sum(trade.funding for trade in portfolio.trades),
        n_open=len(portfolio.trades) - len(closed),
        n_rejected=simulation.n_rejected,
        n_liquidated=sum(trade.reason == ExitReason.LIQUIDATION for trade in closed),
        n_gaps=portfolio.n_gaps,
    )


def _traded(trade: Trade) -> float:
    """Notional of a trade's fills."""
    return trade.qty * (trade.entry_price + (0.0 if trade.exit_bar is None else trade.exit_price))
