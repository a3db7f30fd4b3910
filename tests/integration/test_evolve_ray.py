"""Jobs on a real Ray cluster, with a real PostgreSQL and real candles."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray

from cluster.compute.batching import BatchEvaluator
from cluster.compute.evaluator import Scored, ScoreRequest, Task
from cluster.compute.executor import Handle
from cluster.compute.local import LocalExecutor
from cluster.compute.ray.executor import RayExecutor
from cluster.queries import replay as revisit
from cluster.store.postgres import PostgresStore
from coinswarm.ledger.records import IN_SAMPLE, OUT_OF_SAMPLE
from coinswarm.metrics.figures import Status
from tests.integration.evolve_world import World, driven
from tests.integration.test_evolve_racing import raced

pytestmark = pytest.mark.usefixtures("ray_cluster")


def test_one_worker_two_workers_and_no_cluster_find_the_same_populations(small_world: World, store: PostgresStore) -> None:
    evaluators = [BatchEvaluator(RayExecutor(max_workers=1)), BatchEvaluator(RayExecutor()), BatchEvaluator(LocalExecutor())]
    hashes = {driven(store, evaluator, small_world.plan(baselines=False)).result_hash for evaluator in evaluators}
    assert len(hashes) == 1


def test_a_race_drops_the_same_variants_with_any_number_of_workers(small_world: World, store: PostgresStore) -> None:
    evaluators = [BatchEvaluator(RayExecutor(max_workers=1)), BatchEvaluator(RayExecutor(max_workers=7)), BatchEvaluator(LocalExecutor())]
    endings = [driven(store, evaluator, raced(small_world)) for evaluator in evaluators]
    assert len({(ending.result_hash, ending.result["racing"]["dropped"]) for ending in endings}) == 1
    assert endings[0].result["racing"]["dropped"] > 0


def test_the_winners_are_judged_out_of_sample_and_replay_to_the_last_digit(small_world: World, store: PostgresStore) -> None:
    ending = driven(store, BatchEvaluator(RayExecutor()), small_world.plan())
    best = ending.result["winners"][0]
    found = revisit.visit(store, best["evaluation"], small_world.catalog)
    again = revisit.replay(found, BatchEvaluator(LocalExecutor()))
    assert {score.segment for score in found.record.scores} == {IN_SAMPLE, OUT_OF_SAMPLE}
    assert (again.differences, again.compared) == ((), 2 * 2 * 24)
    assert again.reference < 1e-9


def opened(task: Task) -> list[Handle]:
    """All bars that the cluster holds once a task is open."""
    executor = RayExecutor()
    BatchEvaluator(executor).open(task)
    return list(executor._held.values())


def test_workers_are_never_handed_bars_that_are_held_out(small_world: World) -> None:
    task = small_world.plan().task
    newest = [int(ray.get(handle)["ts"][-1]) for handle in opened(task)]
    assert len(newest) == 2
    assert max(newest) < task.split_ts


def test_bars_reach_workers_read_only_and_uncopied(small_world: World) -> None:
    columns = ray.get(opened(small_world.plan().task)[0])
    assert not columns["close"].flags.writeable
    assert not columns["close"].flags.owndata


@ray.remote(num_cpus=1)
def page_of(columns: dict[str, Any], met: str, processes: int) -> tuple[int, str, int, str]:
    """Process, file, offset and rights of the memory that a worker sees closing prices in, once so many workers have met in a folder."""
    Path(met, str(os.getpid())).touch()
    deadline = time.monotonic() + 120.0
    while len(list(Path(met).iterdir())) < processes and time.monotonic() < deadline:
        time.sleep(0.02)
    address = columns["close"].ctypes.data
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, rights, offset, _, inode, *_ = line.split()
        start, end = (int(each, 16) for each in span.split("-"))
        if start <= address < end:
            return os.getpid(), inode, int(offset, 16) + address - start, rights
    return os.getpid(), "0", 0, ""


def test_all_processes_of_a_node_read_one_copy_of_the_bars(small_world: World, tmp_path: Path) -> None:
    handle = opened(small_world.plan().task)[0]
    seen = ray.get([page_of.remote(handle, str(tmp_path), 2) for _ in range(4)])
    assert len({process for process, *_ in seen}) == 2
    ((inode, _, rights),) = {(inode, offset, rights) for _, inode, offset, rights in seen}
    assert inode != "0"
    assert rights.endswith("s")


class Doomed:
    """Kills the process that unpacks it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (1,)


