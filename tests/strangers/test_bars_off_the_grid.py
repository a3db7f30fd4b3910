"""Bars that do not begin on the grid of the slower ones: hours at :30, days at 16:00, weeks from Sunday, calendar months."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coinswarm import backtest, errors, fitness, play
from coinswarm.backtest.run import Backtest
from coinswarm.indicators import features
from coinswarm.kernels.codes import Outcome
from coinswarm.market import files, quality, splits
from coinswarm.market.bars import Bars
from coinswarm.market.catalog import Catalog
from coinswarm.market.resample import resample
from coinswarm.market.timeframe import Timeframe
from coinswarm.market.vault import Fence
from coinswarm.validate import lookahead
from tests.unit.market.tapes import tape

HOUR, DAY = 3_600_000, 86_400_000
FIRST = 1_704_067_200_000  # 2024-01-01 00:00, a Monday


def half_hour(cases: Path) -> tuple[play.Play, Bars, Bars]:
    """The play, ETH on the full hour and BTC at :30; BTC doubles between 2024-01-03 23:30 and 2024-01-04 00:30."""
    folder = cases / "lookahead_half_hour"
    names = ("binance_ETH-USDT_1h.csv", "kite_BTC-USDT_1h.csv")
    eth, btc = (files.read(folder / name) for name in names)
    return play.load(folder / "play.yml"), eth, btc


def test_a_day_of_hours_at_half_past_is_known_when_its_last_hour_ends(cases):
    rule, eth, btc = half_hour(cases)
    # the day of 01-03 ends with the bar 23:30 to 00:30; ETH's bar 00:00 to 01:00 is the first that closes after it, so it fills at 01:00
    assert entries(backtest(rule, eth, markets={btc.symbol: btc}))[0] == "2024-01-04T01:00"


def test_the_fast_path_waits_for_that_hour_too(cases):
    rule, eth, btc = half_hour(cases)
    curve, log = fitness.Scorer(rule, eth, markets={btc.symbol: btc}).replay(np.empty(0))
    # bar 73 opens on the fourth day at 01:00; each trade is held for five bars, and the next one is decided on the last of them
    assert log[:, Outcome.ENTRY_BAR].tolist() == [73, 79, 85, 91]
    assert curve == pytest.approx(backtest(rule, eth, markets={btc.symbol: btc}).equity)


def test_the_look_ahead_command_passes_it(cases):
    rule, eth, btc = half_hour(cases)
    assert lookahead.check(rule, eth, markets={btc.symbol: btc}).passed


def entries(result: Backtest) -> list[str]:
    return [str(np.datetime64(int(result.bars.ts[bar]), "ms").astype("datetime64[m]")) for bar in result.trades["entry_bar"]]


def test_slow_bars_that_would_hold_the_future_are_not_stored(cases, tmp_path):
    _, _, btc = half_hour(cases)
    with (
        Catalog.open(tmp_path / "bars.duckdb") as catalog,
        pytest.raises(errors.InvalidArgument, match=r"up to 2024-01-03 00:30:00 in the bar that ends 2024-01-03 00:00:00"),
    ):
        catalog.put(resample(btc, Timeframe.parse("1d")), source="resampled")


def test_a_day_of_days_that_begin_at_four_is_the_exchange_s_own():
    days = tape(40, "1d", start=FIRST + 16 * HOUR)
    # the week from Monday 00:00 holds seven days that begin in it; the last of them, of Sunday 16:00, ends on Monday 16:00
    weeks = resample(days, Timeframe.parse("1w"))
    assert weeks.ts[0] == FIRST + 7 * DAY
    assert weeks.close_ts[0] == FIRST + 14 * DAY + 16 * HOUR
    assert weeks.close[0] == days.close[13]


def test_weeks_that_begin_on_sunday_are_known_a_week_later():
    weeks = tape(30, "1w", start=FIRST - DAY)
    hours = tape(24 * 60, "1h", seed=3)
    shown = features.compute("price", {}, hours, market=replace(weeks, symbol="ETH/USDT"), timeframe_ms=7 * DAY).outputs["value"]
    # the week from Sunday 2023-12-31 ends on 2024-01-07 00:00: the 144th hour of the year is the first that closes then
    assert np.isnan(shown[: 6 * 24 - 1]).all()
    assert shown[6 * 24 - 1] == weeks.close[0]


def test_two_such_weeks_are_known_when_the_second_ends():
    weeks = tape(30, "1w", start=FIRST - DAY)
    pairs = resample(weeks, Timeframe.parse("2w"))
    ends = weeks.close_ts[np.searchsorted(weeks.ts, pairs.ts + 14 * DAY) - 1]
    assert pairs.close_ts.tolist() == ends.tolist()


@pytest.mark.parametrize("first", ["2023-01", "2023-02", "2023-04", "2023-06", "2023-12"])
@pytest.mark.parametrize("shift", [0, -8 * HOUR])
def test_bars_of_calendar_months_are_refused_by_name(first, shift):
    months = np.arange(np.datetime64(first), np.datetime64(first) + 4).astype("datetime64[ms]").astype(np.int64) + shift
    for days in (28, 30, 31):
        with pytest.raises(errors.BadTimestamps, match="months have no one length"):
            quality.require(replace(tape(4, f"{days}d"), ts=months))


def test_nothing_of_the_searched_part_closes_after_the_cut():
    full, half = tape(400, "1h"), replace(tape(400, "1h", start=FIRST - HOUR // 2), symbol="ETH/USDT")
    inside, outside = splits.holdout([full, half], 0.25)
    for bars in (full, half):
        assert bars[: bars.index_at(inside.end_ts)].close_ts[-1] <= outside.start_ts


def test_a_fence_lets_nothing_through_that_is_known_after_it():
    hours = tape(400, "1h", start=FIRST + HOUR // 2)
    days, fence = resample(hours, Timeframe.parse("1d")), Fence(campaign="c", ts=FIRST + 5 * DAY)
    assert fence.cut(hours).close_ts[-1] == fence.ts - HOUR // 2
    # the day that ends with the fence holds a bar that ends half an hour after it
    assert fence.cut(days).ts[-1] == FIRST + 3 * DAY
