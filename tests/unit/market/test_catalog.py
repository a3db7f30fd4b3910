from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinswarm import errors
from coinswarm.market.catalog import Catalog
from tests.unit.market.tapes import MINUTE, START, changed, rebuilt, reordered, tape


@pytest.fixture
def catalog(tmp_path):
    with Catalog.open(tmp_path / "bars.duckdb") as opened:
        yield opened


def funded(bars, ts, rates):
    return rebuilt(bars, symbol="BTC/USDT:USDT", funding_ts=np.array(ts, dtype=np.int64), funding_rate=np.array(rates, dtype=np.float64))


def test_what_is_stored_reads_back_bit_for_bit(catalog):
    bars = tape(500)
    stored = catalog.put(bars, source="a tape")
    assert (stored.added, stored.content_hash) == (500, bars.content_hash)
    assert catalog.read("btcusdt").content_hash == bars.content_hash
    assert catalog.list()[0].content_hash == bars.content_hash


def test_the_same_bars_twice_change_nothing(catalog):
    bars = tape()
    catalog.put(bars, source="a")
    again = catalog.put(bars, source="b")
    assert (again.changed, again.unchanged, again.content_hash) == (False, 20, bars.content_hash)
    assert catalog.list()[0].sources == ("a",)


@settings(max_examples=10)
@given(st.lists(st.tuples(st.integers(0, 39), st.integers(1, 20)), min_size=1, max_size=4))
def test_pieces_in_any_order_make_the_whole(tmp_path_factory, pieces):
    bars = tape(60)
    with Catalog.open(tmp_path_factory.mktemp("catalog") / "bars.duckdb") as catalog:
        rows: set[int] = set()
        for start, length in pieces:
            catalog.put(bars[start : start + length], source="piece", seal=False)
            rows |= set(range(start, start + length))
        whole = reordered(bars, sorted(rows))
        assert catalog.read("BTC/USDT").content_hash == whole.content_hash
        assert catalog.list()[0].content_hash == whole.content_hash
        assert catalog.seal("replay", "BTC/USDT", bars.timeframe) == whole.content_hash


def test_an_overlap_that_disagrees_is_refused_and_changes_nothing(catalog):
    bars = tape()
    catalog.put(bars[:10], source="a")
    with pytest.raises(errors.ConflictingBars, match=r"1 bars differ.*2024-01-01 00:25.*close"):
        catalog.put(changed(bars, "close", 5, float(bars.close[5]) + 0.05), source="b")
    assert catalog.read("BTC/USDT").content_hash == bars[:10].content_hash


@pytest.mark.parametrize("prefer", ["new", "old"])
def test_a_preference_decides_who_wins_an_overlap(catalog, prefer):
    old, new = tape(), changed(tape(), "volume", 5, 99.0)
    catalog.put(old[:10], source="a")
    stored = catalog.put(new, source="b", prefer=prefer)
    assert (stored.added, stored.replaced) == (10, int(prefer == "new"))
    assert catalog.read("BTC/USDT").content_hash == (new if prefer == "new" else old).content_hash


def test_broken_bars_never_enter(catalog):
    with pytest.raises(errors.BadBars, match="no number as close"):
        catalog.put(changed(tape(), "close", 2, np.nan), source="a")
    assert catalog.list() == ()


def store_both(catalog, *markets):
    with catalog.transaction():
        for bars in markets:
            catalog.put(bars, source="a")


def test_a_transaction_stores_everything_or_nothing(catalog):
    with pytest.raises(errors.BadBars):
        store_both(catalog, tape(), changed(tape(symbol="ETH/USDT"), "low", 2, -1.0))
    assert catalog.list() == ()
    assert catalog.put(tape(), source="again").added == 20


def test_a_span_is_cut_by_open_times(catalog):
    bars = tape()
    catalog.put(bars, source="a")
    cut = catalog.read("BTC/USDT", start=START + 10 * MINUTE, end=START + 20 * MINUTE)
    assert cut.content_hash == bars[2:4].content_hash
    assert len(catalog.read("BTC/USDT", start=START + 10**12)) == 0


def test_funding_is_stored_once_however_its_times_jitter(catalog):
    bars = tape()
    catalog.put(funded(bars, [START, START + 60 * MINUTE], [0.1, 0.2]), source="a")
    again = catalog.put(funded(bars, [START - 7, START + 60 * MINUTE + 12, START + 90 * MINUTE], [0.1, 0.2, 0.3]), source="b")
    assert again.funding_added == 1
    assert catalog.read("BTC-USDT-PERP").funding_rate.tolist() == [0.1, 0.2, 0.3]


