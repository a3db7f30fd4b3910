"""What holds for every play on every tape: money is conserved, the future changes nothing, and units do not matter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinswarm.config import Account, Costs
from coinswarm.market.bars import Bars
from coinswarm.metrics.figures import FIGURES
from coinswarm.play import expressions, model
from tests.unit.backtest import plays

percent = st.sampled_from([0.5, 1.0, 2.0, 5.0, 20.0])
RANGE = expressions.Arithmetic("-", expressions.Column("high"), expressions.Column("low"))
MEAN_BELOW, MEAN_ABOVE = expressions.Shift(expressions.Column("low"), 1.0), expressions.Shift(expressions.Column("high"), 1.0)


@st.composite
def walks(draw):
    """Bars of a random walk with jumps between bars, flat stretches, gaps in time, zero volume and funding."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    size = draw(st.integers(3, 120))
    scale = draw(st.sampled_from([0.0, 0.002, 0.02, 0.2]))
    close = 100 * np.exp(np.cumsum(rng.normal(0, scale, size)))
    opening = np.concatenate([[100.0], close[:-1]]) * np.exp(rng.normal(0, scale / 3, size) * (rng.random(size) < 0.3))
    high = np.maximum(opening, close) * np.exp(np.abs(rng.normal(0, scale, size)))
    low = np.minimum(opening, close) * np.exp(-np.abs(rng.normal(0, scale, size)))
    volume = rng.choice([0.0, 1.0, 2.0, 3.0, 10.0, 11.0, 12.0, 50.0, 500.0], size)
    ts = np.cumsum(rng.choice([1, 1, 1, 1, 30], size)).astype(np.int64) * plays.MINUTE.ms
    times = ts[rng.random(size) < 0.2]
    return Bars(
        symbol="BTC/USDT:USDT", timeframe=plays.MINUTE, ts=ts, open=opening, high=high, low=low, close=close, volume=volume,
        funding_ts=times + 3, funding_rate=rng.normal(0, 0.002, times.size),
    )  # fmt: skip


stops = st.none() | st.one_of(
    st.builds(model.Stop, kind=st.sampled_from([model.StopKind.PERCENT]), value=percent),
    st.builds(model.Stop, kind=st.just(model.StopKind.ATR), value=percent, level=st.just(RANGE)),
    st.builds(
        model.Stop, kind=st.just(model.StopKind.STRUCTURE), value=percent, level=st.just(MEAN_BELOW), level_short=st.just(MEAN_ABOVE)
    ),
    st.builds(model.Stop, kind=st.just(model.StopKind.TRAILING_PERCENT), value=percent, activation_pct=st.none() | percent),
    st.builds(
        model.Stop, kind=st.just(model.StopKind.TRAILING_ATR), value=percent, level=st.just(RANGE), activation_pct=st.none() | percent
    ),
)
targets = st.none() | st.one_of(
    st.builds(model.Target, kind=st.just(model.TargetKind.PERCENT), value=percent),
    st.builds(model.Target, kind=st.just(model.TargetKind.ATR), value=percent, level=st.just(RANGE)),
    st.builds(model.Target, kind=st.just(model.TargetKind.R_MULTIPLE), value=percent),
)
limits = st.none() | st.builds(
    model.Limit,
    offset_pct=st.sampled_from([0.0, 0.1, 1.0]),
    time_in_force=st.sampled_from(model.TimeInForce),
    expire_after_bars=st.sampled_from([0.0, 1.0, 3.0]),
)
risks = st.builds(
    model.Risk,
    stop=stops,
    target=targets,
    break_even=st.none() | st.builds(model.BreakEven, activation_pct=percent, offset_pct=st.sampled_from([0.0, 0.1])),
    sizing=st.builds(model.Sizing, model=st.sampled_from(model.SizingModel), value=st.sampled_from([1.0, 30.0, 100.0])),
    limit=limits,
    max_hold_bars=st.none() | st.sampled_from([1.0, 4.0]),
)
policies = st.fixed_dictionaries(
    {"reverse": st.booleans(), "exit_mode": st.sampled_from(model.ExitMode), "max_gap_ms": st.sampled_from([None, plays.MINUTE.ms])}
)
costs = st.builds(
    Costs,
    taker_bps=st.sampled_from([0.0, 5.0, 100.0]),
    maker_bps=st.sampled_from([0.0, 2.0]),
    slippage_bps=st.sampled_from([0.0, 2.0, 50.0]),
    slippage_volatility=st.sampled_from([0.0, 0.5]),
    slippage_participation=st.sampled_from([0.0, 0.1]),
    max_participation=st.sampled_from([None, 0.5]),
    lot_step=st.sampled_from([0.0, 0.01]),
)
accounts = st.builds(
    Account,
    starting_equity=st.just(1000.0),
    max_leverage=st.sampled_from([1.0, 3.0, 50.0]),
    max_drawdown_pct=st.sampled_from([20.0, 100.0]),
    min_notional=st.sampled_from([0.0, 10.0]),
)


