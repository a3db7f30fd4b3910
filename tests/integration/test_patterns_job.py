"""Patterns by the command: discovered, kept once, shown, exported, reviewed, reported; the same for any number of workers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cluster import bootstrap
from cluster.cli.app import main
from cluster.compute.ray.executor import RayExecutor
from coinswarm import patterns, play
from coinswarm.market.bars import Bars
from coinswarm.market.catalog import Catalog
from coinswarm.patterns import DiscoverSettings, results
from tests.unit.patterns.made_trades import drawn, rising, walk, with_edge


def rise(bars: Bars, size: float, until: int) -> Bars:
    """The bars, with each rise going on for half an hour as long as it is before bar `until`."""
    plain = np.diff(np.log(np.r_[100.0, bars.close]))
    steps = plain.copy()
    for bar in range(20, until - 7):
        if plain[bar - 4 : bar + 1].sum() > 0.002:
            steps[bar + 1 : bar + 7] += size
    close = 100 * np.exp(np.cumsum(steps))
    before = np.r_[100.0, close[:-1]]
    low, high = np.minimum(before, close) * 0.9999, np.maximum(before, close) * 1.0001
    return replace(bars, open=before, close=close, low=low, high=high)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> Path:
    """A home with one market in which a rise goes on for half an hour."""
    folder = tmp_path_factory.mktemp("patterns")
    with Catalog.open(folder / "bars.duckdb") as catalog:
        catalog.put(rise(walk(31, n=30_000), 0.00015, 30_000), source="a test")
        for name, until in (("DYING", 30_000), ("LIVING", 48_000)):
            catalog.put(rise(walk(32, n=48_000, symbol=f"{name}/USDT"), 0.00015, until), source="a test")
    return folder


@pytest.fixture
def command(home: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("COINSWARM_HOME", str(home))
    monkeypatch.setenv("COINSWARM_DATABASE_URL", database_url)
    monkeypatch.setenv("COINSWARM_COMPUTE", "process")  # the session holds the one Ray that a process can have

    def call(*words: str) -> object:
        with pytest.raises(SystemExit) as ended:
            main([*words, "--json"])
        assert ended.value.code == 0
        return json.loads(capsys.readouterr().out)

    return call


def test_the_whole_way_by_the_command(command, tmp_path: Path) -> None:
    drawn_by = command("chaos", "run", "-n", "25000", "-s", "BTC/USDT", "--hold", "5m..2h", "--fee-bps", "0", "--slippage-bps", "0",
                       "-w", "1", "--campaign", "patterns-way")  # fmt: skip
    first = command("patterns", "discover", "--job", drawn_by["job"], "--depth", "2", "--flips", "199")
    again = command("patterns", "discover", "--campaign", "patterns-way", "--depth", "2", "--flips", "199")
    assert first["confirmed"] >= 1
    assert first == again
    best = next(found for found in first["patterns"] if found["status"] == "confirmed")
    assert command("patterns", "show", best["id"][:-1])["name"] == best["name"]
    file = tmp_path / "play.yaml"
    command("patterns", "export", best["id"], "--out", str(file))
    assert play.load(file).risk.max_hold_bars is not None
    assert command("patterns", "review", "--job", drawn_by["job"])[0]["review"]["verdict"] == "nothing new"
    page = Path(command("patterns", "report", first["job"], "--out", str(tmp_path / "page.html"))["path"]).read_text()
    assert best["name"].replace(">", "&gt;").replace("<", "&lt;") in page
    assert "SYNTHETIC" in page
    assert command("patterns", "retire", best["id"], "--why", "a test")["status"] == "retired"
    assert command("patterns", "power", "-s", "BTC/USDT", "--hold", "2h")["enough"] is True


def test_power_counts_the_bars_that_a_search_of_the_campaign_is_given(command) -> None:
    asked = ("patterns", "power", "-s", "BTC/USDT", "--hold", "2h")
    command("vault", "declare", "--campaign", "with-vault", "-s", "BTC/USDT", "--vault", "0.2")
    free, guarded = command(*asked), command(*asked, "--campaign", "with-vault")
    assert (free["bars"], guarded["bars"]) == (30_000, pytest.approx(24_000, abs=200))
    assert guarded["sigmas"] > free["sigmas"]
    with pytest.raises(SystemExit) as ended:
        main([*asked[:-1], "1m"])
    assert ended.value.code == 2


@pytest.mark.parametrize(("market", "fate"), [("DYING/USDT", "dead"), ("LIVING/USDT", "alive")])
def test_a_pattern_is_retired_on_bars_in_which_its_edge_has_died_and_kept_on_those_in_which_it_lives(
    command, market: str, fate: str
) -> None:
    draw = (
        "chaos",
        "run",
        "-s",
        market,
        "--hold",
        "30m",
        "--side",
        "long",
        "--fee-bps",
        "0",
        "--slippage-bps",
        "0",
        "-w",
        "1",
        "--campaign",
        fate,
    )
    cut = "2023-04-14"
    first = command(*draw, "-n", "15000", "--to", cut)
    found = command("patterns", "discover", "--job", first["job"], "--depth", "1", "--flips", "199", "-f", "momentum(5)")
    (own, *_) = [one["id"] for one in found["patterns"] if one["status"] == "confirmed"]
    later = command(*draw, "-n", "12000", "--from", cut, "--seed", "1")
    said = {each["pattern"]: each for each in command("patterns", "review", "--job", later["job"])}
    assert said[own]["review"]["verdict"] == fate
    other = command("chaos", "run", "-s", "BTC/USDT", "--hold", "30m", "-w", "1", "-n", "500", "--campaign", f"beside-{fate}")
    if fate == "alive":
        with pytest.raises(SystemExit) as ended:
            main(["patterns", "review", "--job", other["job"]])
        assert ended.value.code == 2
    status = command("patterns", "show", own)["status"]
    assert status == ("retired" if fate == "dead" else "confirmed")
    command("patterns", "retire", own, "--why", "the next test asks for none")


def test_a_cluster_finds_what_one_process_finds(ray_cluster: bootstrap.RaySession) -> None:
    trades, settings = drawn(11), DiscoverSettings(flips=199, depth=2)
    edged = with_edge(trades, rising(trades), 0.3)
    executor = RayExecutor()
    try:
        far = patterns.discover(edged, settings, spread=executor.run)
    finally:
        executor.close()
    assert repr(results.summary(far)) == repr(results.summary(patterns.discover(edged, settings)))
