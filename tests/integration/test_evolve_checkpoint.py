"""What is stored with each commit brings back the search as it was, to the last bit, and stays small."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from cluster.compute.batching import BatchEvaluator
from cluster.compute.local import LocalExecutor
from cluster.jobs.evolve import checkpoint
from cluster.jobs.evolve.loop import SearchLoop
from cluster.jobs.evolve.play_search import PlaySearch, TrialCommit
from coinswarm import errors
from coinswarm.evolve import archive, behaviour, packing
from coinswarm.ledger.memory import MemoryStore
from coinswarm.ledger.records import WHOLE_JOB, Lease
from tests import jobs_world
from tests.integration import evolve_world
from tests.integration.evolve_world import LastFirst, World, driven

FEW = evolve_world.PLAY.replace("{ min: 5, max: 40 }", "[5, 9]").replace("{ min: 45, max: 150, step: 5 }", "[50, 80, 90]")


class Doubting(SearchLoop):
    """Reads every commit back at once and compares."""

    def _commit(self, lease: Lease, searches: tuple[PlaySearch, ...], commit: TrialCommit) -> Callable[[], object]:
        super()._commit(lease, searches, commit)()
        commits = self._commits
        again = self._begin(self._plan)
        assert self._commits == commits
        for live, read in zip(searches, again, strict=True):
            assert packing.encode(read.state) == packing.encode(live.state)
            assert packing.encode(read.archive) == packing.encode(live.archive)
            assert read.digest() == live.digest()
        self.repeats = sum(len(each.repeats) for each in searches)
        return lambda: None


def doubted(world: World, store: MemoryStore, text: str, **others: object) -> Doubting:
    planned = world.plan(text=text, baselines=False, **others)
    evolve_world.submit(store, planned)
    loop = Doubting(planned, store, LastFirst(BatchEvaluator(LocalExecutor())))
    jobs_world.driven(store, planned.job.id, loop)
    return loop


@pytest.mark.parametrize("islands", [1, 3])
def test_every_commit_reads_back_as_the_search_that_was_committed(small_world: World, islands: int) -> None:
    assert doubted(small_world, MemoryStore(), evolve_world.PLAY, islands=islands).repeats == 0 or islands > 1


def test_a_variant_that_several_islands_evaluated_is_known_to_each_of_them_again(small_world: World) -> None:
    assert doubted(small_world, MemoryStore(), FEW, islands=4).repeats > 0


def test_the_stored_state_does_not_grow_with_the_number_of_trials(small_world: World) -> None:
    sizes = [stored(small_world, generations) for generations in (3, 12)]
    assert sizes[1] - sizes[0] < 9 * 2 * 64 + 9 * 24 * 20


def test_a_commit_writes_the_island_that_was_told_and_not_the_others_again(small_world: World) -> None:
    store = MemoryStore()
    ending = driven(store, BatchEvaluator(LocalExecutor()), small_world.plan(islands=4, population=400, generations=3, baselines=False))
    whole, *islands = store.last_generations(ending.job)
    rest = len(whole.state) - sum(len(packing.encode(each)) for each in checkpoint.archives(whole.state))
    assert len(islands) == 4
    assert rest < min(len(record.state) for record in islands)


def stored(world: World, generations: int) -> int:
    """Bytes of the islands' states at the end of a search."""
    store = MemoryStore()
    ending = driven(store, BatchEvaluator(LocalExecutor()), world.plan(generations=generations, baselines=False))
    records = store.last_generations(ending.job)
    kept = checkpoint.archives(next(record.state for record in records if record.island == WHOLE_JOB))
    return sum(len(record.state) for record in records) - sum(len(packing.encode(each)) for each in kept)


def test_the_archive_of_a_finished_job_can_be_read_and_is_part_of_its_hash(small_world: World) -> None:
    store = MemoryStore()
    ending = driven(store, BatchEvaluator(LocalExecutor()), small_world.plan(baselines=False))
    newest = next(record for record in store.last_generations(ending.job) if record.island == WHOLE_JOB)
    (kept,) = checkpoint.archives(newest.state)
    assert len(kept) > 1
    assert max(kept.quality) == pytest.approx(ending.result["best"]["fitness"])
    assert ending.result["archive"] == {"kinds": len(kept), "coverage": archive.coverage(kept, behaviour.TRADING)}


class Lost(MemoryStore):
    """A store that has lost its figures."""

    def scores(self, job: str) -> Sequence:  # type: ignore[type-arg]
        return ()


def test_a_job_whose_figures_are_gone_is_refused(small_world: World) -> None:
    store, planned, bar_ms = Lost(), small_world.plan(baselines=False), np.array([300_000.0])
    with pytest.raises(AssertionError):
        driven(store, BatchEvaluator(LocalExecutor()), planned, witness=Hasty())
    with pytest.raises(errors.Conflict, match="lacks figures"):
        checkpoint.restore(
            (PlaySearch(0, planned.task.setups[0], planned.plays[0].sha256, planned.search, small_world.markets, bar_ms=bar_ms),),
            store.last_generations(planned.job.id), store, planned.job.id,
        )  # fmt: skip


class Hasty(evolve_world.Witness):
    """Breaks the driver off after its first commit."""

    def on_progress(self, progress: object) -> None:
        raise AssertionError
