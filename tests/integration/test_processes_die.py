"""Processes of `coinswarm serve` die, stop or are started twice: a job ends as if nothing had been. `make drills` does more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.drills import jobs, judge, world
from tests.drills.drill import Drill
from tests.drills.faults import Action, Fault
from tests.drills.jobs import Example, Sources
from tests.drills.processes import Home
from tests.integration.cancel_world import KERNELS

LEASE_S, STOP_S = 3.0, 5.0
USUAL_S = 3.0
"""What the search takes once kernels are compiled; the first one may compile them."""
SEARCH = Example(kind="evolve", size="small", request=lambda _, name: jobs.search(name, population=12, generations=100))


@pytest.fixture(scope="module")
def drill() -> Iterator[Drill]:
    with world.world(NUMBA_CACHE_DIR=str(KERNELS)) as there, world.served(there, "--lease", str(LEASE_S), "--slots", "1") as unit:
        given = Sources(search="")
        expected = {example.name: replace(found, seconds=USUAL_S) for example, found in jobs.undisturbed(there, given, (SEARCH,))}
        yield Drill(there=there, unit=unit, home=Home(there.home), sources=given, expected=expected, stop_s=STOP_S)


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("worker process at work", "twice"),
        ("driver service", "stop"),
        ("computing process of the API", "kill"),
        ("PostgreSQL backend", "kill"),
    ],
)
def test_a_job_ends_as_if_nothing_had_been(drill: Drill, kind: str, action: Action) -> None:
    outcome = drill.inflict(1, Fault(kind=kind, side="serve", action=action, example=SEARCH, moment=0.2))
    assert outcome.tried
    assert outcome.healed, outcome.wrong


def test_afterwards_a_recount_differs_in_nothing_and_no_lease_or_process_is_left(drill: Drill) -> None:
    assert judge.judged(drill.there, drill.unit, drill.home).wrong == []
    assert drill.unknown == set()
