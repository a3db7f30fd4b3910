"""Report cards as jobs: the same card from one process, from a cluster that loses a worker, and after a stop; refusals in words."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cluster.compute.batching import BatchEvaluator
from cluster.compute.executor import Executor, Handle
from cluster.compute.local import LocalExecutor
from cluster.jobs import spec
from cluster.jobs.kind import Planned
from cluster.jobs.progress import Advance, Silent
from cluster.jobs.validate import trials
from cluster.jobs.validate import work as working
from cluster.jobs.validate.plan import ORDER
from cluster.jobs.validate.report import card_of
from cluster.jobs.validate.settings import EffortAsked, ValidateRequest
from cluster.jobs.validate.work import SectionTask
from coinswarm import errors
from coinswarm.ledger.memory import MemoryStore
from coinswarm.ledger.records import Job, TrialCounts
from coinswarm.ledger.store import Store
from coinswarm.market.catalog import Catalog
from tests import jobs_world
from tests.integration.evolve_world import World, driven
from tests.jobs_world import RunWorld

QUICK = EffortAsked(resamples=99, lotteries=19, neighbours=20, worlds=1, moments=1, folds=3, periods=500)
Ledger = tuple[MemoryStore, str, str]


@pytest.fixture(scope="module")
def ledger(small_world: World) -> Ledger:
    """A store with a finished search, its job and its best evaluation."""
    return searched(small_world)


def searched(world: World) -> Ledger:
    store = MemoryStore()
    ending = driven(store, BatchEvaluator(LocalExecutor()), world.plan(baselines=False))
    return store, ending.job, store.leaderboard(ending.job)[0].evaluation


def planned(ledger: Ledger, catalog: Path, *, store: Store | None = None, effort: EffortAsked = QUICK, **asked: Any) -> Planned:
    """The job of a card of the best evaluation."""
    request = ValidateRequest(**{"evaluation": ledger[2], "all_unseen": False, **asked}, effort=effort)
    return jobs_world.planned(request, jobs_world.plan_context(catalog, store=store or ledger[0]))


class StopAfter(Silent):
    """Wants the job stopped after so many sections."""

    def __init__(self, most: int = 99) -> None:
        self.done, self._most = 0, most
        self.notes: list[str] = []

    def on_advance(self, advance: Advance) -> None:
        self.done = advance.done

    def on_note(self, text: str) -> None:
        self.notes.append(text)

    def stopped(self) -> bool:
        return self.done >= self._most


def carded(
    store: MemoryStore,
    made: Planned,
    catalog: Path,
    *,
    executor: Executor | None = None,
    watcher: StopAfter | None = None,
    new: bool = True,
) -> Job:
    watcher = watcher or StopAfter()
    world = RunWorld(context=jobs_world.plan_context(catalog, store=store), own_executor=executor)
    return jobs_world.run(made, world, new=new, watcher=watcher, stopped=watcher.stopped)


def section_or_die(item: tuple[str, SectionTask], *bars: Any) -> Any:
    folder, judged = item
    mark = Path(folder) / "died"
    if judged.name == "crash" and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return working.section(judged, *bars)


class Deadly:
    """An executor one of whose workers is killed in the middle of a section."""

    def __init__(self, inner: Executor, folder: Path) -> None:
        self._inner, self._folder = inner, str(folder)
        self.workers, self.load, self.close = inner.workers, inner.load, inner.close

    def run(self, function: Callable[..., Any], items: Iterable[Any], *, markets: Sequence[Handle] = ()) -> Iterator[Any]:
        assert function is working.section
        return self._inner.run(section_or_die, ((self._folder, item) for item in items), markets=markets)


def test_a_killed_worker_changes_no_figure(ledger: Ledger, small_world: World, ray_executor: Executor, tmp_path: Path) -> None:
    store, catalog = ledger[0], small_world.catalog
    some = ("in_sample", "crash", "odds", "overfitting")
    made, again = (jobs_world.resettled(planned(ledger, catalog), sections=some) for _ in range(2))
    alone = carded(store, made, catalog)
    killed = carded(store, again, catalog, executor=Deadly(ray_executor, tmp_path))
    assert (tmp_path / "died").exists()
    assert killed.status == alone.status == "done"
    assert killed.result_hash == alone.result_hash


def test_a_stopped_job_goes_on_at_the_section_that_is_missing_and_makes_the_same_card(ledger: Ledger, small_world: World) -> None:
    store, catalog, watcher = ledger[0], small_world.catalog, StopAfter()
    stopped = carded(store, planned(ledger, catalog), catalog, watcher=StopAfter(6))
    assert stopped.result is not None
    assert (stopped.status, stopped.result["steps"]) == ("cancelled", 6)
    resumed = carded(store, spec.stored(store, stopped.id), catalog, watcher=watcher, new=False)
    whole = carded(store, planned(ledger, catalog), catalog)
    card = card_of(resumed)
    titles = [card.sections[name].title for name in ORDER[6:]]
    assert [note for note, title in zip(watcher.notes, titles, strict=True) if not note.startswith(f"{title}: ")] == []
    assert resumed.result_hash == whole.result_hash
    assert card.evaluation == ledger[2]
    assert card.figure("odds.trials") == store.count_trials(resumed.campaign).trials


def test_the_trials_of_a_card_are_those_of_the_ledger(ledger: Ledger, small_world: World) -> None:
    store, job, evaluation = ledger
    facts = trials.facts(store, store.job(job), store.evaluation(evaluation).play)
    assert facts.hole == ""
    assert facts.trials == store.count_trials("default").trials
    np.testing.assert_array_equal(facts.leaderboard[0], store.evaluation(evaluation).genome)
    rows = {tuple(row) for batch in store.evaluations(job) for row in batch.genomes.tolist()}
    assert {tuple(row) for row in facts.sample.tolist()} <= rows


class Holed:
    """A ledger in which rows are missing, or which cannot be read."""

    def __init__(self, inner: MemoryStore, *, keep: int | None = None) -> None:
        self._inner, self._keep = inner, keep

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def evaluations(self, job: str) -> Any:
        return self._inner.evaluations(job)[: self._keep]

    def count_trials(self, campaign: str) -> TrialCounts:
        if self._keep is None:
            raise errors.Unavailable("the database does not answer")
        return self._inner.count_trials(campaign)


@pytest.mark.parametrize(("keep", "why"), [(1, "distinct trials and the ledger has"), (None, "could not be read")])
def test_a_ledger_with_holes_prints_no_deflated_figure(ledger: Ledger, small_world: World, keep, why) -> None:
    store, job, evaluation = ledger
    holed = Holed(store, keep=keep)
    facts = trials.facts(holed, store.job(job), store.evaluation(evaluation).play)
    assert why in facts.hole
    made = planned(ledger, small_world.catalog, store=holed)
    card = card_of(carded(store, made, small_world.catalog))
    assert np.isnan(card.figure("odds.dsr"))
    assert why in card.refusal("odds.dsr")


def test_figures_that_were_pruned_leave_no_hole(small_world: World) -> None:
    store = MemoryStore()
    ending = driven(store, BatchEvaluator(LocalExecutor()), small_world.plan(baselines=False))
    before = trials.facts(store, store.job(ending.job), store.leaderboard(ending.job)[0].play)
    store.prune(ending.job, keep=1)
    after = trials.facts(store, store.job(ending.job), store.leaderboard(ending.job)[0].play)
    assert (after.hole, after.trials) == ("", before.trials)
    np.testing.assert_array_equal(after.sample, before.sample)


def test_more_folds_than_fit_are_planned_and_the_card_says_how_many_were_taken(ledger: Ledger, small_world: World) -> None:
    made = planned(ledger, small_world.catalog, effort=QUICK.model_copy(update={"folds": 40}))
    section = card_of(carded(ledger[0], jobs_world.resettled(made, sections=("walk_forward",)), small_world.catalog)).sections[
        "walk_forward"
    ]
    assert section.figures["n_folds"] < 40
    assert "40 folds were asked for" in section.notes[0]


def test_bars_that_changed_since_the_search_are_refused(ledger: Ledger, small_world: World, tmp_path: Path) -> None:
    other = tmp_path / "other.duckdb"
    with Catalog.open(small_world.catalog, read_only=True) as before, Catalog.open(other) as after:
        for key in small_world.markets:
            bars = before.read(key)
            after.put(replace(bars, volume=bars.volume + 1), source="edited")
    with pytest.raises(errors.Conflict, match="changed since the search"):
        planned(ledger, other)


def test_a_market_of_another_kind_is_tried_only_when_named(small_world: World) -> None:
    alone = searched(replace(small_world, markets=small_world.markets[:1]))

    def unseen(**asked: Any) -> list[str]:
        return [span["symbol"] for span in planned(alone, small_world.catalog, **asked).job.config["unseen"]]

    assert unseen(also=("ETH/USDT",)) == ["ETH/USDT"]
    assert unseen(all_unseen=True) == ["ETH/USDT"]
    assert unseen() == []
