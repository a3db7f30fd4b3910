"""What is refused before anything is fetched, stored or started."""

from __future__ import annotations

import pytest

from cluster.cli import app, asking
from coinswarm import errors
from coinswarm.evolve.settings import SearchSettings


def test_costs_outside_their_domain_are_bad_settings():
    with pytest.raises(errors.BadSetting, match="taker_bps"):
        asking.request([], [], None, (None, None), SearchSettings(), {"taker_bps": -4.0, "slippage_bps": None}, {})


def test_a_demo_of_a_broken_play_stores_no_bars(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    (tmp_path / "play.yml").write_text("- 1\n")
    with pytest.raises(SystemExit) as left:
        app.main(["demo", str(tmp_path / "play.yml")])
    assert left.value.code == 2
    assert "a play is a mapping" in capsys.readouterr().err
    assert not (tmp_path / "home" / "bars.duckdb").exists()
