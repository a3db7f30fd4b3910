"""`coinswarm backtest` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cluster.cli import app, backtest, demo
from coinswarm import play

PLAY = """
version: "3.0.0"
name: averages
features:
  fast: {indicator: sma, params: {length: [3, 5]}}
  slow: {indicator: sma, params: {length: {min: 10, max: 20, step: 5}}}
actions:
  entry_long: {all: [[fast, cross_above, slow]]}
  exit_long: {all: [[fast, cross_below, slow]]}
risk: {stop_loss_pct: 2.0}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a play and a day of one-minute bars."""
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    (tmp_path / "play.yml").write_text(PLAY)
    close = 100 + np.cumsum(np.sin(np.arange(1440) / 15)) / 5
    opening = np.concatenate([[100.0], close[:-1]])
    columns = {"open": opening, "high": np.maximum(opening, close) + 0.1, "low": np.minimum(opening, close) - 0.1, "close": close}
    times = 1_700_000_040_000 + np.arange(1440) * 60_000
    pl.DataFrame({"timestamp": times, **columns, "volume": np.full(1440, 5.0)}).write_parquet(tmp_path / "test_BTC-USDT_1m.parquet")
    return tmp_path


def call(folder, *arguments):
    """Exit code of `coinswarm backtest`."""
    with pytest.raises(SystemExit) as left:
        app.main(["backtest", str(folder / "play.yml"), "--bars", str(folder / "test_BTC-USDT_1m.parquet"), *map(str, arguments)])
    return left.value.code or 0


def test_figures_and_first_trades_are_shown(folder, capsys):
    assert call(folder, "--variant", "first") == 0
    shown = capsys.readouterr().out
    assert "averages on test:BTC/USDT:1m" in shown
    assert "Profit factor" in shown
    assert "the first 10 of" in shown
    assert "fast.length=3" in shown


def test_json_has_figures_trades_and_what_they_came_from(folder, capsys):
    assert call(folder, "--set", "fast.length=5", "--set", "slow.length=20", "--fee-bps", 0, "--slippage-bps", 0, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["parameters"] == {"fast.length": 5, "slow.length": 20}
    assert found["metrics"]["n_trades"] + found["metrics"]["n_open"] == len(found["trades"])
    assert found["metrics"]["fees"] == 0
    assert (found["status"], found["synthetic"], len(found["variant"])) == ("ok", False, 64)


def test_tables_and_report_are_written(folder, capsys):
    outputs = {
        "--trades": folder / "out" / "trades.parquet",
        "--equity": folder / "out" / "equity.csv",
        "--report": folder / "out" / "report.html",
    }
    assert call(folder, "--variant", "middle", "--json", *(part for pair in outputs.items() for part in pair)) == 0
    shown = capsys.readouterr()
    trades, equity = pl.read_parquet(outputs["--trades"]), pl.read_csv(outputs["--equity"])
    assert trades.height == len(json.loads(shown.out)["trades"])
    assert (equity.height, equity.columns) == (1440, ["close_time", "equity", "position"])
    assert "averages" in outputs["--report"].read_text()
    assert shown.err.count("wrote") == 3


def test_parameters_left_open_are_listed_with_an_example(folder, capsys):
    assert call(folder, "--set", "fast.length=3") == 2
    said = capsys.readouterr().err
    assert "slow.length (10..20 step 5)" in said
    assert "--set slow.length=10" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "fats.length=3", "--variant", "first"], "fast.length"),
        (["--set", "fast.length=4", "--variant", "first"], "must be one of 3, 5"),
        (["--set", "fast.length", "--variant", "first"], "NAME=VALUE"),
        (["--variant", "last"], "first, middle or random:SEED"),
        (["--variant", "first", "--trades", "trades.xlsx"], ".parquet or .csv"),
        (["--variant", "first", "--end", "2023-11-14T22:20"], "at least"),
        (["--variant", "first", "--end", "2020-01-01"], "needs bars"),
        (["--variant", "first", "--fee-bps", "-3"], "fee-bps"),
        (["--variant", "first", "--market", "nowhere.parquet"], "nowhere.parquet"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(folder, capsys, arguments, said):
    assert call(folder, *arguments) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""
    assert "Traceback" not in captured.err


def test_random_variant_is_the_same_for_the_same_seed(folder, capsys):
    texts = []
    for _ in range(2):
        call(folder, "--variant", "random:7", "--json")
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]


def test_longest_hold_of_the_run_closes_positions(folder, capsys):
    call(folder, "--variant", "first", "--max-hold-bars", 3, "--json")
    trades = json.loads(capsys.readouterr().out)["trades"]
    assert {row["exit_reason"] for row in trades} <= {"max_hold", "stop", "signal", "open"}
    assert max(row["bars_held"] for row in trades) == 3


def test_a_file_of_faster_bars_is_resampled_with_a_note(folder, capsys):
    (folder / "play.yml").write_text(PLAY + "timeframes: {low_tf: 5m, exec: low_tf}\n")
    assert call(folder, "--variant", "first") == 0
    shown = capsys.readouterr()
    assert "averages on test:BTC/USDT:5m" in shown.out
    assert "test:BTC/USDT:1m is resampled" in shown.err


@pytest.mark.parametrize(
    ("span", "rule"),
    [
        (("--start", "2023-11-15", "--end", "2023-11-14"), "--from must lie before --to"),
        (("--start", "2030-01-01"), "needs bars between --from and --to"),
        (("--end", "2020-01-01"), "needs bars between --from and --to"),
    ],
)
def test_a_span_without_bars_is_told_as_such(folder, capsys, span, rule):
    assert call(folder, "--variant", "first", *span) == 2
    assert rule in capsys.readouterr().err


def test_two_markets_are_refused_and_not_the_first_forgotten(folder, capsys):
    assert call(folder, "--symbol", "BTC/USDT", "-s", "ETH/USDT") == 2
    assert "a backtest runs on one market, got BTC/USDT, ETH/USDT" in capsys.readouterr().err


def test_a_value_a_parameter_cannot_have_is_answered_with_those_it_can(folder, capsys):
    assert call(folder, "--set", "slow.length=11") == 2
    assert "slow.length must be 10..20 step 5" in capsys.readouterr().err


def test_stored_bars_are_traded_on_the_interval_that_is_asked_for_as_in_a_search():
    slow = play.load(demo.example())
    assert backtest.on_interval(slow, None, "1m").timeframe_ms == 60_000
    assert backtest.on_interval(slow, None, None) is slow
    assert backtest.on_interval(slow, [Path("bars.csv")], "1m") is slow


def test_files_of_other_markets_are_given_by_the_same_option(folder, capsys):
    other = folder / "test_ETH-USDT_1m.parquet"
    other.write_bytes((folder / "test_BTC-USDT_1m.parquet").read_bytes())
    assert call(folder, "--variant", "first", "--bars", other) == 0
    assert "averages on test:BTC/USDT:1m" in capsys.readouterr().out