def test_funding_that_disagrees_is_refused_unless_told_who_wins(catalog):
    bars = tape()
    catalog.put(funded(bars, [START], [0.1]), source="a")
    with pytest.raises(errors.ConflictingBars, match="1 funding rates differ"):
        catalog.put(funded(bars, [START + 3], [0.2]), source="b")
    catalog.put(funded(bars, [START + 3], [0.2]), source="b", prefer="new")
    assert catalog.read("BTC/USDT:USDT").funding_rate.tolist() == [0.2]


def test_synthetic_bars_do_not_mix_with_traded_ones(catalog):
    catalog.put(tape(), source="a")
    with pytest.raises(errors.ConflictingBars, match="holds traded bars"):
        catalog.put(rebuilt(tape(), synthetic=True), source="b")


def test_the_synthetic_mark_survives(catalog):
    catalog.put(rebuilt(tape(), synthetic=True), source="a")
    assert catalog.read("BTC/USDT").synthetic
    assert catalog.list()[0].synthetic


def test_an_unknown_market_names_the_nearest(catalog):
    for symbol in ("BTC/USDT", "ETH/USDT", "SOL/USDT"):
        catalog.put(tape(symbol=symbol), source="a")
    with pytest.raises(errors.NotFound, match="did you mean replay:BTC/USDT:5m"):
        catalog.read("BTX/USDT")
    with pytest.raises(errors.NotFound, match="stored as replay:ETH/USDT:5m"):
        catalog.read("ETHUSDT", "1h")


def test_an_empty_catalog_says_how_to_start(catalog):
    with pytest.raises(errors.NotFound, match="bars import"):
        catalog.read("BTC/USDT")


def test_a_market_stored_twice_must_be_named_exactly(catalog):
    catalog.put(tape(), source="a")
    catalog.put(tape(timeframe="1h"), source="a")
    with pytest.raises(errors.InvalidArgument, match="replay:BTC/USDT:5m, replay:BTC/USDT:1h"):
        catalog.read("BTC/USDT")
    assert str(catalog.read("replay:BTC/USDT:1h").timeframe) == "1h"
    assert str(catalog.read("BTC/USDT", "5m").timeframe) == "5m"


def test_reading_needs_a_file(tmp_path):
    with pytest.raises(errors.NotFound, match="no bars are stored yet"):
        Catalog.open(tmp_path / "none.duckdb", read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_a_later_version_is_refused(tmp_path):
    path = tmp_path / "bars.duckdb"
    Catalog.open(path).close()
    with duckdb.connect(str(path)) as raw:
        raw.execute("UPDATE catalog SET schema_version = 99")
    with pytest.raises(errors.Refused, match="later version of coinswarm, got schema 99"):
        Catalog.open(path)


@pytest.mark.parametrize("content", [b"", b"hello" * 2000])
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "bars.duckdb"
    path.write_bytes(content)
    with pytest.raises(errors.BadInput, match="not a readable file of bars"):
        Catalog.open(path)
    assert path.read_bytes() == content


def test_a_damaged_file_is_told(tmp_path):
    path = tmp_path / "bars.duckdb"
    with Catalog.open(path) as catalog:
        catalog.put(tape(5_000), source="a")
    content = bytearray(path.read_bytes())
    content[8192 : len(content) - 8192 : 97] = b"x" * len(range(8192, len(content) - 8192, 97))
    path.write_bytes(content)
    with pytest.raises(errors.BadInput, match="not a readable file of bars"), Catalog.open(path) as catalog:
        catalog.read("BTC/USDT")


def test_somebody_elses_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "other.duckdb"
    with duckdb.connect(str(path)) as raw:
        raw.execute("CREATE TABLE cats (name VARCHAR)")
    with pytest.raises(errors.BadInput, match="not one of bars"):
        Catalog.open(path)
    with duckdb.connect(str(path)) as raw:
        assert raw.execute("SHOW TABLES").fetchall() == [("cats",)]


def test_a_bare_symbol_means_traded_bars_where_synthetic_ones_are_stored_too(catalog):
    catalog.put(tape(), source="a tape")
    catalog.put(rebuilt(tape(), exchange="synthetic", synthetic=True), source="made")
    assert not catalog.find("BTC/USDT").synthetic
    assert catalog.find("synthetic:BTC/USDT").synthetic


def test_a_slower_timeframe_that_is_not_stored_comes_with_the_command_that_makes_it(catalog):
    bars = tape()
    catalog.put(bars, source="a tape")
    with pytest.raises(errors.NotFound, match=f"coinswarm bars resample {bars.key} --timeframe 1d"):
        catalog.find("BTC/USDT", "1d")
