"""Patterns by the command: discovered, kept once, shown, exported, reviewed, reported; the same for any number of workers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cluster import bootstrap
from cluster.cli.app import main
from cluster.workers.crew import RayCrew
from coinswarm import patterns, play
from coinswarm.market.catalog import Catalog
from coinswarm.patterns import DiscoverSettings, telling
from tests.unit.patterns.made_trades import drawn, rising, walk, with_edge


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> Path:
    """A home with one market in which a rise goes on for half an hour."""
    folder = tmp_path_factory.mktemp("patterns")
    bars = walk(31, n=30_000)
    plain = np.diff(np.log(np.r_[100.0, bars.close]))
    steps = plain.copy()
    for bar in range(20, len(bars) - 7):
        if plain[bar - 4 : bar + 1].sum() > 0.002:
            steps[bar + 1 : bar + 7] += 0.0008
    close = 100 * np.exp(np.cumsum(steps))
    before = np.r_[100.0, close[:-1]]
    low, high = np.minimum(before, close) * 0.9999, np.maximum(before, close) * 1.0001
    with Catalog.open(folder / "bars.duckdb") as catalog:
        catalog.put(replace(bars, open=before, close=close, low=low, high=high), source="a test")
    return folder


@pytest.fixture
def command(home: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("COINSWARM_HOME", str(home))
    monkeypatch.setenv("COINSWARM_DATABASE_URL", database_url)

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


def test_a_cluster_finds_what_one_process_finds(ray_cluster: bootstrap.Session) -> None:
    trades, settings = drawn(11), DiscoverSettings(flips=199, depth=2)
    edged = with_edge(trades, rising(trades), 0.3)
    crew = RayCrew()
    try:
        far = patterns.discover(edged, settings, spread=crew.run)
    finally:
        crew.close()
    assert repr(telling.summary(far)) == repr(telling.summary(patterns.discover(edged, settings)))
