"""Money: funding, equity at closes, the trade list and the figures that come from them."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from coinswarm.config import Account, Costs
from coinswarm.metrics.figures import FIGURES
from coinswarm.play import model
from tests.unit.backtest.plays import ACCOUNT, ENTER_LONG, ENTER_SHORT, EXIT, MINUTE, flat, play, run, stop, tape, target, trade


def funded(bars_at, rates, *candles, signals):
    ts = np.array([int(bar * MINUTE.ms) for bar in bars_at], dtype=np.int64)
    return tape(*candles, signals=signals, funding_ts=ts, funding_rate=np.array(rates, dtype=float))


def test_funding_is_paid_on_the_open_of_its_bar_after_the_entry_bar_up_to_the_exit_bar():
    bars = funded([1, 2, 3, 4], [0.01] * 4, *[flat(100)] * 6, signals={0: ENTER_LONG, 2: EXIT})
    found = trade(run(play(), bars))
    assert (found["exit_bar"], found["funding"]) == (3, pytest.approx(20.0))
    assert found["pnl"] == pytest.approx(-20.0)


def test_shorts_receive_what_longs_pay():
    bars = funded([2], [0.01], *[flat(100)] * 4, signals={0: ENTER_SHORT})
    result = run(play(), bars)
    assert trade(result)["funding"] == pytest.approx(-10.0)
    assert result.equity.tolist() == pytest.approx([1000, 1000, 1010, 1010])
    assert result.metrics["funding"] == pytest.approx(-0.01)


def test_funding_times_are_rounded_to_the_nearest_minute():
    early, late = (funded([2 + jitter], [0.01], *[flat(100)] * 4, signals={0: ENTER_LONG, 1: EXIT}) for jitter in (-0.001, 0.001))
    assert trade(run(play(), early))["funding"] == trade(run(play(), late))["funding"] == pytest.approx(10.0)


def test_stop_in_the_bar_of_the_funding_still_pays_it():
    bars = funded([2], [0.01], flat(100), flat(100), (100, 100, 90, 90), flat(90), signals={0: ENTER_LONG})
    found = trade(run(play(model.Risk(stop=stop())), bars))
    assert (found["funding"], found["pnl"]) == (pytest.approx(10.0), pytest.approx(-30.0))


def test_funding_during_a_gap_is_paid_in_the_next_bar_that_exists():
    bars = tape(
        *[flat(100)] * 4,
        signals={0: ENTER_LONG},
        gaps={2: 5},
        funding_ts=np.array([3, 4], dtype=np.int64) * MINUTE.ms,
        funding_rate=np.array([0.01, 0.02]),
    )
    assert run(play(), bars).equity.tolist() == pytest.approx([1000, 1000, 970, 970])


def test_equity_is_cash_plus_the_position_at_the_close():
    costs = Costs(taker_bps=100, maker_bps=0, slippage_bps=0)
    bars = tape(flat(100), (100, 111, 100, 110), flat(120), flat(120), signals={0: ENTER_LONG, 1: EXIT})
    result = run(play(), bars, costs=costs)
    qty = 1000 / 1.01 / 100
    assert result.equity.tolist() == pytest.approx([1000, 1000 + 9 * qty, 1000 + 20 * qty - qty - 1.2 * qty, 1000 + 17.8 * qty])
    assert result.position.tolist() == pytest.approx([0, qty, 0, 0])


def test_open_position_is_marked_and_not_counted():
    result = run(play(), tape(flat(100), flat(100), flat(90), signals={0: ENTER_SHORT}))
    found = trade(result)
    assert (found["exit_reason"], found["exit_time"], found["exit_bar"], found["exit_price"]) == ("open", None, None, 90.0)
    assert (result.metrics["n_trades"], result.metrics["n_open"], found["pnl"]) == (0, 1, pytest.approx(100))
    assert result.metrics["turnover"] == pytest.approx(1000 / np.mean([1000, 1000, 1100]) / (3 / MINUTE.periods_per_year))


def test_excursions_are_the_worst_and_best_price_of_the_bars_held():
    risk = model.Risk(stop=stop(value=5.0), target=target(value=6.0))
    stopped = trade(run(play(risk), tape(flat(100), (100, 103, 98, 101), (101, 105, 94, 95), flat(95), signals={0: ENTER_LONG})))
    assert (stopped["mae"], stopped["mfe"]) == (pytest.approx(-0.05), pytest.approx(0.03))
    taken = trade(run(play(risk), tape(flat(100), (100, 103, 98, 101), (101, 109, 96, 108), flat(108), signals={0: ENTER_LONG})))
    assert (taken["mae"], taken["mfe"]) == (pytest.approx(-0.04), pytest.approx(0.06))
    opened = trade(run(play(risk), tape(flat(100), (100, 101, 97, 100), (100, 104, 100, 100), signals={0: ENTER_SHORT})))
    assert (opened["mae"], opened["mfe"]) == (pytest.approx(-0.04), pytest.approx(0.03))


def test_gaps_longer_than_allowed_are_counted_and_close_nothing():
    bars = tape(*[flat(100)] * 5, signals={0: ENTER_LONG}, gaps={1: 9, 2: 5, 3: 6, 4: 7})
    result = run(play(max_gap_ms=5 * MINUTE.ms), bars)
    assert (result.metrics["n_gaps"], trade(result)["exit_reason"]) == (2, "open")
    assert run(play(), bars).metrics["n_gaps"] == 0


def test_costs_are_told_as_fractions_of_the_starting_equity():
    costs = Costs(taker_bps=10, maker_bps=0, slippage_bps=10)
    result = run(play(), tape(*[flat(100)] * 4, signals={0: ENTER_LONG, 1: EXIT}), costs=costs)
    assert result.metrics["fees"] == pytest.approx(result.trades["fees"].sum() / 1000)
    assert result.metrics["slippage"] == pytest.approx(result.trades["slippage"].sum() / 1000)
    assert result.metrics["total_return"] == pytest.approx(-0.004, rel=0.01)


def test_every_figure_is_there_in_order():
    assert tuple(run(play(), tape(*[flat(100)] * 3)).metrics) == FIGURES


def test_liquidations_are_counted_and_turn_over_at_their_price():
    account = Account(starting_equity=1000, max_leverage=10, min_notional=0, maintenance_margin_rate=0)
    result = run(play(), tape(flat(100), flat(100), (100, 100, 90, 90), flat(90), signals={0: ENTER_LONG}), account=account)
    assert result.metrics["n_liquidated"] == 1
    assert result.metrics["turnover"] == pytest.approx((10_000 + 9_000) / 500 / (4 / MINUTE.periods_per_year))


def pinned_tape(n=600):
    """Bars of a fixed arithmetic pattern: no random generator, no transcendental function, so the same numbers on every machine."""
    steps = (np.arange(n) * 7919 % 101 - 50) / 60 + (np.arange(n) // 40 % 2 - 0.5) / 3
    close = 100 + np.cumsum(steps)
    opening = np.concatenate([[100.0], close[:-1] + (np.arange(n - 1) * 31 % 7 - 3) / 50])
    reach = (np.arange(n) * 13 % 17) / 40
    candles = zip(opening, np.maximum(opening, close) + reach, np.minimum(opening, close) - reach, close, strict=True)
    words = {3: ENTER_LONG, 12: ENTER_SHORT, 23: EXIT}
    signals = {bar: words[bar % 29] for bar in range(n) if bar % 29 in words}
    return tape(*candles, signals=signals, funding_ts=np.arange(0, n, 7) * MINUTE.ms, funding_rate=np.full(-(-n // 7), 0.0001))


def digest(frame):
    """SHA-256 of a trade list, numbers to nine digits."""
    rows = ["|".join(f"{value:.9g}" if isinstance(value, float) else str(value) for value in row) for row in frame.rows()]
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


@pytest.mark.parametrize(
    ("risk", "policy", "height", "pinned"),
    [
        (
            model.Risk(stop=stop(value=6.0), target=target(model.TargetKind.R_MULTIPLE, 1.5)),
            {},
            27,
            "4e6ed28bdb26ae2e00e1dd07b70a9fbcafc62f354a16b377af968b337dff1261",
        ),
        (
            model.Risk(stop=stop(model.StopKind.TRAILING_PERCENT, 6.0), max_hold_bars=10.0),
            {"reverse": True},
            42,
            "d6fc23d29a1b49d82fcfb4548677fcfa34f2a7d70c1d978cdf56793a6319a35b",
        ),
        (
            model.Risk(stop=stop(value=8.0), limit=model.Limit(offset_pct=0.4, expire_after_bars=5.0)),
            {},
            20,
            "9d6c8911d47956ef88c0df03e03b6164eeae71c6447d9d710e9f5e8fbcf7ecd6",
        ),
    ],
    ids=["stop and target", "trailing with reversal", "limit"],
)
def test_trades_of_the_fixed_tape_are_these(risk, policy, height, pinned):
    account = ACCOUNT.model_copy(update={"max_leverage": 3.0})
    found = run(play(risk, **policy), pinned_tape(), account=account, costs=Costs(slippage_participation=0.01)).trades
    assert found.height == height
    assert digest(found) == pinned
