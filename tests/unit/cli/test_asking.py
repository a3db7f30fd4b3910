"""What is refused before anything is fetched, stored or started."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from cluster.cli import app, demo
from cluster.jobs import plays
from cluster.jobs.markets import TimeSpan
from coinswarm import errors
from tests import jobs_world


def test_costs_outside_their_domain_are_bad_settings():
    given = jobs_world.play(demo.example().read_text())
    with pytest.raises(errors.BadSetting, match="taker_bps"):
        plays.read(given, plays.Overrides(taker_bps=-4.0))


def test_a_demo_of_a_broken_play_stores_no_bars(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    (tmp_path / "play.yml").write_text("- 1\n")
    with pytest.raises(SystemExit) as left:
        app.main(["demo", str(tmp_path / "play.yml")])
    assert left.value.code == 2
    assert "a play is a mapping" in capsys.readouterr().err
    assert not (tmp_path / "home" / "bars.duckdb").exists()


def test_an_evolution_of_a_broken_play_imports_no_bars(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    (tmp_path / "play.yml").write_text("- 1\n")
    (tmp_path / "bars.csv").write_text("timestamp,open,high,low,close,volume\n")
    with pytest.raises(SystemExit) as left:
        app.main(["evolve", str(tmp_path / "play.yml"), "--bars", str(tmp_path / "bars.csv")])
    assert left.value.code == 2
    assert "a play is a mapping" in capsys.readouterr().err


def test_a_demo_finds_its_play_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert demo.example().is_file()


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-"])
def test_a_closed_output_is_said_and_no_internal_error(tmp_path, closed):
    command = f"{sys.executable} -c 'from cluster.cli.app import main; main()' jobs list {closed}"
    environment = {**os.environ, "COINSWARM_HOME": str(tmp_path)}
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert ("standard output must be open" in done.stderr) == (closed == ">&-")
    assert "internal error" not in done.stderr


def test_an_end_before_its_beginning_is_told_by_the_names_of_the_options():
    assert TimeSpan(start_ts=0, end_ts=86_400_000).fenced() == TimeSpan(start_ts=0, end_ts=86_400_000)
    assert TimeSpan().fenced() == TimeSpan()
    with pytest.raises(errors.InvalidArgument, match=r"--from must lie before --to, was 1970-01-02 and 1970-01-01"):
        TimeSpan(start_ts=86_400_000, end_ts=0).fenced()
