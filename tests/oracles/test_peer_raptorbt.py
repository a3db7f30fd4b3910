"""Trade for trade equal to raptorbt on real bars, where the rules coincide.

They coincide in: decisions filled at the next open (`fill_timing="next_bar_open"`), the whole account in one position, a fee of each
fill's notional, stops and targets in percent of the fill that may fill within the entry bar, a stop that the open is beyond filled at the
open, otherwise levels filled at their price, the stop before the target when a bar reaches both, and a signal's exit at the open before
any level of that bar.

They do not coincide in, and the cases leave out: a target that the open is already beyond (it fills at the target, here at the open), an
entry decided at the close of the bar in which a level ended the position (it takes none), entry and exit on one bar (it stays in), fees
of makers, liquidation, funding. Its array runner drops every entry between an entry and the next exit signal, even when a stop has ended
the position in between; so the cases give it an exit signal at the close of each bar in which a level has ended one of our trades.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.oracles import given

pytest.importorskip("raptorbt")
from tests.oracles.peers import raptorbt_peer


def same_as_raptorbt(case: given.Given) -> given.Trades:
    case, dropped = given.without(case, raptorbt_peer.unlike)
    ours = given.reference(case)
    assert len(ours) > 10 * dropped
    given.fast_agrees(case, ours)
    given.assert_same(ours, raptorbt_peer.trades(raptorbt_peer.rearmed(case, given.outcomes(case))))
    return ours


def test_signal_exits_are_the_same(data_dir: Path) -> None:
    assert len(same_as_raptorbt(given.crossings(data_dir, 10, 50, stop=None, target=None, signal_exits=True))) > 1000


@pytest.mark.parametrize(("stop", "target"), [(0.01, 0.02), (0.02, 0.01), (0.003, 0.006), (0.001, 0.001)])
def test_stops_and_targets_are_the_same(data_dir: Path, stop: float, target: float) -> None:
    assert len(same_as_raptorbt(given.crossings(data_dir, 10, 50, stop=stop, target=target, signal_exits=False))) > 300


def test_stops_targets_and_signals_together_are_the_same(data_dir: Path) -> None:
    assert len(same_as_raptorbt(given.crossings(data_dir, 8, 34, stop=0.005, target=0.007, signal_exits=True))) > 1000
