"""A raced job: most variants end on a part of the bars, and everything else is as exact as without a race."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from cluster.compute.batching import BatchEvaluator
from cluster.compute.evaluator import Evaluator, Scored, ScoreRequest, Task, unscored
from cluster.compute.local import LocalExecutor
from cluster.jobs.evolve.plan import SearchPlan
from cluster.queries import replay as revisit
from coinswarm import errors
from coinswarm.evolve.settings import Constraint, RacingSettings, SearchSettings
from coinswarm.ledger.memory import MemoryStore
from coinswarm.ledger.records import IN_SAMPLE, evaluation_id
from coinswarm.metrics.figures import Status
from tests import jobs_world
from tests.integration import evolve_world
from tests.integration.evolve_world import LastFirst, Witness, World, driven
from tests.integration.test_evolve_checkpoint import FEW, Doubting

RACING = RacingSettings(enabled=True, blocks=10, first_share=0.2, keep=0.4, fewest=3)


def raced(world: World, *, text: str = evolve_world.PLAY, islands: int = 2, generations: int = 3) -> SearchPlan:
    limit = Constraint(figure="n_trades", operator=">=", threshold=3)
    search = SearchSettings(
        population=48, generations=generations, islands=islands, migration_every=2, seed=7, constraints=(limit,), racing=RACING
    )
    return world.plan(text=text, search=search, baselines=False)


class Halved:
    """An evaluator that scores each work in two batches, as several workers would."""

    workers = 2

    def __init__(self) -> None:
        self._inner = BatchEvaluator(LocalExecutor())
        self._works: list[ScoreRequest] = []

    def open(self, task: Task) -> None:
        self._inner.open(task)

    def submit(self, work: ScoreRequest) -> None:
        self._works.append(work)

    def collect(self, timeout_s: float) -> Scored | None:
        work, parts = self._works.pop(), []
        middle = len(work.genomes) // 2
        for piece in (work.genomes[middle:], work.genomes[:middle]):
            self._inner.submit(dataclasses.replace(work, genomes=piece))
            parts.append(self._inner.collect(60.0).figures)
        figures = np.concatenate(parts[::-1])
        return Scored(token=work.token, figures=figures, reasons={}, seconds=0.0)

    def close(self) -> None:
        self._inner.close()


@pytest.mark.parametrize("evaluator", [LastFirst(BatchEvaluator(LocalExecutor())), Halved()])
def test_a_race_comes_out_the_same_in_any_order_and_in_any_batches(small_world: World, evaluator: Evaluator) -> None:
    expected = driven(MemoryStore(), BatchEvaluator(LocalExecutor()), raced(small_world)).result_hash
    assert driven(MemoryStore(), evaluator, raced(small_world)).result_hash == expected


@pytest.mark.parametrize(("text", "islands"), [(evolve_world.PLAY, 1), (FEW, 4)])
def test_every_commit_of_a_race_reads_back_as_it_was(small_world: World, text: str, islands: int) -> None:
    planned, store = raced(small_world, text=text, islands=islands), MemoryStore()
    evolve_world.submit(store, planned)
    ending = jobs_world.driven(store, planned.job.id, Doubting(planned, store, LastFirst(BatchEvaluator(LocalExecutor()))))
    assert ending.result["racing"]["dropped"] > 0


def test_a_race_that_was_stopped_and_resumed_ends_as_if_it_had_not_been(small_world: World) -> None:
    whole, store, planned = driven(MemoryStore(), BatchEvaluator(LocalExecutor()), raced(small_world)), MemoryStore(), raced(small_world)
    driven(store, BatchEvaluator(LocalExecutor()), planned, witness=Witness(stop_after=3))
    again = driven(store, BatchEvaluator(LocalExecutor()), planned, new=False)
    assert (again.result_hash, again.result["racing"]) == (whole.result_hash, whole.result["racing"])


def test_a_dropped_variant_is_a_trial_with_figures_of_a_part_and_never_a_winner(small_world: World) -> None:
    store = MemoryStore()
    ending = driven(store, BatchEvaluator(LocalExecutor()), raced(small_world, islands=1))
    batches = store.evaluations(ending.job)
    dropped = [
        (name, fitness)
        for batch in batches
        for name, fitness, code in zip(batch.variants, batch.fitness, batch.status, strict=True)
        if code == Status.DROPPED
    ]
    segments = {batch.segment: set(batch.variants) for batch in store.scores(ending.job)}
    assert len(dropped) == ending.result["racing"]["dropped"] > 0.5 * ending.result["evaluations"]
    assert all(math.isnan(fitness) for _, fitness in dropped)
    assert {name for name, _ in dropped} == segments["race_1"] | segments["race_2"]
    assert not segments[IN_SAMPLE] & {name for name, _ in dropped}
    assert ending.result["failures"] == 0
    assert ending.result["distinct"] == ending.result["evaluations"]
    assert not {row["variant"] for row in ending.result["winners"]} & {name for name, _ in dropped}


def test_a_finisher_has_the_figures_it_would_have_without_a_race(small_world: World) -> None:
    store, planned = MemoryStore(), raced(small_world, islands=1, generations=1)
    ending = driven(store, BatchEvaluator(LocalExecutor()), planned)
    plain = dataclasses.replace(planned, search=planned.search.model_copy(update={"racing": RacingSettings()}))
    other = MemoryStore()
    driven(other, BatchEvaluator(LocalExecutor()), plain)
    whole = {
        (b.data_set, n): f for b in other.scores(ending.job) if b.segment == IN_SAMPLE for n, f in zip(b.variants, b.figures, strict=True)
    }
    mine = {
        (b.data_set, n): f for b in store.scores(ending.job) if b.segment == IN_SAMPLE for n, f in zip(b.variants, b.figures, strict=True)
    }
    assert 0 < len(mine) < len(whole)
    assert all(figures.tobytes() == whole[key].tobytes() for key, figures in mine.items())


class Breaking(BatchEvaluator):
    """An evaluator of which every third variant fails, each time it is scored."""

    def collect(self, timeout_s: float) -> Scored | None:
        scored = super().collect(timeout_s)
        if scored is None:
            return None
        figures, ill = scored.figures.copy(), np.arange(len(scored.figures)) % 3 == 0
        figures[ill] = unscored(Status.ERROR, 1)[0]
        return dataclasses.replace(scored, figures=figures, reasons={int(row): "ill" for row in np.flatnonzero(ill)})


def test_what_fails_in_a_race_is_a_failure_with_its_reason_and_not_dropped(small_world: World) -> None:
    store = MemoryStore()
    ending = driven(store, Breaking(LocalExecutor()), raced(small_world, islands=1, generations=1))
    (batch,) = store.evaluations(ending.job)
    failed = {
        name for name, code, why in zip(batch.variants, batch.status, batch.reasons, strict=True) if code == Status.ERROR and why == "ill"
    }
    assert len(failed) == ending.result["failures"] >= 16
    assert ending.result["racing"]["dropped"] == int((batch.status == Status.DROPPED).sum()) > 0
    assert len(failed) + ending.result["racing"]["dropped"] + int((batch.status <= Status.NO_TRADES).sum()) == 48


class Broken(BatchEvaluator):
    """An evaluator that nothing can be scored by."""

    def collect(self, timeout_s: float) -> Scored | None:
        scored = super().collect(timeout_s)
        if scored is None:
            return None
        nothing = np.repeat(unscored(Status.ERROR, 1), scored.figures.size).reshape(scored.figures.shape)
        return dataclasses.replace(scored, figures=nothing, reasons=dict.fromkeys(range(len(nothing)), "ill"))


def test_a_race_in_which_everything_fails_spends_the_error_budget(small_world: World) -> None:
    with pytest.raises(errors.ErrorBudgetSpent):
        driven(MemoryStore(), Broken(LocalExecutor()), raced(small_world))


def test_the_figures_of_a_dropped_variant_replay_to_the_last_digit(small_world: World) -> None:
    store = MemoryStore()
    ending = driven(store, BatchEvaluator(LocalExecutor()), raced(small_world, islands=1, generations=1))
    (batch,) = store.evaluations(ending.job)
    name = next(name for name, code in zip(batch.variants, batch.status, strict=True) if code == Status.DROPPED)
    again = revisit.replay(revisit.visit(store, evaluation_id(ending.job, name), small_world.catalog), BatchEvaluator(LocalExecutor()))
    assert (again.differences, again.compared) == ((), 2 * 24)
