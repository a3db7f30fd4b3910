from __future__ import annotations

from collections.abc import Callable

import polars as pl

from coinswarm.report import trades


def test_sides_are_read_from_words_and_from_signs(simulate: Callable[..., object]) -> None:
    frame = simulate(600, 4).trades
    words = frame.with_columns(side=pl.when(pl.col("side") > 0).then(pl.lit("long")).otherwise(pl.lit("short")))
    assert trades.read(words).side.tolist() == trades.read(frame).side.tolist() == [1, -1, 1, -1]


def test_times_are_read_from_milliseconds_and_from_dates_of_any_unit(simulate: Callable[..., object]) -> None:
    frame = simulate(600, 3).trades
    plain = frame.with_columns(pl.col("entry_time", "exit_time").dt.epoch("ms"))
    zoned = frame.with_columns(pl.col("entry_time", "exit_time").dt.cast_time_unit("us").dt.replace_time_zone("UTC"))
    assert trades.read(plain).entry_ms.tolist() == trades.read(frame).entry_ms.tolist() == trades.read(zoned).entry_ms.tolist()


def test_a_position_that_is_still_open_is_not_closed(simulate: Callable[..., object]) -> None:
    last = pl.col("side").cum_count() == 3
    frame = simulate(600, 3).trades.with_columns(
        exit_time=pl.when(~last).then("exit_time"),
        exit_price=pl.when(~last).then("exit_price"),
        exit_reason=pl.when(~last).then("exit_reason"),
    )
    found = trades.read(frame)
    assert found.closed.tolist() == [True, True, False]
    assert found.exit_ms[2] == -1
    assert found.reason[2] == ""


def test_no_trades_are_read_as_no_trades(simulate: Callable[..., object]) -> None:
    assert len(trades.read(simulate(600, 0).trades)) == 0
