from __future__ import annotations

import os
import re
import threading
import time

import pytest

from coinswarm import errors
from coinswarm.market.catalog import Catalog
from coinswarm.market.turns import Turn
from coinswarm.retry import RetryPolicy
from tests.unit.market.tapes import tape

AT_ONCE = RetryPolicy(limit_s=0.0, first_s=0.0, longest_s=0.0)
SOON = RetryPolicy(limit_s=5.0, first_s=0.01, longest_s=0.02)


@pytest.fixture
def path(tmp_path):
    with Catalog.open(tmp_path / "bars.duckdb") as catalog:
        catalog.put(tape(), source="a tape")
    return tmp_path / "bars.duckdb"


def after(seconds, call):
    thread = threading.Timer(seconds, call)
    thread.start()
    return thread


def test_readers_go_together(path):
    with Catalog.open(path, read_only=True, patience=AT_ONCE) as one, Catalog.open(path, read_only=True, patience=AT_ONCE) as other:
        assert len(one.read("BTC/USDT")) == len(other.read("BTC/USDT")) == 20


@pytest.mark.parametrize("read_only", [False, True])
def test_a_writer_that_does_not_end_is_named(path, read_only):
    with Catalog.open(path), pytest.raises(errors.Conflict, match=f"in use by process {os.getpid()}"):
        Catalog.open(path, read_only=read_only, patience=AT_ONCE)


@pytest.mark.parametrize(("first", "then"), [(True, False), (False, True), (False, False)])
def test_who_comes_second_waits_for_the_first(path, first, then):
    catalog = Catalog.open(path, read_only=first)
    closing = after(0.2, catalog.close)
    with Catalog.open(path, read_only=then, patience=SOON) as second:
        assert second.find("BTC/USDT").n_bars == 20
    closing.join()


def test_a_writer_that_waits_for_a_reader_keeps_new_readers_out(path):
    reader = Catalog.open(path, read_only=True)
    writer = after(0.0, lambda: Catalog.open(path).close())
    time.sleep(0.1)
    with pytest.raises(errors.Conflict):
        Catalog.open(path, read_only=True, patience=AT_ONCE)
    reader.close()
    writer.join()
    Catalog.open(path, read_only=True, patience=SOON).close()


def test_a_reader_that_stays_keeps_no_other_reader_out_for_long(path):
    reader = Catalog.open(path, read_only=True)
    writer = after(0.0, lambda: Catalog.open(path).close())
    with Catalog.open(path, read_only=True, patience=SOON) as other:
        assert other.find("BTC/USDT").n_bars == reader.find("BTC/USDT").n_bars == 20
    reader.close()
    writer.join()


def test_where_no_writer_has_been_a_reader_leaves_no_trace(path):
    turn = path.with_name("bars.duckdb.turn")
    turn.unlink()
    Catalog.open(path, read_only=True).close()
    assert not turn.exists()


def test_a_turn_that_cannot_be_signed_is_a_turn(tmp_path):
    turn = Turn(tmp_path / "bars.duckdb", alone=True)
    (tmp_path / "bars.duckdb.turn").write_text("")
    with pytest.raises(errors.Conflict, match=re.escape("in use by another process")):
        Turn(tmp_path / "bars.duckdb", alone=False)
    turn.end()
    Turn(tmp_path / "bars.duckdb", alone=False).end()


def test_a_file_whose_maker_died_before_it_had_tables_holds_no_bars(tmp_path):
    import duckdb

    duckdb.connect(str(tmp_path / "bars.duckdb")).close()
    with pytest.raises(errors.NotFound, match="no bars are stored yet"):
        Catalog.open(tmp_path / "bars.duckdb", read_only=True)
