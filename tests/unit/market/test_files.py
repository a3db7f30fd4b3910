from __future__ import annotations

import gzip

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinswarm import errors, market
from coinswarm.market import files
from tests.unit.market.tapes import START, tape

HEAD = "ts,open,high,low,close,volume\n"
ROWS = [f"{START // 1000 + 300 * row},10,12,9,11,{row + 1}" for row in range(6)]


def frame(bars):
    return pl.DataFrame({name: getattr(bars, name) for name in ("ts", "open", "high", "low", "close", "volume")})


def csv_of(folder, text, name="binance_BTC-USDT_5m.csv"):
    path = folder / name
    path.write_bytes(text.encode())
    return path


def table(rows):
    return "\n".join([HEAD.strip(), *rows, ""])


def with_row(row, line):
    return table([*ROWS[:row], line, *ROWS[row + 1 :]])


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_parquet_reads_back_number_for_number(tmp_path, unit):
    bars = tape(30, exchange="binance")
    path = tmp_path / "binance_BTC-USDT_5m.parquet"
    frame(bars).with_columns(pl.from_epoch("ts", time_unit="ms").cast(pl.Datetime(unit))).write_parquet(path)
    assert market.read_bars(path).content_hash == bars.content_hash


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("packed", [False, True])
def test_csv_reads_back_number_for_number(tmp_path, separator, packed):
    bars = tape(30, exchange="binance")
    text = frame(bars).write_csv(separator=separator).encode()
    path = tmp_path / ("binance_BTC-USDT_5m.csv.gz" if packed else "binance_BTC-USDT_5m.csv")
    path.write_bytes(gzip.compress(text) if packed else b"\xef\xbb\xbf" + text)
    assert market.read_bars(path).content_hash == bars.content_hash


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("Unix Timestamp,Open,High,Low,Close,Volume", 7.0),
        ("OPEN_TIME,OPEN,HIGH,LOW,CLOSE,VOLUME", 7.0),
        ("date,o,h,l,c,v", 7.0),
    ],
)
def test_column_names_are_recognised_in_any_case(tmp_path, header, chosen):
    bars = files.read(csv_of(tmp_path, f"{header}\n1704067200,1,3,1,2,7\n"))
    assert bars.volume.tolist() == [chosen]
    assert bars.ts.tolist() == [START]


@pytest.mark.parametrize(
    ("header", "values", "volume"),
    [
        ("Volume BTC,Volume USD", "7,14", 7.0),
        ("Volume USDT,Volume BTC", "14,7", 7.0),
        ("volume,Volume USD", "7,14", 7.0),
        ("quote_volume,vol", "14,7", 7.0),
    ],
)
def test_base_volume_is_told_from_quote_volume(tmp_path, header, values, volume):
    bars = files.read(csv_of(tmp_path, f"ts,open,high,low,close,{header}\n1704067200,1,3,1,2,{values}\n"))
    assert bars.volume.tolist() == [volume]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("ts,open,high,low,volume", "no column for close"),
        ("open,high,low,close,volume", "names its columns"),
        ("ts,open,high,low,close,Volume USD", "only a volume in quote currency"),
        ("ts,open,high,low,close,volume,VOLUME", "volume and VOLUME could both be volume"),
        ("ts,open,high,low,close", "no column for volume"),
    ],
)
def test_columns_that_cannot_be_matched_are_refused_with_the_reason(tmp_path, header, reason):
    row = ",".join(["1704067200", "1", "3", "1", "2", "7", "8"][: header.count(",") + 1])
    with pytest.raises(errors.UnknownColumns, match=reason):
        files.read(csv_of(tmp_path, f"{header}\n{row}\n"))


