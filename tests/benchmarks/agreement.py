"""Before anything is timed: the same trades, here and there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coinswarm import backtest, play
from coinswarm.backtest.decisions import decide
from coinswarm.kernels.codes import Outcome, Reason
from coinswarm.types import FloatArray
from tests.benchmarks.workloads import FEE, Workload
from tests.oracles import given
from tests.oracles.peers import backtesting_peer, raptorbt_peer, vectorbt_peer


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """What was compared: trades that are the same, and entries left out because the rules differ there."""

    n_variants: int
    n_trades: int
    n_left_out: int

    def __str__(self) -> str:
        left_out = f", {self.n_left_out} left out" if self.n_left_out else ""
        return f"{self.n_trades:,} trades of {self.n_variants} variant{'s' if self.n_variants > 1 else ''}{left_out}"


def with_reference(workload: Workload, n_variants: int) -> Agreement:
    """The fast path and the readable simulator: every trade and every figure of the first variants."""
    scorer, n_trades = workload.fresh(), 0
    for genome, score in zip(workload.genomes[:n_variants], scorer.score(workload.genomes[:n_variants]), strict=True):
        slow = backtest(scorer.play, workload.bars, genome=genome, costs=workload.costs)
        _, log = scorer.replay(genome)
        trades, log = given.closed(slow), log[log[:, Outcome.REASON] != Reason.OPEN]
        np.testing.assert_array_equal(log[:, Outcome.ENTRY_BAR], trades.entry_bar)
        np.testing.assert_array_equal(log[:, Outcome.EXIT_BAR], trades.exit_bar)
        np.testing.assert_allclose(log[:, Outcome.RETURN], trades.result, rtol=1e-9, atol=1e-12)
        for name, expected in slow.metrics.items():
            np.testing.assert_allclose(score[name], expected, rtol=1e-9, atol=1e-9, err_msg=name)
        n_trades += len(trades)
    return Agreement(n_variants=n_variants, n_trades=n_trades, n_left_out=0)


def as_given(workload: Workload, genome: FloatArray) -> given.Given:
    """One long-only variant with percent levels as signals ready-made by the readable simulator."""
    fixed = play.fix(play.loads(workload.text), genome)
    wanted = decide(fixed, workload.bars)
    assert not wanted.entry_short.any()
    exits = wanted.exit_long if fixed.policy.exit_mode.value == "first_hit" else np.zeros_like(wanted.exit_long)
    return given.Given(
        bars=workload.bars, entries=wanted.entry_long, exits=exits, stop=float(fixed.risk.stop.value) / 100.0,
        target=float(fixed.risk.target.value) / 100.0, fee=FEE,
    )  # fmt: skip


def with_vectorbt(workload: Workload, n_variants: int) -> Agreement:
    """Every trade of the first variants, entries left out where vectorbt's rules differ (tests/oracles/test_peer_vectorbt.py)."""
    return _with(workload, n_variants, vectorbt_peer)


def with_raptorbt(workload: Workload, n_variants: int) -> Agreement:
    """Every trade of the first variants, entries left out where raptorbt's rules differ (tests/oracles/test_peer_raptorbt.py)."""
    return _with(workload, n_variants, raptorbt_peer)


def with_backtesting(workload: Workload, n_variants: int) -> Agreement:
    """Every trade of the first variants; nothing is left out."""
    return _with(workload, n_variants, backtesting_peer)


def _with(workload: Workload, n_variants: int, peer: object) -> Agreement:
    n_trades = n_left_out = 0
    for genome in workload.genomes[:n_variants]:
        case, dropped = as_given(workload, genome), 0
        if hasattr(peer, "unlike"):
            case, dropped = given.without(case, peer.unlike)
        asked = peer.rearmed(case, given.outcomes(case)) if hasattr(peer, "rearmed") else case
        ours, theirs = given.reference(case), peer.trades(asked)
        given.assert_same(ours, theirs)
        n_trades, n_left_out = n_trades + len(ours), n_left_out + dropped
    return Agreement(n_variants=n_variants, n_trades=n_trades, n_left_out=n_left_out)
