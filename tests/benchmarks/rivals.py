"""The same work by the peers, each in the fastest way found for it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import talib
import vectorbt

from coinswarm import backtest, play
from coinswarm.backtest.decisions import decide
from coinswarm.config import WARMUP_TOLERANCE
from coinswarm.indicators import features
from coinswarm.play import model
from coinswarm.types import BoolArray, FloatArray
from tests.benchmarks.agreement import as_given
from tests.benchmarks.workloads import FEE, Workload
from tests.oracles import given
from tests.oracles.peers import backtesting_peer, raptorbt_peer, vectorbt_peer

CHUNK = 8
"""Columns vectorbt gets at once: 4 to 128 were tried; up to 16 were fastest, more only cost memory."""
RETURN_FIGURES = ("total", "annualized", "sharpe_ratio", "sortino_ratio", "max_drawdown", "calmar_ratio")
TRADE_FIGURES = ("win_rate", "profit_factor", "expectancy")

Prepared = Callable[[], Callable[[], object]]


@dataclass(frozen=True, kw_only=True)
class Signals:
    """What vectorbt takes for some variants: (n_bars, n_variants) signals on the bar that fills them, and levels that broadcast to it."""

    entries: BoolArray
    exits: BoolArray | bool
    stop: FloatArray
    target: FloatArray
    short_entries: BoolArray | None = None

    def columns(self, which: slice) -> Signals:
        """Some of the variants, of signals without exits."""
        entries = np.ascontiguousarray(self.entries[:, which])
        return Signals(entries=entries, exits=False, stop=self.stop[:, which], target=self.target[:, which])


def vectorbt_figures(workload: Workload, signals: Signals) -> dict[str, object]:
    """Simulation and nine figures that both sides have; the other thirteen of ours are spared it.

    The figures come from one series of returns: asking the portfolio for them would also value a benchmark, at half the speed.
    """
    options = {} if signals.short_entries is None else {"short_entries": signals.short_entries, "short_exits": False}
    made = vectorbt_peer.portfolio(
        workload.bars, signals.entries, signals.exits, sl_stop=signals.stop, tp_stop=signals.target, fees=FEE, **options
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        returns, trades = made.returns().vbt.returns(freq=f"{workload.bars.timeframe.ms}ms"), made.trades
        figures = {name: getattr(returns, name)() for name in RETURN_FIGURES}
        return figures | {name: getattr(trades, name)() for name in TRADE_FIGURES}


def _w1_values(workload: Workload) -> FloatArray:
    """(n_variants, 5) fast length, slow length, RSI limit, stop and target in percent."""
    space = play.loads(workload.text).space
    order = [next(k for k, d in enumerate(space.dimensions) if word in d.path) for word in ("fast", "slow", "entry_long", "stop", "take")]
    return space.values(workload.genomes)[:, order]


def _levels(values: FloatArray) -> dict[str, FloatArray]:
    return {"stop": values[None, :, 3] / 100.0, "target": values[None, :, 4] / 100.0}


def _unwarmed(values: FloatArray, n_bars: int) -> BoolArray:
    """(n_bars, n_variants) bars that fill no decision of W1 yet: averages and RSI settle for longer here than TA-Lib has them."""
    rsi = features.warm_up("rsi", {"length": 14}, WARMUP_TOLERANCE)
    slowest = values[:, :2].max(axis=1).astype(np.int64).tolist()
    first = np.array([max(features.warm_up("ema", {"length": length}, WARMUP_TOLERANCE) + 1, rsi) for length in slowest])
    return np.arange(n_bars)[:, None] <= first


def w1_arrays(workload: Workload) -> Signals:
    """Signals of W1 by TA-Lib and NumPy, each distinct average, cross and filter once."""
    close, values = workload.bars.close, _w1_values(workload)
    averages = {length: talib.EMA(close, int(length)) for length in np.unique(values[:, :2])}
    strength = talib.RSI(close, 14)
    calm = {limit: strength < limit for limit in np.unique(values[:, 2])}
    entries = np.zeros((close.size, len(values)), dtype=bool)
    crossed: dict[tuple[float, float], BoolArray] = {}
    for k, (fast, slow, limit) in enumerate(values[:, :3].tolist()):
        if (fast, slow) not in crossed:
            above = averages[fast] > averages[slow]
            known = np.concatenate([[False], ~np.isnan(averages[slow][:-1])])
            crossed[fast, slow] = known & above & ~np.concatenate([[True], above[:-1]])
        entries[1:, k] = (crossed[fast, slow] & calm[limit])[:-1]
    return Signals(entries=entries & ~_unwarmed(values, close.size), exits=False, **_levels(values))


def w1_indicators(workload: Workload) -> Signals:
    """Signals of W1 by vectorbt's own indicator classes (TA-Lib inside, so that the values are the same) and signal methods."""
    import pandas as pd

    values, close = _w1_values(workload), pd.Series(workload.bars.close)
    average, strength = vectorbt.talib("EMA"), vectorbt.talib("RSI")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fast = average.run(close, timeperiod=values[:, 0].astype(int).tolist(), short_name="fast")
        slow = average.run(close, timeperiod=values[:, 1].astype(int).tolist(), short_name="slow")
        crossed = fast.real_crossed_above(slow.real.to_numpy()).to_numpy()
        calm = strength.run(close, timeperiod=14).real.to_numpy()[:, None] < values[None, :, 2]
    entries = vectorbt_peer.next_bar(crossed & calm) & ~_unwarmed(values, close.size)
    return Signals(entries=entries, exits=False, **_levels(values))


