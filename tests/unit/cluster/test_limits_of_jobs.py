"""A job that asks for more than one may is refused at once, by the name of the limit, before anything is opened or stored for it."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import pytest

from cluster import machine
from cluster.cli import job_commands
from cluster.cli.job_commands import RunOptions
from cluster.jobs.settings import JobSettings
from cluster.machine import MachineSettings
from coinswarm import errors
from coinswarm.ledger.memory import MemoryStore
from tests import jobs_world

PLAY = {"text": "a play that is never read"}
HUGE: list[tuple[str, dict[str, Any], str]] = [
    ("chaos", {"markets": ["BTC/USDT"], "trades": 10**10}, "100,000,000 chaos trades"),
    ("evolve", {"plays": [PLAY], "search": {"generations": 10**6, "population": 2}}, "100,000 generations"),
    ("evolve", {"plays": [PLAY], "search": {"generations": 2000, "population": 10**6}}, "1,000,000,000 variants"),
    (
        "honesty",
        {"settings": {"pipeline": "evolve", "worlds": 10**5, "evolve": {"search": {"population": 10**4}}}, "plays": [PLAY]},
        "1,000,000,000 variants",
    ),
    ("fetch", {"exchange": "binance", "markets": ["BTC/USDT"] * 500, "timeframe": "1m", "days": 10_000}, "200,000,000 fetched bars"),
]


@pytest.fixture(params=HUGE, ids=[f"{kind}-{number}" for number, (kind, _, _) in enumerate(HUGE)])
def huge(request: pytest.FixtureRequest) -> tuple[JobSettings, str]:
    kind, values, limit = request.param
    return jobs_world.request(kind, **values), limit


def test_planning_refuses_it(huge: tuple[JobSettings, str], tmp_path: Path) -> None:
    asked, limit = huge
    store = MemoryStore()
    context = dataclasses.replace(
        jobs_world.plan_context(tmp_path / "no such bars", store=store), limits=MachineSettings(home=tmp_path).job_limits
    )
    begun = time.perf_counter()
    with pytest.raises(errors.TooLarge, match=limit):
        jobs_world.planned(asked, context)
    assert time.perf_counter() - begun < 1
    assert store.jobs() == ()


def test_a_command_refuses_it_before_it_opens_anything(huge: tuple[JobSettings, str], tmp_path: Path) -> None:
    asked, limit = huge
    with pytest.raises(errors.TooLarge, match=f"{limit}.*COINSWARM_MAX_"):
        job_commands.execute([asked], RunOptions(), MachineSettings(home=tmp_path / "home"))
    assert not (tmp_path / "home").exists()


def test_the_limits_are_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COINSWARM_MAX_CHAOS_TRADES", str(10**10))
    assert machine.load().job_limits.chaos_trades == 10**10
