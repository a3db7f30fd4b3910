"""What is refused before anything is fetched, stored or started."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.cli import app, demo, job_commands
from cluster.jobs import plays
from cluster.jobs.markets import TimeSpan
from cluster.machine import MachineSettings
from coinswarm import errors, play
from tests import jobs_world

ROOT = Path(__file__).resolve().parents[3]


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
    with pytest.raises(errors.InvalidArgument, match=r"--from must lie before --to, got 1970-01-02 and 1970-01-01"):
        TimeSpan(start_ts=86_400_000, end_ts=0).fenced()


CANDLES = "timestamp,open,high,low,close,volume\n"  # nothing that could be imported
RULE = """
name: one
features: {{ fast: {{ indicator: ema, params: {{ length: {length} }} }} }}
actions: {{ entry_long: [[close, cross_above, fast]], exit_long: [[close, cross_below, fast]] }}
"""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["patterns", "test", "--from", "2024-02-01", "--to", "2024-01-01"], "--from must lie before --to"),
        (["patterns", "test", "one.yml", "other.yml"], "each rule has a name of its own, got several called one"),
        (["patterns", "test", "one.yml", "one.yml"], "each rule is tested once"),
        (["validate", "one.yml", "--campaign", ""], "campaign"),
        (["honesty", "--hold", "soon"], "hold reads SHORTEST..LONGEST"),
        (["chaos", "run", "--size", "5..1"], "size is above 0"),
        (["chaos", "run", "--trades", "10000000000"], "a job may ask for at most 100,000,000 chaos trades"),
    ],
)
def test_what_can_be_refused_without_bars_is_refused_before_files_are_imported(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    for name, length in (("one", 5), ("other", 6)):
        (tmp_path / f"{name}.yml").write_text(RULE.format(length=length))
    (tmp_path / "bars.csv").write_text(CANDLES)
    with pytest.raises(SystemExit) as left:
        app.main([*words, "--like" if words[0] == "honesty" else "--bars", "bars.csv"])
    assert left.value.code == 2
    assert said in capsys.readouterr().err


def idle(**given):
    with pytest.raises(errors.InvalidArgument) as refused:
        job_commands.refuse_idle(job_commands.RunOptions(**given), MachineSettings(server=given.pop("configured", None)))
    return str(refused.value)


def test_an_option_that_says_nothing_to_how_a_job_is_run_is_refused():
    assert "--estimate does not go with --queue" in idle(estimate=True, queue=True)
    assert "--detach does not go with --estimate" in idle(detach=True, estimate=True)
    assert "--queue does not go with --server" in idle(queue=True, server="http://127.0.0.1:1")
    assert "--workers does not go with --server" in idle(workers=2, server="http://127.0.0.1:1")
    assert "--workers does not go with --queue" in idle(workers=2, queue=True)
    assert "--out does not go with --estimate" in idle(out=Path("card.html"), estimate=True)
    assert "--priority goes with --queue or --server" in idle(priority=3)
    assert "--key goes with --queue or --server" in idle(key="once")


def test_options_that_say_something_to_how_a_job_is_run_are_taken():
    for given in (
        {"workers": 2, "address": "there:6379", "out": Path("card.html")},
        {"detach": True, "workers": 2, "address": "there:6379"},
        {"estimate": True, "workers": 2},
        {"queue": True, "priority": 3, "key": "once"},
        {"server": "http://127.0.0.1:1", "priority": 3, "key": "once"},
    ):
        assert job_commands.refuse_idle(job_commands.RunOptions(**given), MachineSettings()) is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["honesty", "--planted", "--families", "N0"], "--families does not go with --planted"),
        (["honesty", "--play", "plays/examples/trend_pullback.yml"], "--play goes with --pipeline evolve"),
        (["honesty", "--pipeline", "evolve", "--flips", "999"], "--flips does not go with --pipeline evolve"),
        (["validate", "abcdef", "--best", "2"], "--best is for a job"),
        (["jobs", "resume", "evolve-1", "--server", "http://127.0.0.1:9", "--workers", "2"], "--workers does not go with --server"),
        (["watch", "evolve-1", "--server", "http://127.0.0.1:9", "--interval", "2"], "--interval does not go with --server"),
        (["show", "abcdef", "--server", "http://127.0.0.1:9", "--side", "long"], "--side goes with --trades or --equity"),
        (["validate", "abcdef", "--no-unseen", "--most-unseen", "3"], "--most-unseen does not go with --no-unseen"),
    ],
)
def test_a_pair_of_options_of_which_one_says_nothing_is_refused(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    with pytest.raises(SystemExit) as left:
        app.main(words)
    assert left.value.code == 2
    assert said in capsys.readouterr().err


def test_the_plays_that_the_readme_names_are_there_where_no_checkout_is(tmp_path, monkeypatch):
    named = set(re.findall(r"plays/\w+/\w+\.yml", (ROOT / "README.md").read_text("utf-8")))
    monkeypatch.chdir(tmp_path)
    assert named
    for path in named:
        assert play.load(path).name
        assert job_commands.ThisMachine(MachineSettings()).plays([Path(path)])[0].path is None
    with pytest.raises(errors.NotFound):
        play.load("plays/examples/nothing.yml")


def test_a_file_that_is_there_comes_before_the_one_that_comes_with_the_program(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "plays" / "examples" / "trend_pullback.yml"
    mine.parent.mkdir(parents=True)
    mine.write_text(RULE.format(length=5))
    assert play.load("plays/examples/trend_pullback.yml").name == "one"
