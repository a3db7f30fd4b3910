"""Trade for trade equal to backtesting.py on real bars, where the rules coincide.

They coincide in: decisions filled at the next open (`trade_on_close=False`), a commission of each fill's notional, stops (its stop
orders) and targets (its limit orders) that may fill within the entry bar, either filled at the open when the open is beyond it and at its
level otherwise, the stop before the target when a bar reaches both, a closing order at the open before any level of that bar, and the
next entry decided on the bar in which the last position ended. Nothing has to be left out of the cases but an entry and an exit on one bar.

They do not coincide in: whole units (the case trades millionths of a coin), levels, which are absolute prices known before the fill (the
case takes them from the open that will fill the order), the spread (not slippage: it moves entries only), fees of makers, its margin
without liquidation prices, and funding, which it has not.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.oracles import given

pytest.importorskip("backtesting")
from tests.oracles.peers import backtesting_peer

N_BARS = 30_000


def same_as_backtesting(case: given.Given) -> given.Trades:
    ours = given.reference(case)
    given.fast_agrees(case, ours)
    given.assert_same(ours, backtesting_peer.trades(case))
    return ours


def test_signal_exits_are_the_same(data_dir: Path) -> None:
    assert len(same_as_backtesting(given.crossings(data_dir, 10, 50, stop=None, target=None, signal_exits=True, n_bars=N_BARS))) > 400


@pytest.mark.parametrize(("stop", "target"), [(0.01, 0.02), (0.02, 0.01), (0.001, 0.001)])
def test_stops_and_targets_are_the_same(data_dir: Path, stop: float, target: float) -> None:
    assert len(same_as_backtesting(given.crossings(data_dir, 10, 50, stop=stop, target=target, signal_exits=False, n_bars=N_BARS))) > 100


def test_stops_targets_and_signals_together_are_the_same(data_dir: Path) -> None:
    assert len(same_as_backtesting(given.crossings(data_dir, 8, 34, stop=0.005, target=0.007, signal_exits=True, n_bars=N_BARS))) > 400
