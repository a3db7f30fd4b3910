"""Trade for trade equal to vectorbt (Rust engine) on real bars, where the rules coincide.

They coincide in: decisions filled at the next open (its signals moved by one bar, `price` = open), the whole account in one position, a
fee of each fill's notional, slippage of market fills, stops and targets in percent of the fill (`stop_entry_price="fillprice"`), a stop
or target that the open is beyond filled at the open, otherwise at its level (`stop_exit_price="stoplimit"`), the stop before the target
when a bar reaches both, and no entry decided before the bar in which the last position ended.

They do not coincide in, and the cases leave out: a stop or target reached within the entry bar (it looks from the next bar on), an exit
signal whose bar also reaches a level (it takes the level first, though the signal fills at the open), entry and exit on one bar, slippage
of stops (`stoplimit` has none), fees of makers, trailing from the close, liquidation, funding, and margin.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.oracles import given

pytest.importorskip("vectorbt")
pytest.importorskip("vectorbt_rust")
from tests.oracles.peers import vectorbt_peer


def same_as_vectorbt(case: given.Given) -> given.Trades:
    case, dropped = given.without(case, vectorbt_peer.unlike)
    ours = given.reference(case)
    assert len(ours) > 10 * dropped
    given.fast_agrees(case, ours)
    given.assert_same(ours, vectorbt_peer.trades(case))
    return ours


def test_signal_exits_are_the_same(data_dir: Path) -> None:
    assert len(same_as_vectorbt(given.crossings(data_dir, 10, 50, stop=None, target=None, signal_exits=True))) > 900


def test_signal_exits_with_slippage_are_the_same(data_dir: Path) -> None:
    assert len(same_as_vectorbt(given.crossings(data_dir, 20, 100, stop=None, target=None, signal_exits=True, slippage=0.0003))) > 400


def test_stops_alone_are_the_same(data_dir: Path) -> None:
    assert len(same_as_vectorbt(given.crossings(data_dir, 10, 50, stop=0.004, target=None, signal_exits=True))) > 900


@pytest.mark.parametrize(("stop", "target"), [(0.01, 0.02), (0.02, 0.01), (0.003, 0.006)])
def test_stops_and_targets_are_the_same(data_dir: Path, stop: float, target: float) -> None:
    assert len(same_as_vectorbt(given.crossings(data_dir, 10, 50, stop=stop, target=target, signal_exits=False))) > 300


def test_stops_targets_and_signals_together_are_the_same(data_dir: Path) -> None:
    assert len(same_as_vectorbt(given.crossings(data_dir, 8, 34, stop=0.005, target=0.007, signal_exits=True))) > 900
