"""What a job does besides computing: stopping, going on, refusing, waiting."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from cluster.compute.batching import BatchEvaluator
from cluster.compute.local import LocalExecutor
from cluster.jobs.progress import SearchProgress
from cluster.run import drive
from cluster.store import tables
from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from coinswarm import errors
from coinswarm.ledger.memory import MemoryStore
from coinswarm.ledger.records import new_owner
from tests.integration import evolve_world
from tests.integration.evolve_world import LastFirst, Witness, World, driven

DRIVER = """
import sys, time
from pathlib import Path
from cluster.compute.batching import BatchEvaluator
from cluster.compute.local import LocalExecutor
from cluster.jobs.evolve.loop import SearchLoop
from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from tests import jobs_world
from tests.integration import evolve_world
from tests.integration.evolve_world import Witness

class Slow(Witness):
    def on_progress(self, progress):
        print(progress.evaluations, flush=True)
        time.sleep(0.3)

url, job, catalog = sys.argv[1:]
store = PostgresStore(Database(url))
planned = evolve_world.resumed(store, job, Path(catalog))
jobs_world.driven(store, job, SearchLoop(planned, store, BatchEvaluator(LocalExecutor())), watcher=Slow(), lease_s=600.0)
"""


@pytest.fixture(scope="module")
def expected(small_world: World) -> str:
    """The result hash of the small search, run without any interruption."""
    return driven(MemoryStore(), BatchEvaluator(LocalExecutor()), small_world.plan(baselines=False)).result_hash


def test_the_order_in_which_islands_finish_changes_nothing(small_world: World, expected: str) -> None:
    assert driven(MemoryStore(), LastFirst(BatchEvaluator(LocalExecutor())), small_world.plan(baselines=False)).result_hash == expected


def test_another_seed_finds_other_populations(small_world: World, expected: str) -> None:
    assert driven(MemoryStore(), BatchEvaluator(LocalExecutor()), small_world.plan(seed=8, baselines=False)).result_hash != expected


def test_a_cancelled_job_keeps_what_was_evaluated_and_goes_on_to_the_same_result(
    small_world: World, store: PostgresStore, expected: str
) -> None:
    planned = small_world.plan(baselines=False)
    ending = driven(store, BatchEvaluator(LocalExecutor()), planned, witness=Witness(stop_after=3))
    kept = sum(len(batch) for batch in store.evaluations(planned.job.id))
    assert (ending.status, store.job(planned.job.id).status) == ("cancelled", "cancelled")
    assert kept == ending.result["evaluations"] > 0
    again = evolve_world.resumed(store, planned.job.id, small_world.catalog)
    assert driven(store, BatchEvaluator(LocalExecutor()), again, new=False).result_hash == expected


def test_a_driver_killed_at_once_loses_no_committed_trial_and_the_job_goes_on_to_the_same_result(
    small_world: World, store: PostgresStore, database_url: str, expected: str
) -> None:
    planned = small_world.plan(baselines=False)
    evolve_world.submit(store, planned)
    command = [sys.executable, "-c", DRIVER, database_url, planned.job.id, str(small_world.catalog)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2], text=True) as process:
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(3)][-1]
        process.send_signal(signal.SIGKILL)
    assert sum(len(batch) for batch in store.evaluations(planned.job.id)) >= told
    run_out(database_url, planned.job.id)
    again = evolve_world.resumed(store, planned.job.id, small_world.catalog)
    assert driven(store, BatchEvaluator(LocalExecutor()), again, new=False).result_hash == expected


def run_out(url: str, job: str) -> None:
    """Let the lease of a dead driver end now, which it would do by itself some time later."""
    database = Database(url)
    ended = sa.update(tables.jobs).where(tables.jobs.c.id == job).values(lease_expires=sa.func.now())
    database.run(lambda connection: connection.execute(ended))
    database.close()


def test_no_trial_is_stored_twice(small_world: World, store: PostgresStore) -> None:
    ending = driven(store, BatchEvaluator(LocalExecutor()), small_world.plan(baselines=False))
    variants = [variant for batch in store.evaluations(ending.job) for variant in batch.variants]
    assert len(variants) == len(set(variants)) == ending.result["distinct"]


def test_two_drivers_cannot_run_one_job(small_world: World, store: PostgresStore) -> None:
    planned = small_world.plan()
    evolve_world.submit(store, planned)
    store.claim(planned.job.id, new_owner("elsewhere", 1))
    with pytest.raises(errors.Conflict, match="is driven by elsewhere"):
        drive.claim(store, planned.job.id, lease_s=5.0)


def test_resume_refuses_a_play_that_changed_and_shows_how(small_world: World, tmp_path: Path) -> None:
    store, path = MemoryStore(), tmp_path / "play.yml"
    path.write_text(evolve_world.PLAY)
    planned = small_world.plan(path=path)
    evolve_world.submit(store, planned)
    path.write_text(evolve_world.PLAY.replace("max: 40", "max: 41"))
    with pytest.raises(errors.Refused, match=r"(?s)-  fast: .* max: 40 .*\+  fast: .* max: 41 "):
        evolve_world.resumed(store, planned.job.id, small_world.catalog)


def test_resume_refuses_other_code(small_world: World) -> None:
    store, planned = MemoryStore(), small_world.plan()
    older = replace(planned, job=replace(planned.job, code_version="0.0.1+abcdef"))
    evolve_world.submit(store, older)
    with pytest.raises(errors.Refused, match=r"- 0\.0\.1\+abcdef"):
        evolve_world.resumed(store, older.job.id, small_world.catalog)


class Flaky(MemoryStore):
    """A store whose database is away for the first commits."""

    away = 3

    def commit_generation(self, *arguments: object, **others: object) -> bool:
        self.away -= 1
        if self.away >= 0:
            raise errors.Unavailable("the database does not answer")
        return super().commit_generation(*arguments, **others)  # type: ignore[arg-type]


def test_a_database_that_goes_away_is_waited_for_and_nothing_is_lost(small_world: World, expected: str) -> None:
    witness = Witness()
    assert driven(Flaky(), BatchEvaluator(LocalExecutor()), small_world.plan(baselines=False), witness=witness).result_hash == expected
    assert [note.split(":")[0] for note in witness.notes] == ["waiting for the database", "the database is back"]


class Full(MemoryStore):
    """A store whose disk is full at one commit, until somebody has made room."""

    left = 4

    def commit_generation(self, *arguments: object, **others: object) -> bool:
        self.left -= 1
        if self.left == 0:
            raise errors.StorageFull("the disk of the database is full")
        return super().commit_generation(*arguments, **others)  # type: ignore[arg-type]


def test_a_disk_that_fills_fails_the_job_and_it_goes_on_once_there_is_room(small_world: World, expected: str) -> None:
    store, planned = Full(), small_world.plan(baselines=False)
    with pytest.raises(errors.StorageFull):
        driven(store, BatchEvaluator(LocalExecutor()), planned)
    failed = store.job(planned.job.id)
    assert (failed.status, "disk" in failed.error) == ("failed", True)
    again = evolve_world.resumed(store, planned.job.id, small_world.catalog)
    assert driven(store, BatchEvaluator(LocalExecutor()), again, new=False).result_hash == expected


def test_progress_is_told_only_of_what_the_database_has(small_world: World) -> None:
    store, planned = Counting(), small_world.plan(baselines=False)
    witness = Accountant(store, planned.job.id)
    driven(store, BatchEvaluator(LocalExecutor()), planned, witness=witness)
    assert len(witness.seen) == 8
    assert all(told <= stored for told, stored in witness.compared)


class Counting(MemoryStore):
    """A store that takes its time."""

    def commit_generation(self, *arguments: object, **others: object) -> bool:
        time.sleep(0.05)
        return super().commit_generation(*arguments, **others)  # type: ignore[arg-type]


class Accountant(Witness):
    """Compares what it is told with what is stored."""

    def __init__(self, store: MemoryStore, job: str) -> None:
        super().__init__()
        self._store, self._job = store, job
        self.compared: list[tuple[int, int]] = []

    def on_progress(self, progress: SearchProgress) -> None:
        super().on_progress(progress)
        done = sum(record.evaluations for record in self._store.generations(self._job) if record.island >= 0)
        self.compared.append((progress.evaluations, done))


def test_bars_that_changed_since_the_job_was_made_are_refused(small_world: World) -> None:
    planned = small_world.plan()
    source = replace(planned.task.sources[0], content_hash="0" * 64)
    changed = replace(planned, task=replace(planned.task, sources=(source, *planned.task.sources[1:])))
    with pytest.raises(errors.Conflict, match="changed since the job was made"):
        driven(MemoryStore(), BatchEvaluator(LocalExecutor()), changed)


def test_a_span_shorter_than_the_warm_up_is_refused_before_anything_is_started(small_world: World) -> None:
    with pytest.raises(errors.SpanTooShort, match="warm-up"):
        small_world.plan(end_ts=1_704_067_200_000 + 40 * 300_000)


def test_a_market_that_is_not_stored_is_refused_with_the_nearest_names(small_world: World) -> None:
    other = World(catalog=small_world.catalog, markets=("BTCUSDC",))
    with pytest.raises(errors.NotFound, match="binance:BTC/USDT:5m"):
        other.plan()


def test_an_infeasible_search_ends_without_winners(small_world: World) -> None:
    planned = small_world.plan(baselines=False)
    hopeless = planned.search.model_copy(update={"constraints": (planned.search.constraints[0].model_copy(update={"threshold": 1e6}),)})
    result = driven(MemoryStore(), BatchEvaluator(LocalExecutor()), replace(planned, search=hopeless)).result
    assert (result["best"], result["pareto"]) == (None, [])
    assert math.isfinite(result["seconds"])
