"""Files that unpack to far more than they are: refused by what they say of themselves, before they are unpacked."""

from __future__ import annotations

import gzip
import json
import time
import zipfile

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from coinswarm import errors
from coinswarm.market import files, limits
from tests.unit.market.tapes import tape

BOMB_ROWS = 60_000_000
HEADER = b"ts,open,high,low,close,volume\n"


def parquet(path):
    pq.write_table(pa.table({"ts": np.zeros(BOMB_ROWS)}), path)


def feather(path):
    table = pa.table({"ts": np.zeros(BOMB_ROWS // 2)})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as out:
        out.write_table(table)


def gzip_of_zeros(path):
    with gzip.open(path, "wb") as stream:
        stream.write(bytes(100 * 2**20))


def gzip_of_lines(path):
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(HEADER + b"\n" * 25_000_000)


def zip_with_a_huge_member(path):
    """A zip whose directory says 4 GB of a member that is smaller: it is refused by that alone."""
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("bars.csv", HEADER)
        packed.infolist()[0].file_size = 5 * 10**9


def zip_of_zeros(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("bars.csv", bytes(100 * 2**20))


def json_of_lists(path):
    path.write_bytes(b"[" + b"[]," * 21_000_000 + b"[]]")


@pytest.mark.parametrize(
    ("write", "limit"),
    [
        (parquet, "20,000,000 rows"),
        (feather, "20,000,000 rows"),
        (gzip_of_zeros, "100 times its size"),
        (gzip_of_lines, "20,000,000 rows"),
        (zip_with_a_huge_member, "4,000,000,000 bytes"),
        (zip_of_zeros, "100 times its size"),
        (json_of_lists, "20,000,000 rows"),
    ],
)
def test_a_file_that_unpacks_to_too_much_is_refused_within_a_second(tmp_path, write, limit):
    write(tmp_path / "bars")
    begun = time.process_time()
    with pytest.raises(errors.TooLarge, match=limit):
        files.read(tmp_path / "bars", symbol="BTC/USDT")
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
@pytest.mark.parametrize("kind", ["parquet", "ipc"])
def test_bytes_count_as_they_lie_in_memory(tmp_path, compression, kind):
    frame = pl.DataFrame({"ts": [0], "cells": ["x" * 1_000_000]})
    path = tmp_path / "bars"
    getattr(frame, f"write_{kind}")(path, compression=compression)
    with pytest.raises(errors.TooLarge, match="200,000 bytes unpacked"):
        files.read(path, symbol="BTC/USDT", max_rows=1000)


def test_lists_inside_a_cell_count(tmp_path):
    pl.DataFrame({"ts": [0], "cells": [[0.0] * 1_000_000]}).write_parquet(tmp_path / "bars.parquet")
    with pytest.raises(errors.TooLarge, match="bytes unpacked"):
        files.read(tmp_path / "bars.parquet", symbol="BTC/USDT", max_rows=1000)


def test_a_dictionary_counts(tmp_path):
    table = pa.table({"ts": [0, 1], "cells": pa.array(["x" * 1_000_000, "y"]).dictionary_encode()})
    with pa.OSFile(str(tmp_path / "bars"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as out:
        out.write_table(table)
    with pytest.raises(errors.TooLarge, match="bytes unpacked"):
        files.read(tmp_path / "bars", symbol="BTC/USDT", max_rows=1000)


@pytest.mark.parametrize("kind", ["csv", "json", "parquet", "feather"])
def test_a_higher_limit_is_taken(tmp_path, kind):
    bars = tape(30)
    columns = ("ts", "open", "high", "low", "close", "volume")
    frame = pl.DataFrame({name: getattr(bars, name) for name in columns})
    path = tmp_path / f"binance_BTC-USDT_5m.{kind}"
    if kind == "json":
        path.write_text(json.dumps(frame.to_dicts()))
    else:
        {"csv": frame.write_csv, "parquet": frame.write_parquet, "feather": frame.write_ipc}[kind](path)
    with pytest.raises(errors.TooLarge, match="--max-rows"):
        files.read(path, max_rows=20)
    assert len(files.read(path, max_rows=100)) == 30


def test_candles_that_repeat_themselves_are_no_bomb(tmp_path):
    lines = b"".join(b"%d,1,1,1,1,0\n" % (1_704_067_200 + 300 * row) for row in range(100_000))
    path = tmp_path / "binance_BTC-USDT_5m.csv.gz"
    path.write_bytes(gzip.compress(HEADER + lines, 9))
    assert len(files.read(path)) == 100_000


def test_a_row_has_room_for_a_dozen_numbers():
    limits.refuse_bytes("bars", 200 * 10, 10)
    with pytest.raises(errors.TooLarge):
        limits.refuse_bytes("bars", 200 * 10 + 1, 10)
