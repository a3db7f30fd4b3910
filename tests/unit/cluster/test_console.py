from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from cluster.cli import console
from coinswarm import codec
from coinswarm.config import Costs


@dataclass
class Record:
    name: str
    value: float


def test_json_has_null_for_what_is_infinite_or_missing(capsys):
    console.emit_json({"a": float("inf"), "b": np.array([1.0, np.nan]), "c": np.int64(3), "d": [-np.inf]})
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": [1.0, None], "c": 3, "d": [None]}


def test_records_models_times_and_paths_become_plain():
    assert codec.plain(Record("x", float("nan"))) == {"name": "x", "value": None}
    assert codec.plain(Costs())["taker_bps"] == Costs().taker_bps
    assert codec.plain([datetime(2024, 1, 2, tzinfo=UTC), Path("a/b")]) == ["2024-01-02T00:00:00+00:00", "a/b"]


def test_results_go_to_stdout_and_notes_to_stderr(capsys):
    console.text("result")
    console.note("note [bold]")
    seen = capsys.readouterr()
    assert (seen.out, seen.err) == ("result\n", "note [bold]\n")


def test_synthetic_tables_say_so(capsys):
    console.table("Bars", ("name", "n"), [["[x]", 3], [None, None]], synthetic=True)
    shown = capsys.readouterr().out
    assert console.SYNTHETIC in shown
    assert "[x]" in shown


def test_a_table_in_a_pipe_is_as_wide_as_its_words(monkeypatch, capsys):
    monkeypatch.delenv("COLUMNS", raising=False)
    console.table("Bars", ("name", "what"), [["x" * 150, "words " * 30], ["y", ""]])
    lines = capsys.readouterr().out.splitlines()
    assert any("x" * 150 in line for line in lines)
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize("columns", [80, 100, 132])
def test_a_table_stays_one_and_within_the_width_that_is_asked_for(monkeypatch, capsys, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    headings = ["#", "job", *(f"figure {number} of it" for number in range(6)), "parameters"]
    rows = [[k, "evolve-20260101-120000-abcd", *(f"{k * 10.5:,.2f} %" for _ in range(6)), "length=10 " * 30] for k in (1, 20)]
    console.table("Best", headings, rows, below=True)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    assert sum("210.00 %" in line for line in lines) == 1
    assert sum("length=10" in line for line in lines) > 2


def test_facts_leave_out_what_is_empty(capsys):
    console.facts("job", [("driver", None), ("error", ""), ("raced", False), ("done", True), ("best", 0)])
    shown = capsys.readouterr().out
    assert "driver" not in shown
    assert "error" not in shown
    for word in ("no", "yes", "0"):
        assert word in shown.split()


class Terminal(io.StringIO):
    """A screen that keeps what it is shown."""

    def isatty(self):
        return True


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 120])
def test_no_word_or_number_is_cut_on_a_screen_of_any_width(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    rows = [["binance:BTC/USDT:5m", 71769, "2024-01-01", "a=1 b=22 c=333"], ["binance:日本/USDT:5m", 3, None, ""]]
    with redirect_stdout(Terminal()) as shown:
        console.table("Bars", ("data set", "bars", "first day", "what"), rows)
    for word in ("binance:BTC/USDT:5m", "binance:日本/USDT:5m", "71769", "2024-01-01", "c=333"):
        assert word in shown.getvalue()


def test_an_empty_table_shows_its_headings(capsys):
    console.table("Bars", ("data set", "bars"), [])
    assert "data set" in capsys.readouterr().out