class Poisoned:
    """Genomes of which one row kills whoever is handed it."""

    def __init__(self, genomes: np.ndarray, row: int) -> None:
        self._genomes, self._row = genomes, row

    def __len__(self) -> int:
        return len(self._genomes)

    def __getitem__(self, rows: slice) -> object:
        return Doomed() if rows.start <= self._row < rows.stop else self._genomes[rows]


def scored_by(evaluator: BatchEvaluator, task: Task, genomes: object) -> Scored:
    """The scores of one work, by an evaluator that is closed after it."""
    evaluator.open(task)
    evaluator.submit(ScoreRequest(token=1, setup=0, segment=IN_SAMPLE, genomes=genomes))  # type: ignore[arg-type]
    scored = evaluator.collect(300.0)
    evaluator.close()
    assert scored is not None
    return scored


def test_a_variant_that_kills_its_worker_is_put_in_quarantine_and_the_others_are_scored(small_world: World) -> None:
    planned = small_world.plan()
    genomes = planned.task.setups[0].play.space.sample(np.random.default_rng(3), 6)
    scored = scored_by(BatchEvaluator(RayExecutor()), planned.task, Poisoned(genomes, 4))
    failed = (scored.figures["status"] == Status.ERROR).all(axis=1)
    assert np.flatnonzero(failed).tolist() == [4]
    assert "its worker died" in scored.reasons[4]


class Slow:
    """Genomes of which one row takes long to look at."""

    def __init__(self, genomes: np.ndarray, row: int, seconds: float) -> None:
        self._genomes, self._row, self._seconds = genomes, row, seconds

    def __len__(self) -> int:
        return len(self._genomes)

    def __getitem__(self, rows: slice) -> Slow:
        return Slow(self._genomes[rows], self._row - rows.start, self._seconds)

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        if 0 <= self._row < len(self._genomes):
            time.sleep(self._seconds)
        return self._genomes


@pytest.mark.slow
def test_a_variant_that_takes_too_long_is_put_in_quarantine_and_the_others_are_scored(small_world: World) -> None:
    planned = small_world.plan()
    genomes = planned.task.setups[0].play.space.sample(np.random.default_rng(3), 2)
    scored = scored_by(BatchEvaluator(RayExecutor(), timeout_s=8.0), planned.task, Slow(genomes, 1, 60.0))
    late = (scored.figures["status"] == Status.TIMEOUT).all(axis=1)
    assert np.flatnonzero(late).tolist() == [1]
    assert "takes longer than 8 s" in scored.reasons[1]


@ray.remote(num_cpus=1)
class Guest:
    """Somebody else's work: holds a processor until it is killed."""

    def ready(self) -> bool:
        return True


def test_batches_that_wait_for_a_processor_are_not_late(small_world: World) -> None:
    planned = small_world.plan()
    genomes = planned.task.setups[0].play.space.sample(np.random.default_rng(3), 6)
    guests = [Guest.remote() for _ in range(2)]
    assert all(ray.get([guest.ready.remote() for guest in guests]))
    executor = RayExecutor()
    evaluator = BatchEvaluator(executor, timeout_s=6.0)
    evaluator.open(planned.task)
    evaluator.submit(ScoreRequest(token=1, setup=0, segment=IN_SAMPLE, genomes=genomes))
    waited = evaluator.collect(8.0)
    for guest in guests:
        ray.kill(guest)
    scored = evaluator.collect(300.0)
    evaluator.close()
    assert waited is None
    assert scored is not None
    assert (dict(scored.reasons), executor.deaths) == ({}, 0)