@st.composite
def runs(draw):
    """A play with its tape, costs and account."""
    risk = draw(risks)
    if risk.stop is None and risk.sizing.model is model.SizingModel.RISK_BASED:
        risk = replace(risk, sizing=model.Sizing())
    if risk.stop is None and risk.target is not None and risk.target.kind is model.TargetKind.R_MULTIPLE:
        risk = replace(risk, target=None)
    return plays.play(risk, **draw(policies)), draw(walks()), {"costs": draw(costs), "account": draw(accounts)}


@given(runs())
@settings(max_examples=150, deadline=None)
def test_money_is_conserved(case):
    result = plays.run(case[0], case[1], **case[2])
    start = result.account.starting_equity
    assert result.equity[-1] - start == pytest.approx(result.trades["pnl"].sum(), abs=1e-7)
    assert (result.trades["fees"] >= 0).all()
    assert (result.trades["slippage"] >= 0).all()
    assert tuple(result.metrics) == FIGURES
    assert not any(np.isnan(value) for value in result.metrics.values())


@given(runs())
@settings(max_examples=100, deadline=None)
def test_trades_follow_each_other_and_stay_in_their_bars(case):
    result = plays.run(case[0], case[1], **case[2])
    left = -1
    for row in result.trades.rows(named=True):
        assert row["entry_bar"] >= max(left, result.start + 1)
        left = len(result.bars) if row["exit_bar"] is None else row["exit_bar"]
        assert left >= row["entry_bar"]
        assert row["mae"] <= 0 <= row["mfe"]
    held = np.zeros(len(result.bars), dtype=bool)
    for row in result.trades.rows(named=True):
        held[row["entry_bar"] : row["exit_bar"]] = True
    assert (held == (result.position != 0)).all()


@given(runs(), st.integers(2, 100))
@settings(max_examples=100, deadline=None)
def test_bars_that_are_cut_off_change_no_earlier_trade(case, cut):
    played, bars, terms = case
    cut = min(cut, len(bars))
    if cut < 4:
        return
    whole, part = plays.run(played, bars, **terms), plays.run(played, bars[:cut], **terms)
    closed = part.trades.filter(part.trades["exit_reason"] != "open")
    assert closed.rows() == whole.trades.rows()[: closed.height]
    assert (part.equity == whole.equity[:cut]).all()


@given(runs(), st.sampled_from([2.0**-7, 2.0**5]))
@settings(max_examples=100, deadline=None)
def test_prices_in_another_unit_give_the_same_returns(case, factor):
    played, bars, terms = case
    terms = terms | {"costs": terms["costs"].model_copy(update={"lot_step": 0.0})}
    other = replace(bars, **{name: getattr(bars, name) * factor for name in ("open", "high", "low", "close")}, volume=bars.volume)
    if terms["costs"].slippage_participation or terms["costs"].max_participation:
        terms = terms | {"costs": terms["costs"].model_copy(update={"slippage_participation": 0.0, "max_participation": None})}
    one, two = plays.run(played, bars, **terms), plays.run(played, other, **terms)
    assert one.trades["return"].to_list() == two.trades["return"].to_list()
    assert one.metrics == two.metrics


@given(walks(), st.sampled_from([1.0, 2.0, 5.0]), st.sampled_from([1.0, 3.0, 8.0]))
@settings(max_examples=60, deadline=None)
def test_short_in_a_mirrored_market_earns_what_the_long_does(bars, stop, target):
    """Prices mirrored at the entry's open, levels in points, no costs: the first trades are images of each other."""
    risk = model.Risk(
        stop=model.Stop(kind=model.StopKind.POINTS, value=stop),
        target=model.Target(kind=model.TargetKind.POINTS, value=target),
        sizing=model.Sizing(model=model.SizingModel.FIXED_NOTIONAL, value=10.0),
    )
    volume = np.full(len(bars), 50.0)
    volume[0] = plays.ENTER_LONG
    bars = replace(bars, volume=volume, funding_rate=np.zeros_like(bars.funding_rate))
    axis = 2 * bars.open[1]
    if bars.high.max() >= axis:
        return
    short_volume = np.where(volume == plays.ENTER_LONG, plays.ENTER_SHORT, volume)
    mirrored = replace(
        bars, open=axis - bars.open, high=axis - bars.low, low=axis - bars.high, close=axis - bars.close, volume=short_volume
    )
    account = Account(starting_equity=1000.0, min_notional=0.0, maintenance_margin_rate=0.0)
    one, two = (plays.trade(plays.run(plays.play(risk), tape, account=account)) for tape in (bars, mirrored))
    assert (one["exit_reason"], one["exit_bar"], one["side"], two["side"]) == (two["exit_reason"], two["exit_bar"], "long", "short")
    assert one["pnl"] == pytest.approx(two["pnl"], abs=1e-9)