def test_lines_before_the_header_are_skipped_and_counted(tmp_path):
    text = "Made by an archive,https://example.org\n" + with_row(2, "1704067800,10,12,9,,1")
    with pytest.raises(errors.BadBars, match=r"no number as close in 1 bar: line 5 \(2024-01-01 00:10:00\)"):
        files.read(csv_of(tmp_path, text))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1704067800,10,12,9,nan,1", "no number as close"),
        ("1704067800,10,12,9,eleven,1", "no number as close"),
        ("1704067800,10,inf,9,11,1", "infinite high"),
        ("1704067800,-10,12,-11,11,1", "negative open"),
        ("1704067800,0,12,0,11,1", "zero open"),
        ("1704067800,10,8,9,11,1", "high below the low"),
        ("1704067800,10,12,9,11,-1", "negative volume"),
        ("1704067500,10,12,9,11,1", "repeated time"),
        ("1704060000,10,12,9,11,1", "out of order"),
        ("1704067800000,10,12,9,11,1", "mixed units"),
        ("soon,10,12,9,11,1", "unreadable time"),
        ("1704067801,10,12,9,11,1", "before the 5m bar ahead of them is over"),
    ],
)
def test_a_broken_line_is_refused_with_its_number(tmp_path, line, reason):
    with pytest.raises(errors.BadBars, match=reason) as caught:
        files.read(csv_of(tmp_path, with_row(2, line)))
    assert "line 4" in str(caught.value) or "line 5" in str(caught.value) or "before the 5m" in str(caught.value)


def test_newest_first_is_refused_and_turned_round_on_request(tmp_path):
    path = csv_of(tmp_path, table(reversed(ROWS)))
    with pytest.raises(errors.BadTimestamps, match=r"newest first.*--sort"):
        files.read(path)
    assert files.read(path, sort=True).content_hash == files.read(csv_of(tmp_path, table(ROWS))).content_hash


def test_sorting_does_not_accept_shuffled_lines(tmp_path):
    path = csv_of(tmp_path, table([ROWS[3], *ROWS[:3], *ROWS[4:]]))
    with pytest.raises(errors.BadTimestamps, match="out of order"):
        files.read(path, sort=True)


@pytest.mark.parametrize(
    "text", ["", "\n\n", HEAD, "ts,open\n1,2\n", "a,b,c\n1,2,3\n", HEAD + "1704067200,1,3,1,2,7,9,9,9\n", "\x00\x01\x02"]
)
def test_files_that_are_no_candles_are_refused(tmp_path, text):
    with pytest.raises(errors.BadBars):
        files.read(csv_of(tmp_path, text))


@pytest.mark.parametrize("content", [b"PAR1", b"PAR1" + bytes(200), b"\x1f\x8b\x08broken", bytes(range(256)), b"\xff\xfe\x00"])
def test_damaged_files_are_refused(tmp_path, content):
    path = tmp_path / "binance_BTC-USDT_5m.parquet"
    path.write_bytes(content)
    with pytest.raises(errors.BadBars):
        files.read(path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300)
    | st.text(alphabet="tsopenhighlowclosevolume0123456789,;.\n-", max_size=300).map(lambda text: (HEAD + text).encode())
)
def test_no_content_breaks_the_reader(tmp_path, content):
    path = tmp_path / "binance_BTC-USDT_5m.csv"
    path.write_bytes(content)
    try:
        found = len(files.read(path, tell=print))
    except errors.BadInput as error:
        found = len(str(error))
    assert found > 0


def test_a_missing_file_names_the_nearest(tmp_path):
    csv_of(tmp_path, HEAD)
    with pytest.raises(errors.NotFound, match=r"binance_BTC-USDT_5m\.csv\?"):
        files.read(tmp_path / "binance_BTC-USDT_6m.csv")


def test_a_timeframe_that_contradicts_the_times_is_refused(tmp_path):
    with pytest.raises(errors.BadTimestamps, match="contradicts"):
        files.read(csv_of(tmp_path, table(ROWS)), timeframe="1h")


