"""A chaos trade is the trade of a play that enters there and holds that long: same fills, costs, funding and result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinswarm import backtest, chaos
from coinswarm.backtest.decisions import decide
from coinswarm.chaos import naming
from coinswarm.config import Account, Costs
from coinswarm.kernels.codes import Reason
from coinswarm.ledger.chaos import ChaosTrades
from coinswarm.market.bars import Bars
from coinswarm.play.expressions import All, Compare, Literal, Output
from coinswarm.play.model import Mode, Play, Policy, Risk, Sizing, SizingModel
from coinswarm.play.space import Space
from tests.unit.chaos.worlds import market, with_funding, without

ACCOUNT = Account(starting_equity=1e9)
WORLDS = {
    "calm": with_funding(market(700)),
    "with gaps": with_funding(without(market(700), 100, 101, 300, 555)),
    "wild": with_funding(market(700, "CCC/USDT", volatility=5.0), rate=0.02),
    "spot": market(700, "DDD/USDT"),
}


@st.composite
def costs(draw: st.DrawFn) -> Costs:
    numbers = {"taker_bps": 30, "slippage_bps": 40, "slippage_volatility": 2, "slippage_participation": 0.5}
    return Costs(**{name: draw(st.sampled_from([0.0, high / 3, high])) for name, high in numbers.items()})


def playing(side: int, hold: int, size: float) -> Play:
    """Enters whenever it is flat, and holds so long."""
    now = All(())
    return Play(
        name="chaos",
        entry_long=now if side > 0 else None,
        entry_short=now if side < 0 else None,
        risk=Risk(sizing=Sizing(model=SizingModel.FIXED_NOTIONAL, value=size), max_hold_bars=float(hold)),
        policy=Policy(mode=Mode.LONG_ONLY if side > 0 else Mode.SHORT_ONLY),
        space=Space(),
    )


def backtested(bars: Bars, trade: ChaosTrades, paid: Costs) -> dict[str, object]:
    """The first trade of a play that may decide from the trade's decision bar on."""
    decision, hold, side = (int(getattr(trade, name)[0]) for name in ("decision", "hold", "side"))
    found = backtest(
        playing(side, hold, float(trade.size[0])), bars, costs=paid, account=ACCOUNT,
        start_ts=int(bars.ts[decision]), end_ts=int(bars.ts[decision + 1 + hold]) + 1,
    )  # fmt: skip
    return dict(found.trades.row(0, named=True))


@given(st.sampled_from(sorted(WORLDS)), costs(), st.integers(0, 2**40), st.sampled_from(["5m..15m", "5m..4h", "1h..10h"]))
@settings(max_examples=25)
def test_a_chaos_trade_is_what_the_reference_simulator_makes_of_it(world: str, paid: Costs, seed: int, hold: str) -> None:
    bars = WORLDS[world]
    trades = chaos(bars, 6, hold=hold, costs=paid, size=(100.0, 50_000.0), seed=seed)
    for row in range(6):
        assert_same_trade(trades.select(slice(row, row + 1)), bars, paid)


def assert_same_trade(trade: ChaosTrades, bars: Bars, paid: Costs) -> None:
    found = backtested(bars, trade, paid)
    notional = found["qty"] * found["entry_price"]
    wanted = {
        "entry_price": found["entry_price"], "exit_price": found["exit_price"], "net": found["return"], "size": notional,
        "fees": found["fees"] / notional, "slippage": found["slippage"] / notional, "funding": found["funding"] / notional,
        "gross": (found["pnl"] + found["fees"] + found["slippage"] + found["funding"]) / notional,
    }  # fmt: skip
    for name, value in wanted.items():
        assert getattr(trade, name)[0] == pytest.approx(value, rel=1e-9, abs=1e-12), name
    assert Reason(int(trade.reason[0])).name.lower() == found["exit_reason"]
    assert [int(trade.entry_ts[0]), int(trade.exit_ts[0])] == [int(bars.ts[found[name]]) for name in ("entry_bar", "exit_bar")]


def test_a_liquidated_short_is_what_the_reference_simulator_makes_of_it() -> None:
    rise = np.where(np.arange(700) < 300, 1.0, 2.5)
    bars = replace(WORLDS["calm"], **{name: getattr(WORLDS["calm"], name) * rise for name in ("open", "high", "low", "close")})
    trades = chaos(bars, 400, hold="1h..10h", side="short")
    lost = trades.select(trades.reason == Reason.LIQUIDATION)
    assert len(lost) > 5
    for row in range(5):
        assert_same_trade(lost.select(slice(row, row + 1)), bars, Costs())


@given(st.sampled_from([*naming.BASE[:-1], "rsi(7)", "momentum(2)@15m", "bbands(20).percent_b"]), st.integers(0, 1000))
@settings(max_examples=25)
def test_a_condition_on_a_recorded_state_is_true_where_a_play_decides(name: str, seed: int) -> None:
    bars = WORLDS["calm"]
    trades = chaos(bars, 50, hold="5m..1h", features=[name], seed=seed)
    read = naming.read(name)
    edge = float(np.median(trades.feature(str(read))))
    play = Play(
        name="pattern", features={"x": read.feature("x")}, space=Space(),
        entry_long=Compare("<=", Output("x", read.output), Literal(edge)), risk=Risk(max_hold_bars=3.0),
    )  # fmt: skip
    decided = decide(play, bars).entry_long
    assert np.array_equal(decided[trades.decision], trades.feature(str(read)) <= edge)