def w1_by_vectorbt(workload: Workload, signals: Callable[[Workload], Signals]) -> Prepared:
    """Signals once, then simulation and figures chunk by chunk."""

    def work() -> None:
        made = signals(workload)
        for k in range(0, len(workload.genomes), CHUNK):
            vectorbt_figures(workload, made.columns(slice(k, k + CHUNK)))

    return lambda: work


def same_signals(workload: Workload) -> None:
    """Both ways to make the signals of W1 give those of the readable simulator.

    Raises:
        AssertionError: they do not.
    """
    expected = ready_made(workload).entries
    for signals in (w1_arrays, w1_indicators):
        np.testing.assert_array_equal(signals(workload).entries, expected)


def ready_made(workload: Workload) -> Signals:
    """Signals and levels of any workload, made by the readable simulator."""
    cases = [_ready_made(workload, genome) for genome in workload.genomes]
    stack = {name: np.column_stack([case[name] for case in cases]) for name in cases[0]}
    return Signals(
        entries=stack["entries"], exits=stack["exits"], stop=stack["stop"], target=stack["target"], short_entries=stack["short_entries"]
    )


def _ready_made(workload: Workload, genome: FloatArray) -> dict[str, np.ndarray]:
    """One column each; a level measured by an ATR is a fraction of the open that fills the entry."""
    bars, fixed = workload.bars, play.fix(play.loads(workload.text), genome)
    wanted = decide(fixed, bars)
    stop, target = (np.full(len(bars), float(level.value) / 100.0) for level in (fixed.risk.stop, fixed.risk.target))
    if fixed.risk.stop.kind is model.StopKind.ATR:
        distance = np.concatenate([[np.nan], wanted.levels.stop_long[:-1]])
        stop = float(fixed.risk.stop.value) * distance / bars.open
        target = float(fixed.risk.target.value) * stop
    exits = wanted.exit_long & (fixed.policy.exit_mode.value == "first_hit")
    moved = [vectorbt_peer.next_bar(signal) for signal in (wanted.entry_long, exits, wanted.entry_short)]
    return {"entries": moved[0], "exits": moved[1], "short_entries": moved[2], "stop": stop, "target": target}


def vectorbt_alone(workload: Workload, signals: Signals) -> Prepared:
    """Simulation to a list of orders, no figures."""
    return lambda: (
        lambda: vectorbt_peer.portfolio(
            workload.bars, signals.entries, signals.exits, sl_stop=signals.stop, tp_stop=signals.target, fees=FEE
        )
    )


def by_vectorbt(workload: Workload, signals: Signals) -> Prepared:
    """Simulation and figures on ready-made signals."""
    return lambda: lambda: vectorbt_figures(workload, signals)


def by_raptorbt(workload: Workload) -> Prepared:
    """Its batch runner on ready-made signals; on one thread it was at least as fast as one run after the other.

    Raises:
        AssertionError: the batch runner trades otherwise than the single one, which is compared trade for trade.
    """
    cases = [as_given(workload, genome) for genome in workload.genomes]
    asked = [raptorbt_peer.rearmed(case, given.outcomes(case)) for case in cases]
    alone = [raptorbt_peer.run(case).metrics.end_value for case in asked]
    assert [result.metrics.end_value for _, result in raptorbt_peer.batch(asked)] == alone
    return lambda: lambda: raptorbt_peer.batch(asked)


def by_backtesting(workload: Workload) -> Prepared:
    """One run after the other on ready-made signals."""
    cases = [as_given(workload, genome) for genome in workload.genomes]
    return lambda: lambda: [backtesting_peer.run(case) for case in cases]


def w2_agreement(workload: Workload) -> tuple[int, int]:
    """Trades of W2 that vectorbt has too, variant by variant up to the first that leaves in its entry bar, and how many there are.

    Raises:
        AssertionError: they differ before.
    """
    signals = ready_made(workload)
    made = vectorbt_peer.portfolio(
        workload.bars, signals.entries, signals.exits, short_entries=signals.short_entries, short_exits=False,
        sl_stop=signals.stop, tp_stop=signals.target, fees=FEE,
    )  # fmt: skip
    same = total = 0
    for k, genome in enumerate(workload.genomes):
        ours = given.closed(backtest(play.loads(workload.text), workload.bars, genome=genome, costs=workload.costs))
        at_once = np.flatnonzero(ours.entry_bar == ours.exit_bar)
        until = int(at_once[0]) if at_once.size else len(ours)
        given.assert_same(ours.first(until), vectorbt_peer.closed(made, k).first(until))
        same, total = same + until, total + len(ours)
    return same, total
