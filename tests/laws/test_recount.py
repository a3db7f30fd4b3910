"""What is counted again of a job: nothing differs after a sound run of any kind, and what is missing is named."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cluster.jobs import recount, registry, spec
from cluster.jobs.kind import Recount
from coinswarm.ledger.records import WHOLE_JOB, Job
from coinswarm.ledger.store import Store
from tests import jobs_world, kinds_world
from tests.kinds_world import KindsWorld
from tests.laws.ledger_world import generation, queued, running, trials


@pytest.fixture
def here(tmp_path: Path) -> Iterator[KindsWorld]:
    made = kinds_world.world(tmp_path)
    with kinds_world.replaying(made.bars[0]):
        yield made


def tallies(here: KindsWorld, job: Job) -> dict[str, Recount]:
    made = dataclasses.replace(spec.stored(here.context.store, job.id), job=job)
    return {tally.what: tally for tally in recount.of_job(made, here.context)}


def done(here: KindsWorld, kind: str) -> Job:
    return jobs_world.run(jobs_world.planned(kinds_world.example(kind, here), here.context), here.run)


def differing(found: dict[str, Recount]) -> list[str]:
    return [what for what, tally in found.items() if tally.differs]


@pytest.mark.parametrize("kind", registry.NAMES)
def test_a_sound_job_of_every_kind_differs_in_nothing_and_its_hash_is_computed_again(kind: str, here: KindsWorld) -> None:
    job = done(here, kind)
    found = tallies(here, job)
    assert differing(found) == []
    assert found["result hash"].counted == job.result_hash != ""


@pytest.mark.parametrize("kind", registry.NAMES)
def test_another_result_hash_is_noticed(kind: str, here: KindsWorld) -> None:
    assert differing(tallies(here, dataclasses.replace(done(here, kind), result_hash="0" * 64))) == ["result hash"]


def test_a_search_that_says_more_than_is_stored_is_noticed(here: KindsWorld) -> None:
    job = done(here, "evolve")
    assert job.result is not None
    best = {**job.result["best"], "fitness": job.result["best"]["fitness"] + 1.0}
    changed = dataclasses.replace(job, result={**job.result, "distinct": job.result["distinct"] + 1, "best": best})
    assert differing(tallies(here, changed)) == ["distinct variants", "best variant"]


def test_a_search_whose_states_were_pruned_is_counted_without_its_hash(here: KindsWorld) -> None:
    job = done(here, "evolve")
    here.context.store.prune(job.id)
    found = tallies(here, job)
    assert differing(found) == []
    assert found["result hash"].note == "the states of the search were pruned"


def test_steps_that_are_missing_are_noticed(here: KindsWorld) -> None:
    job, lease = running(here.context.store, kind="fetch")
    for number in (0, 2):
        here.context.store.commit_generation(lease, [generation(job, number, WHOLE_JOB)])
    assert differing(tallies(here, job)) == ["steps in one row"]


def test_a_tally_counts_rows_by_island_and_generation(store: Store) -> None:
    job, lease = running(store)
    store.commit_generation(lease, [generation(job)], [trials(job, ["a", "b"])])
    store.commit_generation(lease, [generation(job, 1, 2)], [trials(job, ["b", "c"], island=2, generation=1, fitness=np.zeros(2))])
    found = store.tally(job.id)
    assert (found.trials, found.variants, dict(found.generations)) == (3, 3, {(0, 0): 2, (2, 1): 1})


def test_a_tally_of_a_job_without_trials_is_empty(store: Store) -> None:
    found = store.tally(queued(store).id)
    assert (found.trials, found.variants, dict(found.generations)) == (0, 0, {})
