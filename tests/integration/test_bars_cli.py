"""`coinswarm bars` as a user meets it: real files, a real DuckDB, exit codes and messages."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from cluster.cli.app import COMMANDS, app
from coinswarm.market import providers
from coinswarm.market.catalog import Catalog
from tests.exchanges import ReplayExchange
from tests.unit.market.tapes import tape

NAME = "binance_BTC-USDT_5m.parquet"
COLUMNS = ("ts", "open", "high", "low", "close", "volume")


@pytest.fixture
def run(tmp_path, database_url):
    """Runs `coinswarm` with a home folder of its own."""
    home = {"COINSWARM_HOME": str(tmp_path / "home"), "COINSWARM_BARS_PATH": "", "COINSWARM_DATABASE_URL": database_url}
    runner = CliRunner(env={**home, "COINSWARM_DEBUG": ""})
    return lambda *arguments: runner.invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def frame():
    bars = tape(60)
    return pl.DataFrame({name: getattr(bars, name) for name in COLUMNS})


def written(folder: Path, frame: pl.DataFrame, name: str = NAME) -> Path:
    path = folder / name
    if name.endswith("csv"):
        frame.write_csv(path)
    else:
        frame.write_parquet(path)
    return path


def shuffled(frame):
    return frame.sample(fraction=1.0, shuffle=True, seed=3)


def mixed_units(frame):
    return frame.with_columns(ts=pl.when(pl.int_range(pl.len()) < 30).then(pl.col("ts") // 1000).otherwise(pl.col("ts")))


BAD_INPUTS = {
    "no close": (lambda frame: frame.drop("close"), NAME, "no column for close"),
    "shuffled": (shuffled, NAME, "out of order"),
    "duplicated": (lambda frame: pl.concat([frame[:5], frame[4:]]), NAME, "1 repeated time: row 6"),
    "negative": (lambda frame: frame.with_columns(low=-pl.col("low")), NAME, "negative low in 60 bars"),
    "nan": (lambda frame: frame.with_columns(close=pl.lit(np.nan)), NAME, "no number as close in 60 bars"),
    "newest first": (lambda frame: frame.reverse(), "binance_BTC-USDT_5m.csv", "newest first"),
    "seconds with milliseconds": (mixed_units, NAME, "mixed units (seconds in 30 rows, milliseconds in 30 rows)"),
    "another timeframe": (lambda frame: frame, "binance_BTC-USDT_1h.parquet", "the timeframe 1h contradicts the times"),
    "no market": (lambda frame: frame, "prices.parquet", "--symbol"),
}


@pytest.mark.parametrize("case", BAD_INPUTS)
def test_bad_input_is_refused_with_a_message_and_nothing_is_written(run, frame, tmp_path, case):
    spoil, name, message = BAD_INPUTS[case]
    result = run("bars", "import", written(tmp_path, spoil(frame), name))
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "home").exists()


def test_one_broken_file_among_many_keeps_all_of_them_out(run, frame, tmp_path):
    good, bad = written(tmp_path, frame), written(tmp_path, frame.drop("close"), "binance_ETH-USDT_5m.parquet")
    result = run("bars", "import", good, bad)
    assert result.exit_code == 2
    assert "1 of 2 files are refused, so none of them is stored" in result.stderr
    assert json.loads(run("bars", "list", "--json").stdout) == []


def test_a_conflict_in_the_last_file_keeps_the_first_out_too(run, frame, tmp_path):
    assert run("bars", "import", written(tmp_path, frame)).exit_code == 0
    other = written(tmp_path, frame, "binance_ETH-USDT_5m.parquet")
    result = run("bars", "import", other, written(tmp_path, frame.with_columns(volume=pl.col("volume") + 1)))
    assert result.exit_code == 2
    assert "60 bars differ from what is stored" in result.stderr
    assert [entry["symbol"] for entry in json.loads(run("bars", "list", "--json").stdout)] == ["BTC/USDT"]


def test_import_list_and_check_agree_with_the_file(run, frame, tmp_path):
    path = written(tmp_path, frame)
    (stored,) = json.loads(run("bars", "import", path, "--json").stdout)
    (again,) = json.loads(run("bars", "import", path, "--json").stdout)
    (listed,) = json.loads(run("bars", "list", "--json").stdout)
    (checked,) = json.loads(run("bars", "check", "btcusdt", "--json").stdout)
    assert (stored["added"], again["added"], again["unchanged"]) == (60, 0, 60)
    assert stored["content_hash"] == again["content_hash"] == listed["content_hash"] == tape(60, exchange="binance").content_hash
    assert (checked["key"], checked["findings"]) == ("binance:BTC/USDT:5m", [])


def test_sort_accepts_a_file_that_is_newest_first(run, frame, tmp_path):
    path = written(tmp_path, frame.reverse(), "binance_BTC-USDT_5m.csv")
    assert run("bars", "import", path, "--sort").exit_code == 0


def test_prefer_decides_a_conflict(run, frame, tmp_path):
    run("bars", "import", written(tmp_path, frame))
    (stored,) = json.loads(
        run("bars", "import", written(tmp_path, frame.with_columns(volume=pl.lit(3.0))), "--prefer", "new", "--json").stdout
    )
    assert stored["replaced"] == 60


def test_a_market_that_is_not_stored_names_the_nearest(run, frame, tmp_path):
    run("bars", "import", written(tmp_path, frame))
    result = run("bars", "check", "BTX/USDT")
    assert result.exit_code == 2
    assert "did you mean binance:BTC/USDT:5m" in result.stderr


def test_an_empty_machine_lists_nothing_and_says_how_to_start(run):
    result = run("bars", "list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "bars import" in result.stderr


def test_fetched_bars_are_stored_and_the_fetch_goes_on(run, tmp_path):
    providers.CONNECTORS["replay"] = lambda *_: ReplayExchange(tape(120), failing=lambda call: call == 2)
    try:
        arguments = ("bars", "fetch", "replay", "BTCUSDT", "--since", "2024-01-01", "--json")
        first, second = (json.loads(run(*arguments).stdout) for _ in range(2))
    finally:
        del providers.CONNECTORS["replay"]
    assert [(job["status"], job["added"], job["fetched"][0]["added"]) for job in (first, second)] == [("done", 120, 120), ("done", 0, 0)]
    with Catalog.open(tmp_path / "home" / "bars.duckdb", read_only=True) as catalog:
        assert catalog.read("BTC/USDT").content_hash == tape(120).content_hash


def test_an_unreachable_exchange_fails_with_a_message(run):
    providers.CONNECTORS["replay"] = lambda *_: ReplayExchange(tape(120), failing=lambda _: True)
    try:
        failed = run("bars", "fetch", "replay", "BTC/USDT", "--patience", "0.2", "--days", "2")
    finally:
        del providers.CONNECTORS["replay"]
    assert failed.exit_code == 2
    assert "replay does not answer" in failed.stderr


def test_a_synthetic_market_is_marked_wherever_it_is_shown(run):
    assert "SYNTHETIC" in run("bars", "synthetic", "BTC/USDT", "--days", "2").stdout
    assert "SYNTHETIC" in run("bars", "list").stdout
    assert "SYNTHETIC" in run("bars", "check").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("bars",), ("bars", "import"), ("bars", "nonsense"), ("nonsense",), ("bars", "import", "nowhere.parquet"),
        ("bars", "list", "--no-such"),
        ("bars", "fetch", "no-such-exchange", "BTC/USDT"), ("bars", "fetch", "binance", "BTC/USDT", "--since", "2999-01-01"),
        ("bars", "fetch", "binance", "?"), ("bars", "synthetic", "BTC/USDT", "-t", "7x"), ("bars", "synthetic", "BTC/USDT", "--days", "0"),
    ],
)  # fmt: skip
def test_wrong_usage_ends_with_2_and_no_traceback(run, arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_help_names_every_command(run):
    result = run("--help")
    assert result.exit_code == 0
    assert all(name in result.stdout for name in COMMANDS)


def test_stored_bars_are_resampled_beside_themselves(run, tmp_path, frame):
    run("bars", "import", written(tmp_path, frame))
    done = run("bars", "resample", "BTC/USDT", "--timeframe", "15m", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)[0]["key"] == "binance:BTC/USDT:15m"
    keys = [entry["key"] for entry in json.loads(run("bars", "list", "--json").stdout)]
    assert keys == ["binance:BTC/USDT:5m", "binance:BTC/USDT:15m"]


def test_too_few_bars_for_one_slow_bar_are_refused(run, tmp_path, frame):
    run("bars", "import", written(tmp_path, frame[:3]))
    done = run("bars", "resample", "BTC/USDT", "--timeframe", "1w")
    assert (done.exit_code, "holds no whole bar of 1w" in done.stderr) == (2, True)
    assert len(json.loads(run("bars", "list", "--json").stdout)) == 1
