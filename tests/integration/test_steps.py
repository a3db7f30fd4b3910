"""Jobs of steps: committed one by one, taken up where they stood, with the same result as if nothing had happened."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from cluster.jobs.progress import Advance, Silent
from cluster.jobs.stages import Pace, Step, Steps
from cluster.store.postgres import PostgresStore
from coinswarm import errors
from coinswarm.ledger.records import Json
from tests import jobs_world
from tests.jobs_world import Ending
from tests.laws.ledger_world import queued


@dataclass(kw_only=True)
class Squares:
    """Five squares; breaks at one of them when told to."""

    total: int = 5
    unit: str = "squares"
    breaks_at: int | None = None
    problem: Exception = field(default_factory=lambda: errors.Unavailable("the machine must be there"))
    made: list[int] = field(default_factory=list)

    def steps(self, done: Sequence[Json], halted: Callable[[], bool]) -> Iterator[Step]:
        for number in range(len(done), self.total):
            if number == self.breaks_at:
                raise self.problem
            self.made.append(number)
            yield Step(number=number, figures={"square": number**2}, trials=1)

    def conclude(self, figures: Sequence[Json]) -> tuple[Json, str]:
        return {"sum": sum(entry["square"] for entry in figures)}, "hash"


class Listener(Silent):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.heard: list[Advance] = []

    def on_advance(self, advance: Advance) -> None:
        self.heard.append(advance)


def driven(store: PostgresStore, job: str, stages: Squares, **options: object) -> Ending:
    return jobs_world.driven(store, job, Steps(store, job, stages), **options)  # type: ignore[arg-type]


def test_the_pace_is_that_of_steps_and_leaves_out_what_is_loaded_before_the_first() -> None:
    begun = Pace().after_step(60.0)
    assert math.isnan(Pace().step_s)
    assert math.isnan(begun.step_s)
    assert begun.after_step(62.0).after_step(64.0).step_s == pytest.approx(2.0)


def test_a_job_of_steps_ends_with_its_result_and_tells_every_step(store: PostgresStore) -> None:
    job, listener = queued(store, kind="honesty").id, Listener()
    ending = driven(store, job, Squares(), watcher=listener)
    assert (ending.status, ending.result["sum"], store.job(job).result_hash) == ("done", 30, "hash")
    assert [advance.done for advance in listener.heard] == [0, 1, 2, 3, 4, 5]
    assert [math.isfinite(advance.eta_s) for advance in listener.heard] == [False, False, True, True, True, True]
    assert listener.heard[-1].eta_s == 0.0


@pytest.mark.parametrize("breaks_at", [0, 3, 4])
def test_a_job_that_lost_its_machine_goes_on_where_it_stood(store: PostgresStore, breaks_at: int) -> None:
    job, again = queued(store, kind="honesty").id, Squares()
    with pytest.raises(errors.Unavailable):
        driven(store, job, Squares(breaks_at=breaks_at))
    assert store.job(job).status == "queued"
    assert driven(store, job, again).result["sum"] == 30
    assert again.made == list(range(breaks_at, 5))


def test_a_job_that_cannot_succeed_is_stored_as_failed_with_the_reason(store: PostgresStore) -> None:
    job = queued(store, kind="honesty").id
    with pytest.raises(errors.BadInput):
        driven(store, job, Squares(breaks_at=2, problem=errors.BadInput("a world must have bars")))
    assert (store.job(job).status, store.job(job).error) == ("failed", "a world must have bars.")


def test_a_stopped_job_keeps_what_it_did_and_can_go_on(store: PostgresStore) -> None:
    job, stages = queued(store, kind="honesty").id, Squares()
    assert driven(store, job, stages, stopped=lambda: len(stages.made) == 2).status == "cancelled"
    store.resume(job)
    assert driven(store, job, Squares()).result["sum"] == 30
    assert [record.generation for record in store.generations(job)] == [0, 1, 2, 3, 4]
