"""What became of the trades: money that adds up, states that were known, and nothing of the future."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import coinswarm as cs
from coinswarm import chaos
from coinswarm.chaos import markets, naming, running, summary
from coinswarm.config import Costs
from coinswarm.indicators import features
from coinswarm.kernels.codes import Reason
from coinswarm.ledger.chaos import COLUMNS, ChaosTrades, concatenate, empty, figures
from tests.unit.chaos.worlds import market, with_funding

BARS = with_funding(market(1500))
OTHER = market(1500, "BBB/USDT")
NAMED = ("momentum(3)@1h", "bbands(20).bandwidth", "BBB/USDT:roc(5)")
TRADES = chaos(BARS, 3000, hold="5m..4h", features=NAMED, others={"BBB/USDT": OTHER}, seed=4)


def test_gross_less_all_that_was_paid_is_net() -> None:
    assert TRADES.gross - TRADES.fees - TRADES.slippage - TRADES.funding == pytest.approx(TRADES.net, abs=1e-15)
    assert (TRADES.fees > 0).all()
    assert (TRADES.slippage > 0).all()


def test_without_costs_net_is_the_move_of_the_open_times_the_side() -> None:
    bars = replace(BARS, funding_ts=BARS.funding_ts[:0], funding_rate=BARS.funding_rate[:0])
    free = chaos(bars, 500, hold="5m..4h", costs=Costs(taker_bps=0, slippage_bps=0))
    entry, leave = free.decision + 1, free.decision + 1 + free.hold
    assert free.net == pytest.approx(free.side * (bars.open[leave] / bars.open[entry] - 1), abs=1e-12)
    assert np.array_equal(free.gross, free.net)
    assert np.array_equal(free.entry_ts, bars.ts[entry])
    assert np.array_equal(free.exit_ts, bars.ts[leave])


def test_long_and_short_pay_each_other_the_funding() -> None:
    free = Costs(taker_bps=0, slippage_bps=0)
    long, short = (chaos(BARS, 800, hold="5m..4h", side=side, costs=free, seed=2) for side in ("long", "short"))
    assert long.funding == pytest.approx(-short.funding, abs=1e-15)
    assert np.abs(long.funding).max() > 0


@pytest.mark.parametrize("name", [*naming.BASE, *NAMED])
def test_the_state_is_what_was_known_at_the_close_of_the_decision_bar(name: str) -> None:
    feature = naming.read(name)
    computed = features.compute(
        feature.indicator, dict(feature.params), BARS, timeframe_ms=feature.timeframe_ms, market=OTHER if feature.market else None
    ).outputs[feature.output]
    assert np.array_equal(TRADES.feature(str(feature)), computed[TRADES.decision], equal_nan=True)
    later = TRADES.exit_state[:, TRADES.features.index(str(feature))]
    assert np.array_equal(later, computed[TRADES.decision + TRADES.hold].astype(np.float32), equal_nan=True)


def test_nothing_of_a_trade_changes_when_the_bars_after_its_exit_do() -> None:
    cut = 900
    rng = np.random.default_rng(0)
    noise = {
        name: np.r_[getattr(BARS, name)[:cut], rng.uniform(1, 2, len(BARS) - cut)] for name in ("open", "high", "low", "close", "volume")
    }
    scrambled = chaos(replace(BARS, **noise), 3000, hold="5m..4h", features=NAMED, others={"BBB/USDT": OTHER}, seed=4)
    before = TRADES.decision + 1 + TRADES.hold < cut
    assert 0.3 < before.mean() < 0.9
    assert chaos_equal(TRADES.select(before), scrambled.select(before))


def chaos_equal(first: ChaosTrades, second: ChaosTrades) -> bool:
    columns = ((getattr(first, name), getattr(second, name)) for name in ("number", *COLUMNS))
    return first.frame == second.frame and all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in columns)


def test_the_state_at_the_decision_does_not_change_when_the_next_bar_does() -> None:
    row = int(np.argmax(TRADES.decision))
    last = int(TRADES.decision[row])
    known = markets.describe(BARS[: last + 1], naming.described_by(NAMED), {"BBB/USDT": OTHER[: last + 1]}).state[last]
    assert np.array_equal(known, TRADES.state[row], equal_nan=True)


def test_a_short_whose_price_doubles_loses_its_margin() -> None:
    rise = np.where(np.arange(400) < 200, 1.0, 3.0)
    bars = market(400)
    columns = {name: np.r_[getattr(bars, name)] * rise for name in ("open", "high", "low", "close")}
    trades = chaos(replace(bars, **columns), 2000, side="short", hold="5m..4h")
    lost = trades.reason == Reason.LIQUIDATION
    assert lost.any()
    assert np.array_equal(lost, (trades.decision + 1 < 200) & (trades.decision + 1 + trades.hold > 200))
    assert trades.net[lost] == pytest.approx(-1.0 - 5.5e-4, abs=1e-12)
    assert (trades.exit_ts[lost] == bars.ts[200]).all()


def test_results_in_sigmas_are_missing_where_the_market_did_not_move() -> None:
    still = {name: np.full(300, 5.0) for name in ("open", "high", "low", "close")}
    trades = chaos(replace(market(300), **still), 50, hold="5m..1h")
    assert np.isnan(trades.net_sigmas).all()
    assert TRADES.net_sigmas == pytest.approx(TRADES.net / (TRADES.volatility * np.sqrt(TRADES.hold)))


def test_features_are_computed_once_for_the_same_bars() -> None:
    names = naming.described_by(NAMED)
    assert markets.describe(BARS, names, {"BBB/USDT": OTHER}) is markets.describe(BARS, names, {"BBB/USDT": OTHER})
    assert markets.describe(BARS, names, {"BBB/USDT": OTHER[:900]}) is not markets.describe(BARS, names, {"BBB/USDT": OTHER})


def test_parts_put_together_are_the_whole() -> None:
    parts = [TRADES.select(slice(0, 700)), empty(TRADES.frame), TRADES.select(slice(700, None))]
    assert chaos_equal(concatenate(parts), TRADES)
    assert figures(concatenate(parts)) == figures(TRADES)


def test_a_table_has_words_times_and_features_by_name() -> None:
    table = TRADES.to_polars()
    assert table.height == 3000
    assert set(table["side"].unique()) == {"long", "short"}
    assert table["net"].mean() == pytest.approx(TRADES.net.mean())
    assert table["entry_ts"].dtype == pl.Datetime("ms", "UTC")
    assert {"momentum(3)@1h", "exit momentum(3)@1h", "BBB/USDT:roc(5)"} <= set(table.columns)
    assert table["funding_rate"].null_count() < 3000


def test_a_summary_has_a_line_for_each_market_and_side() -> None:
    groups = summary.by_market_and_side(chaos([market(600), market(900, "BBB/USDT")], 2000, hold="5m..1h"))
    assert [(group.market.split(":")[1], group.side) for group in groups] == [
        ("AAA/USDT", "long"), ("AAA/USDT", "short"), ("BBB/USDT", "long"), ("BBB/USDT", "short"),
    ]  # fmt: skip
    assert sum(group.trades for group in groups) == 2000
    assert summary.by_market_and_side(empty(TRADES.frame)) == ()


def test_a_notebook_calls_it_by_the_packages_name() -> None:
    assert chaos_equal(cs.chaos(BARS, 50, hold="5m..1h"), running.run(BARS, 50, hold="5m..1h"))
