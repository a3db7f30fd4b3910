"""Each source that is recognised, by a small file of it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinswarm import errors
from coinswarm.market import columns, files, sources, tables
from tests.unit.market.source_samples import BARS, SAMPLES, START, STEP, as_json, feather, frame, parquet, text, zipped

CASES = [(source, name, content) for source, several in SAMPLES.items() for name, content in several]
PAGE = Path(__file__).resolve().parents[3] / "docs" / "candles.md"


@pytest.fixture
def stored(tmp_path):
    def store(name, content):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return store


def read(path, **options):
    told: list[str] = []
    return files.read(path, **{"symbol": "BTC/USDT", "tell": told.append, **options}), told


@pytest.mark.parametrize(("source", "name", "content"), CASES, ids=[f"{source}: {name}" for source, name, _ in CASES])
def test_a_file_of_each_source_gives_the_same_four_bars(stored, source, name, content):
    bars, _ = read(stored(name, content))
    assert bars.ts.tolist() == [START + at * STEP for at in range(4)]
    assert bars.volume.tolist() == [50.0] * 4
    for place, column in enumerate(("open", "high", "low", "close"), 1):
        assert getattr(bars, column).tolist() == [bar[place] for bar in BARS]


def row(source):
    layouts = {"named": "a header", "lines": "no header", "lists": "JSON lists", "records": "JSON records"}
    separators = {",": ", comma", ";": ", semicolon", "\t": ", tab"}
    layout = layouts[source.form] + (separators[source.separator] if source.form in ("named", "lines") else "")
    time = f"`{source.time}`" if source.time in source.columns else source.time
    order = "newest first" if source.newest_first else "oldest first"
    return f"| {source.name} | {layout} | {source.unit} | {time} | {source.volume} | {source.volume_unit} | {order} | {source.symbol} |"


def test_every_source_has_a_sample_and_a_row_in_the_page():
    assert [source.name for source in sources.SOURCES] == list(SAMPLES)
    page = PAGE.read_text().splitlines()
    assert [row(source) for source in sources.SOURCES if row(source) not in page] == []


_RECOGNISED = ["CoinMarketCap", "CryptoDataDownload", "OKX archive", "Yahoo Finance", "MetaTrader 5", "Binance archive, futures"]


@pytest.mark.parametrize("source", _RECOGNISED)
def test_a_table_of_a_source_is_recognised_as_that(stored, source):
    name, content = SAMPLES[source][0]
    table = tables.load(stored(name, content))
    assert sources.by_names(map(columns.plain, table.frame.columns)).name == source


@pytest.mark.parametrize(
    ("source", "market"),
    [
        ("Binance archive, spot", "binance:BTC/USDT:5m"), ("Binance archive, futures", "binance:BTC/USDT:USDT:5m"),
        ("Kraken archive", "kraken:BTC/USDT:5m"), ("Kraken API", "kraken:BTC/USDT:5m"), ("OKX archive", "okx:BTC/USDT:USDT:5m"),
        ("CryptoDataDownload", "unknown:BTC/USDT:5m"), ("Bybit API", "bybit:BTC/USDT:5m"), ("jesse", "unknown:BTC/USDT:5m"),
        ("freqtrade", "unknown:BTC/USDT:5m"), ("dYdX API", "unknown:BTC/USDT:5m"),
    ],
)  # fmt: skip
def test_the_market_comes_from_the_file_or_its_name(stored, source, market):
    assert read(stored(*SAMPLES[source][0]), symbol=None)[0].key == market


@pytest.mark.parametrize(
    ("source", "note"),
    [
        ("Yahoo Finance", "coins are volume / close"), ("MetaTrader 5", "TICKVOL> is taken as the volume: it counts ticks"),
        ("MetaTrader 5", "the broker's clock"), ("Coinbase API", "newest first, and is turned round"),
    ],
)  # fmt: skip
def test_what_a_reader_must_know_is_told(stored, source, note):
    assert note in "\n".join(read(stored(*SAMPLES[source][0]))[1])


def test_the_header_of_binance_futures_makes_a_perpetual_aloud(stored):
    bars, told = read(stored(*SAMPLES["Binance archive, futures"][0]), symbol=None)
    assert bars.symbol == "BTC/USDT:USDT"
    assert "unless --symbol says BTC/USDT" in told[0]


def test_freqtrade_names_its_perpetuals_and_its_mark_prices(stored):
    assert read(stored("BTC_USDT_USDT-5m-futures.feather", feather()), symbol=None)[0].symbol == "BTC/USDT:USDT"
    with pytest.raises(errors.Refused, match="mark prices"):
        read(stored("BTC_USDT_USDT-5m-mark.feather", feather()), symbol=None)


def test_inverse_contracts_of_bybit_are_refused(stored):
    document = {"result": {"symbol": "BTCUSD", "category": "inverse", "list": [list(map(str, row)) for row in BARS[::-1]]}}
    with pytest.raises(errors.OutsideModel, match="inverse"):
        read(stored("kline.json", as_json(document)), symbol=None)


def test_a_zip_whose_name_contradicts_the_file_in_it_is_refused(stored):
    inside = SAMPLES["Binance archive, spot"][0][1]
    with pytest.raises(errors.BadBars, match="must hold ETHUSDT, as its name says, got BTCUSDT-5m-2024-01"):
        read(stored("ETHUSDT-5m-2024-01.zip", zipped("BTCUSDT-5m-2024-01.csv", inside)), symbol=None)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("two.json", as_json({"a": [list(BARS[0][:6])], "b": [list(BARS[0][:6])]}), "one list of candles, got 2"),
        ("five.json", as_json([[1, 2, 3, 4, 5]]), r"lists of 5 values without names.*12 fields of Binance API"),
        ("uneven.json", as_json([[1, 2, 3, 4, 5, 6], [1, 2]]), "lists of 2 and 6 values"),
        ("cut.json", as_json([list(row[:6]) for row in BARS])[:-9], "cannot be read"),
        ("none.json", as_json({"code": 0, "c": None}), "none in its JSON"),
        ("text.zip", zipped("a.csv", b"") + b"", "an empty file"),
        ("nine.csv", text("", [list(range(1, 10))]), r"names its columns.*7 fields of Kraken archive"),
        ("binary.parquet", parquet(frame().assign(open=b"x")), "open must hold numbers, got Binary"),
    ],
)
def test_a_file_of_no_known_shape_is_refused_with_the_shapes_that_are_known(stored, name, content, reason):
    with pytest.raises(errors.BadBars, match=reason):
        read(stored(name, content))


def test_an_unknown_table_is_refused_with_the_closest_source_and_what_it_lacks(stored):
    path = stored("x.csv", text("timeOpen,timeClose,open,high,low,marketCap", [[1, 2, 3, 4, 5, 6]]))
    reason = r"no column for close; the columns are timeOpen.*closest known source is CoinMarketCap, which also has .*close, volume"
    with pytest.raises(errors.UnknownColumns, match=reason):
        read(path)


def test_two_files_in_one_zip_are_refused_by_name(stored):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", "x")
        archive.writestr("b.csv", "y")
    with pytest.raises(errors.BadBars, match=r"must hold one file, got 2 \(a.csv, b.csv\)"):
        read(stored("two.zip", packed.getvalue()))


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(CASES), st.integers(0, 600), st.binary(max_size=4), st.booleans())
def test_no_damage_to_a_file_ends_in_anything_but_bars_or_a_refusal(stored, case, place, bytes_there, cut):
    _, name, content = case
    damaged = content[:place] + bytes_there + (b"" if cut else content[place + len(bytes_there) :])
    try:
        bars, _ = read(stored(name, damaged))
    except errors.BadInput:
        return
    assert len(bars)
