from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinswarm import errors
from coinswarm.market.catalog import Catalog
from coinswarm.market.storing import Incoming, seal, store
from tests.bars_files import BarsFile
from tests.unit.market.tapes import changed, rebuilt, tape


@pytest.fixture
def bars_file(tmp_path):
    return BarsFile(tmp_path / "bars.duckdb")


def incoming(*markets):
    return [Incoming(bars=bars, source=f"file {number}") for number, bars in enumerate(markets)]


@settings(max_examples=10)
@given(st.lists(st.tuples(st.integers(0, 39), st.integers(1, 20), st.sampled_from(["BTC/USDT", "ETH/USDT"])), min_size=1, max_size=4))
def test_bars_that_are_stored_together_are_those_that_are_put_one_by_one(tmp_path_factory, pieces):
    folder, bars = tmp_path_factory.mktemp("storing"), {symbol: tape(60, symbol=symbol) for symbol in ("BTC/USDT", "ETH/USDT")}
    parts = [bars[symbol][start : start + length] for start, length, symbol in pieces]
    with Catalog.open(folder / "one.duckdb") as catalog:
        one = [catalog.put(part, source="a") for part in parts]
        listed = catalog.list()
    together = store(folder / "together.duckdb", incoming(*parts))
    assert [(done.key, done.added, done.unchanged) for done in together] == [(done.key, done.added, done.unchanged) for done in one]
    found = BarsFile(folder / "together.duckdb").list()
    assert [(entry.key, entry.content_hash) for entry in found] == [(entry.key, entry.content_hash) for entry in listed]
    assert {done.key: done.content_hash for done in together} == {entry.key: entry.content_hash for entry in listed}


def test_the_same_bars_again_change_nothing_and_have_the_same_hash(bars_file):
    first, again = (store(bars_file.path, incoming(tape()))[0] for _ in range(2))
    assert (again.changed, again.unchanged, again.content_hash) == (False, 20, first.content_hash)


@pytest.mark.parametrize(
    ("broken", "error"),
    [(changed(tape(symbol="ETH/USDT"), "low", 2, -1.0), errors.BadBars), (changed(tape(), "volume", 5, 99.0), errors.ConflictingBars)],
)
def test_all_are_stored_or_none(bars_file, broken, error):
    store(bars_file.path, incoming(tape()))
    with pytest.raises(error):
        store(bars_file.path, incoming(tape(symbol="SOL/USDT"), broken))
    assert [entry.symbol for entry in bars_file.list()] == ["BTC/USDT"]


def test_a_hash_of_bars_that_have_changed_since_is_not_kept(bars_file):
    bars = tape()
    name = (bars.exchange, bars.symbol, bars.timeframe)
    with Catalog.open(bars_file.path) as catalog:
        catalog.put(bars[:10], source="a", seal=False)
        before = catalog.revision(*name)
        catalog.put(bars, source="b", seal=False)
        catalog.seal_as("of ten bars", before)
        assert catalog.revision(*name).content_hash == ""
        catalog.remove(bars.key)
        catalog.seal_as("of ten bars", before)
    assert bars_file.list() == ()


def test_a_data_set_is_sealed_once(bars_file):
    bars = tape()
    with Catalog.open(bars_file.path) as catalog:
        catalog.put(bars, source="a", seal=False)
    assert seal(bars_file.path, bars.exchange, bars.symbol, bars.timeframe) == bars.content_hash
    with Catalog.open(bars_file.path, read_only=True):  # a writer would wait for this reader
        assert seal(bars_file.path, bars.exchange, bars.symbol, bars.timeframe) == bars.content_hash
    with pytest.raises(errors.NotFound, match="no data set is called"):
        seal(bars_file.path, "replay", "ETH/USDT", bars.timeframe)


def test_funding_is_part_of_what_is_sealed(bars_file):
    bars = rebuilt(tape(), symbol="BTC/USDT:USDT", funding_ts=tape().ts[:2], funding_rate=tape().volume[:2] / 1e5)
    assert store(bars_file.path, incoming(bars))[0].content_hash == bars[:].content_hash == bars_file.list()[0].content_hash
