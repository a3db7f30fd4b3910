"""Candle files of strangers: a column's name is a claim, the other columns are witnesses, and what is doubtful is said or refused."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinswarm import errors
from coinswarm.market import files

MIDNIGHT = 1_704_067_200_000  # 2024-01-01 00:00 UTC
STEP = 300_000
HEAD = "ts,open,high,low,close,volume"
ROWS = [f"{MIDNIGHT + row * STEP},{100 + row},{103 + row},{98 + row},{101 + row},50" for row in range(4)]


class Told(list):
    """What the reader says beside its bars."""

    def __str__(self) -> str:
        return "\n".join(self)


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def written(tmp_path):
    def write(*lines, name="binance_BTC-USDT_5m.csv", end="\n"):
        path = tmp_path / name
        path.write_text("\n".join(lines) + end)
        return path

    return write


# --- the files of `cases` -------------------------------------------------------------------------------------------------


def test_a_close_time_beside_an_open_time_is_not_the_open_time_and_dollars_are_not_coins(cases, told):
    bars = files.read(cases / "close_time_coinmarketcap.csv", symbol="BTC/USD", tell=told.append)
    assert bars.ts.tolist() == [MIDNIGHT + day * 86_400_000 for day in range(4)]  # timeOpen, not timestamp = timeClose
    assert bars.volume.tolist() == [2000.0] * 4  # 204,000 dollars at 102 a coin, and so on
    assert "coins are volume / close" in str(told)


def test_contracts_are_not_coins(cases, told):
    bars = files.read(cases / "volume_contracts_okx.csv", tell=told.append)
    assert bars.volume.tolist() == [50.0] * 4  # vol_quote 5050 / vol_ccy 50 = 101, inside 98 .. 103; 5050 / vol 5000 is not
    assert bars.symbol == "BTC/USDT:USDT"
    assert "vol_ccy is the volume, not vol" in str(told)


def test_the_rate_that_was_paid_is_not_the_rate_that_was_expected(cases, told):
    ts, rates = files.read_funding(cases / "funding_okx_predicted_and_realized.csv", tell=told.append)
    assert rates.tolist() == [0.00015, -0.00002, 0.0001]  # realizedRate
    assert ts.tolist() == [MIDNIGHT, MIDNIGHT + 8 * 3_600_000, MIDNIGHT + 16 * 3_600_000]
    assert "realizedRate is the rate that was paid" in str(told)


def test_a_last_line_cut_inside_a_number_is_left_out_aloud(cases, told):
    bars = files.read(cases / "truncated_last_line_BTCUSDT-5m-2024-02.csv", tell=told.append)
    assert bars.volume.tolist() == [50.25] * 3  # the fourth would be 5 in place of 50.25
    assert "line 4, the last one, is cut short (6 fields of 12)" in str(told)


def test_a_file_that_says_eth_is_not_stored_as_btc(cases):
    with pytest.raises(errors.BadBars, match=r"must hold BTC/USDT, as --symbol says, got ETH/USDT in its column symbol"):
        files.read(cases / "symbol_column_contradicts.csv", symbol="BTC/USDT")
    assert files.read(cases / "symbol_column_contradicts.csv").symbol == "ETH/USDT"


def test_a_date_and_a_time_in_two_columns_are_one_time(cases):
    bars = files.read(cases / "date_and_time_columns.csv", symbol="BTC/USDT")
    assert (bars.ts.tolist(), str(bars.timeframe)) == ([MIDNIGHT + row * STEP for row in range(4)], "5m")


# --- the same questions elsewhere: times ------------------------------------------------------------------------------------


def test_times_that_cannot_be_read_are_said_before_the_missing_timeframe(written):
    path = written(HEAD, *("the first of May" + row[13:] for row in ROWS), name="prices.csv")
    with pytest.raises(errors.BadTimestamps, match=r"4 missing or unreadable times: line 2, line 3, line 4"):
        files.read(path, symbol="BTC/USDT")


def test_a_timestamp_that_equals_the_close_time_is_the_close_time(written, told):
    rows = [f"{int(row[:13]) + STEP},{int(row[:13]) + STEP}{row[13:]}" for row in ROWS]
    bars = files.read(written("timestamp,close_time,open,high,low,close,volume", *rows), tell=told.append)
    assert bars.ts[0] == MIDNIGHT  # 00:05 - 5 minutes
    assert "timestamp is the close time" in str(told)


def test_a_close_time_alone_is_turned_into_the_open_time(written, told):
    rows = [f"{int(row[:13]) + STEP - 1}{row[13:]}" for row in ROWS]
    bars = files.read(written("close_time,open,high,low,close,volume", *rows), tell=told.append)
    assert bars.ts[0] == MIDNIGHT  # 00:04:59.999 is the end of the bar of 00:00
    assert "bars open 5m before it" in str(told)


def test_open_and_close_times_that_are_not_one_bar_apart_are_refused(written):
    rows = [f"{row[:13]},{int(row[:13]) + 12 * STEP}{row[13:]}" for row in ROWS]
    with pytest.raises(errors.BadTimestamps, match="close_time is not one bar of 5m behind open_time in 4 rows: line 2"):
        files.read(written("open_time,close_time,open,high,low,close,volume", *rows))


def test_a_local_date_beside_a_unix_time_is_said(written, told):
    rows = [f"{row[:13]},2024-01-01 02:{5 * at:02}:00{row[13:]}" for at, row in enumerate(ROWS)]
    bars = files.read(written("unix,date,open,high,low,close,volume", *rows), tell=told.append)
    assert bars.ts[0] == MIDNIGHT
    assert "date is +2 h from unix, which is taken as UTC" in str(told)


def test_two_times_that_have_nothing_to_do_with_each_other_are_refused(written):
    rows = [f"{row[:13]},2023-05-0{at + 1} 10:00:00{row[13:]}" for at, row in enumerate(ROWS)]
    with pytest.raises(errors.BadTimestamps, match="unix and date must be the same times"):
        files.read(written("unix,date,open,high,low,close,volume", *rows))


def test_local_times_that_repeat_an_hour_in_autumn_are_named(written):
    clocks = ["2024-10-27 01:00", "2024-10-27 02:00", "2024-10-27 02:00", "2024-10-27 03:00"]
    with pytest.raises(errors.BadTimestamps, match="an hour that comes twice on a Sunday in autumn"):
        files.read(
            written("date,open,high,low,close,volume", *(f"{clock},1,1,1,1,1" for clock in clocks), name="BTC-USDT_1h.csv"),
            symbol="BTC/USDT",
        )


def test_times_with_a_zone_are_read_in_that_zone_over_the_change_of_clocks(written):
    clocks = ["2024-03-31 01:00:00+01:00", "2024-03-31 03:00:00+02:00", "2024-03-31 04:00:00+02:00"]
    bars = files.read(
        written("date,open,high,low,close,volume", *(f"{clock},1,1,1,1,1" for clock in clocks), name="h.csv"), symbol="BTC/USDT"
    )
    assert bars.ts.tolist() == [1_711_843_200_000 + hour * 3_600_000 for hour in range(3)]  # 00:00, 01:00, 02:00 UTC


# --- volumes ----------------------------------------------------------------------------------------------------------------


def test_a_quote_volume_that_contradicts_the_volume_is_refused(written):
    with pytest.raises(errors.BadBars, match=r"quote_volume / volume must lie between low and high, got outside in 100% of the bars"):
        files.read(written(f"{HEAD},quote_volume", *(f"{row},777" for row in ROWS)))


def test_volume_columns_whose_names_are_swapped_are_told_apart_by_the_prices(written, told):
    rows = [f"{row},{50 * (101 + at)}" for at, row in enumerate(ROWS)]  # 50 coins, 5050 dollars: the header has them the other way round
    bars = files.read(written(HEAD.replace("volume", "Volume USDT,Volume BTC"), *rows), tell=told.append)
    assert bars.volume.tolist() == [50.0] * 4
    assert "Volume USDT is the volume, not Volume BTC" in str(told)


def test_a_volume_that_is_money_for_some_bars_is_put_right_bar_by_bar(written, told):
    cells = [(50, 5050), (5100, 50), (50, 5150), (5200, 50)]
    rows = [f"{row.rpartition(',')[0]},{coins},{money}" for row, (coins, money) in zip(ROWS, cells, strict=True)]
    bars = files.read(written(f"{HEAD},Volume USD", *rows), symbol="BTC/USD", tell=told.append)
    assert bars.volume.tolist() == [50.0] * 4
    assert "changed places in 2 of 4 bars" in str(told)


def test_two_volumes_with_nothing_to_tell_them_apart_are_refused(written):
    with pytest.raises(errors.UnknownColumns, match="vol and vol_ccy could all be the volume"):
        files.read(written(HEAD.replace("volume", "vol,vol_ccy"), *(f"{row}0,50" for row in ROWS)))


def test_a_broken_price_is_said_before_the_volumes_that_cannot_be_judged_by_it(written):
    broken = ROWS[0].replace(",101,", ",eleven,")
    with pytest.raises(errors.BadBars, match="no number as close in 1 bar: line 2"):
        files.read(written(f"{HEAD},quote_volume", f"{broken},5050", *(f"{row},777" for row in ROWS[1:])))


# --- markets and lengths -----------------------------------------------------------------------------------------------------

TWO_MARKETS = [f"{row},{coin}USDT" for row in ROWS for coin in ("BTC", "ETH")]


def test_several_markets_in_one_file_do_not_become_one(written):
    with pytest.raises(errors.BadBars, match=r"must hold one in its column symbol, got BTCUSDT, ETHUSDT. Hint: --symbol BTCUSDT reads"):
        files.read(written(f"{HEAD},symbol", *TWO_MARKETS, name="all.csv"))


def test_one_of_several_markets_is_read_on_request(written, told):
    bars = files.read(written(f"{HEAD},symbol", *TWO_MARKETS, name="all.csv"), symbol="ETH/USDT", tell=told.append)
    assert (bars.key, len(bars)) == ("unknown:ETH/USDT:5m", 4)
    assert "only the rows with ETHUSDT" in str(told)


def test_rows_keep_their_line_numbers_when_others_are_left_out(written):
    rows = [row.replace(",103,", ",3,") if "ETH" in row else row for row in TWO_MARKETS]
    with pytest.raises(errors.BadBars, match="a high below the low in 1 bar: line 3"):
        files.read(written(f"{HEAD},symbol", *rows, name="all.csv"), symbol="ETH/USDT")


def test_a_column_that_says_another_timeframe_is_refused(written):
    with pytest.raises(errors.BadBars, match="must hold bars of 5m, got 1h in its column timeframe"):
        files.read(written(f"{HEAD},timeframe", *(f"{row},1h" for row in ROWS)))


def test_bars_of_two_exchanges_do_not_become_one_market(written):
    rows = [f"{row},{'Bybit' if at % 2 else 'Binance'}" for at, row in enumerate(ROWS)]
    with pytest.raises(errors.BadBars, match="bars of one exchange, got Binance, Bybit"):
        files.read(written(f"{HEAD},exchange", *rows))


def test_a_candle_that_was_not_over_is_left_out(written, told):
    bars = files.read(written(f"{HEAD},confirm", *(f"{row},{int(at < 3)}" for at, row in enumerate(ROWS))), tell=told.append)
    assert len(bars) == 3
    assert "1 unfinished bar left out" in str(told)


# --- text -------------------------------------------------------------------------------------------------------------------


def test_a_short_line_in_the_middle_is_refused_with_its_number(written):
    with pytest.raises(errors.BadBars, match="must have 6 fields in each line, got 5 fields in line 3"):
        files.read(written(HEAD, ROWS[0], ROWS[1].rpartition(",")[0], *ROWS[2:]))


def test_a_last_number_without_a_line_end_is_not_trusted(written, told):
    bars = files.read(written(HEAD, *ROWS[:3], ROWS[3][:-1], end=""), tell=told.append)
    assert len(bars) == 3  # 5 in place of 50, and nothing shows that it is cut
    assert "has no line end, so its volume may be cut" in str(told)


def test_a_last_number_with_as_many_digits_as_all_others_is_whole(written):
    assert len(files.read(written(HEAD, *(f"{row}.{20 + at}" for at, row in enumerate(ROWS)), end=""))) == 4


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(1, 400),
    st.sampled_from(["", ",remark"]),
    st.sampled_from(["50.25 50.2 50.125 7", "50.20 50.25 51.50 7.00", "5 50 500 5000"]),
)
def test_a_file_cut_anywhere_gives_only_numbers_that_stand_in_the_whole_file(tmp_path, length, last, volumes):
    rows = [f"{row[:-2]}{volume}{last}" for row, volume in zip(ROWS, volumes.split(), strict=True)]
    whole = "\n".join([HEAD + last, *rows, ""])
    path = tmp_path / "binance_BTC-USDT_5m.csv"
    path.write_text(whole)
    expected = files.read(path)
    path.write_text(whole[:length])
    try:
        bars = files.read(path, tell=lambda _: None)
    except errors.BadInput:
        return
    for column in ("ts", "open", "high", "low", "close", "volume"):
        assert getattr(bars, column).tolist() == getattr(expected, column)[: len(bars)].tolist()


def test_a_last_column_that_is_not_read_cannot_harm(written):
    assert len(files.read(written(f"{HEAD},remark", *(f"{row},fine" for row in ROWS), end=""))) == 4


def test_a_file_of_nothing_but_a_cut_line_is_refused(written):
    with pytest.raises(errors.BadBars, match="no whole row"):
        files.read(written(HEAD, ROWS[0], end=""))


def test_a_gzip_that_broke_off_is_refused(tmp_path):
    path = tmp_path / "binance_BTC-USDT_5m.csv.gz"
    path.write_bytes(gzip.compress("\n".join([HEAD, *ROWS, ""]).encode())[:-12])
    with pytest.raises(errors.BadBars, match="cannot be read"):
        files.read(path)


@pytest.mark.parametrize(
    ("numbers", "close"),
    [
        (['"42,283.58"', '"1,042,283.50"'], [42_283.58, 1_042_283.5]),  # English
        (['"42283,58"', '"42283,5"'], [42_283.58, 42_283.5]),  # decimal comma
        (['"42.283,58"', '"1.042.283,50"'], [42_283.58, 1_042_283.5]),  # German
        (["42 283.58", "1 042 283.5"], [42_283.58, 1_042_283.5]),  # blanks
    ],
)
def test_numbers_with_thousands_separators_are_numbers(written, numbers, close):
    rows = [f"{MIDNIGHT + at * STEP},{number},{number},{number},{number},1" for at, number in enumerate(numbers)]
    assert files.read(written(HEAD, *rows)).close.tolist() == close


def test_a_comma_that_could_be_both_is_refused(written):
    rows = [f'{MIDNIGHT + at * STEP},"42,283","42,283","42,283","42,283",1' for at in range(2)]
    with pytest.raises(errors.BadBars, match="could mark thousands or decimals, got 42,283"):
        files.read(written(HEAD, *rows))


def test_text_in_utf_16_is_text(tmp_path):
    path = tmp_path / "binance_BTC-USDT_5m.csv"
    path.write_text("\n".join([HEAD, *ROWS, ""]), encoding="utf-16")
    assert len(files.read(path)) == 4


# --- funding ------------------------------------------------------------------------------------------------------------------


def test_funding_of_another_market_is_refused(written, tmp_path):
    bars = written(HEAD, *ROWS, name="binance_BTC-USDT-PERP_5m.csv")
    funding = written("symbol,fundingTime,fundingRate", f"ETHUSDT,{MIDNIGHT},0.0001", name="f.csv")
    with pytest.raises(errors.BadBars, match=r"must hold BTC/USDT:USDT, .* got ETHUSDT in its column symbol"):
        files.read(bars, funding=funding)


def test_two_rates_that_differ_and_do_not_say_which_was_paid_are_refused(written):
    path = written("ts,fundingRate,rate", f"{MIDNIGHT},0.1,0.2", name="f.csv")
    with pytest.raises(errors.UnknownColumns, match="fundingRate and rate could both be the rate that was paid"):
        files.read_funding(path)


def test_a_funding_file_without_its_last_digits_is_not_trusted(written, told):
    path = written("ts,rate", f"{MIDNIGHT},0.00015", f"{MIDNIGHT + 28_800_000},0.0001", name="f.csv", end="")
    assert files.read_funding(path, tell=told.append)[1].tolist() == [0.00015]
    assert "may be cut" in str(told)


def test_a_note_is_a_warning_where_no_listener_is_given(written):
    with pytest.warns(UserWarning, match="unfinished bar"):
        files.read(written(f"{HEAD},confirm", *(f"{row},{int(at < 3)}" for at, row in enumerate(ROWS))))