def test_the_timeframe_comes_from_the_times_when_nothing_tells_it(tmp_path):
    path = csv_of(tmp_path, table(ROWS), "prices.csv")
    assert str(files.read(path, symbol="btcusdt").timeframe) == "5m"
    with pytest.raises(errors.InvalidArgument, match="--symbol"):
        files.read(path)
    with pytest.raises(errors.InvalidArgument, match="--timeframe"):
        files.read(csv_of(tmp_path, table(ROWS[:1]), "prices.csv"), symbol="btcusdt")


def test_funding_beside_the_bars_is_picked_up_and_cut_to_their_span(tmp_path):
    bars = tape(30)
    path = tmp_path / "binance_BTC-USDT-PERP_5m.parquet"
    frame(bars).write_parquet(path)
    ts = [START - 8 * 3_600_000, START + 1, START + 3_600_000]
    pl.DataFrame({"ts": ts, "funding_rate": [0.1, 0.2, 0.3]}).write_parquet(tmp_path / "binance_BTC-USDT-PERP_funding.parquet")
    assert market.read_bars(path).funding_rate.tolist() == [0.2, 0.3]
    assert files.read(path).funding_rate.tolist() == [0.1, 0.2, 0.3]


@pytest.mark.parametrize(
    ("ts", "rates", "reason"),
    [([START, START], [0.1, 0.1], "not after"), ([START], [None], "missing"), ([START], [12.0], "fractions, not percent")],
)
def test_broken_funding_is_refused(tmp_path, ts, rates, reason):
    path = tmp_path / "funding.parquet"
    pl.DataFrame({"ts": ts, "rate": rates}, schema_overrides={"rate": pl.Float64}).write_parquet(path)
    with pytest.raises(errors.BadBars, match=reason):
        files.read_funding(path)


def test_spot_markets_have_no_funding(tmp_path):
    path = csv_of(tmp_path, table(ROWS))
    pl.DataFrame({"ts": [START], "rate": [0.1]}).write_parquet(tmp_path / "funding.parquet")
    with pytest.raises(errors.InvalidArgument, match="only perpetuals"):
        files.read(path, funding=tmp_path / "funding.parquet")


def test_the_archive_of_binance_needs_no_header(tmp_path):
    line = "1637971200000000,0.02,0.03,0.01,0.02,36304.2,1637971259999999,726.08,79,19523.0,390.4,0"
    bars = files.read(csv_of(tmp_path, line, "ADABTC-1m-2021-11-27.csv"))
    assert (bars.key, bars.ts.tolist(), bars.volume.tolist()) == ("binance:ADA/BTC:1m", [1_637_971_200_000], [36304.2])


def test_null_cells_of_parquet_are_missing_numbers(tmp_path):
    path = tmp_path / "binance_BTC-USDT_5m.parquet"
    frame(tape(5)).with_columns(close=pl.Series([1.0, None, 2.0, 3.0, 4.0])).write_parquet(path)
    with pytest.raises(errors.BadBars, match="no number as close in 1 bar: row 2"):
        files.read(path)


def test_integer_prices_are_numbers(tmp_path):
    path = tmp_path / "binance_BTC-USDT_5m.parquet"
    pl.DataFrame({"ts": [START], "open": [2], "high": [3], "low": [1], "close": [2], "volume": [5]}).write_parquet(path)
    assert files.read(path).close.dtype == np.float64


def test_a_folder_in_place_of_a_file_is_named_as_one(tmp_path):
    with pytest.raises(errors.InvalidArgument, match="must be a file of bars, got a folder"):
        market.read_bars(tmp_path)


def test_a_missing_file_is_missed_before_its_name_is_judged(tmp_path):
    with pytest.raises(errors.NotFound, match="file not found"):
        market.read_bars(tmp_path / "nosuch.parquet")


def test_a_missing_column_comes_with_the_names_to_use(tmp_path):
    path = tmp_path / "binance_BTC-USDT_5m.csv"
    path.write_text("ts,open,high,low,volume\n0,1,1,1,1\n")
    with pytest.raises(errors.UnknownColumns, match=r"no column for close.*Hint: rename them to ts, open, high, low, close, volume"):
        market.read_bars(path)
