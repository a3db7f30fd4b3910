"""Report cards as jobs: the same card from one process, from a cluster that loses a worker, and after a stop; refusals in words."""

from __future__ import annotations

import dataclasses
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cluster.compute.executor import Crew, Handle
from cluster.compute.local import LocalEvaluator
from cluster.compute.local_executor import LocalCrew
from cluster.jobs import spec as submit
from cluster.jobs.progress import Advance, Silent
from cluster.jobs.validate import plan as driving
from cluster.jobs.validate import trials
from cluster.jobs.validate import work as working
from cluster.jobs.validate.plan import Plan, Sections, Wishes
from cluster.jobs.validate.work import Judged
from cluster.run.steps import Ending, StepDriver
from coinswarm import errors
from coinswarm.ledger.memory import MemoryStore
from coinswarm.ledger.records import TrialCounts
from coinswarm.validate.case import Effort
from tests.integration.evolve_world import World, driven

QUICK = Wishes(effort=Effort(resamples=99, lotteries=19, neighbours=20, worlds=1, moments=1, folds=3, periods=500), all_unseen=False)


@pytest.fixture(scope="module")
def ledger(small_world: World) -> tuple[MemoryStore, str, str]:
    """A store with a finished search, its job and its best evaluation."""
    store = MemoryStore()
    ending = driven(store, LocalEvaluator(), small_world.plan(baselines=False))
    return store, ending.job, store.leaderboard(ending.job)[0].evaluation


def planned(ledger: tuple[MemoryStore, str, str], world: World, sections: tuple[str, ...] = driving.ORDER, **changes: Any) -> Plan:
    subject = dataclasses.replace(trials.subject(ledger[0], ledger[2], world.catalog), **changes)
    plan = driving.plan(subject, QUICK, world.catalog)
    plan = dataclasses.replace(plan, job=dataclasses.replace(plan.job, config={**plan.job.config, "sections": list(sections)}))
    driving.submit_plan(ledger[0], plan)
    return plan


class StopAfter(Silent):
    """Wants the job stopped after so many sections."""

    def __init__(self, most: int) -> None:
        self.done, self._most = 0, most

    def on_advance(self, advance: Advance) -> None:
        self.done = advance.done

    def stopped(self) -> bool:
        return self.done >= self._most


def carded(store: MemoryStore, plan: Plan, crew: Crew, *, stop_after: int = 99, told: list[str] | None = None) -> Ending:
    watcher, heard = StopAfter(stop_after), [] if told is None else told
    sections = Sections(plan, crew, lambda section: heard.append(section.name))
    lease = submit.claim(store, plan.job.id, lease_s=60.0)
    return StepDriver(store, watcher=watcher, stopped=watcher.stopped).run(plan.job.id, lease, sections)


def section_or_die(item: tuple[str, Judged], *bars: Any) -> Any:
    folder, judged = item
    mark = Path(folder) / "died"
    if judged.name == "crash" and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return working.section(judged, *bars)


class Deadly:
    """A crew one of whose workers is killed in the middle of a section."""

    def __init__(self, inner: Crew, folder: Path) -> None:
        self._inner, self._folder = inner, str(folder)
        self.workers, self.load, self.close = inner.workers, inner.load, inner.close

    def run(self, function: Callable[..., Any], items: Iterable[Any], *, markets: Sequence[Handle] = ()) -> Iterator[Any]:
        assert function is working.section
        return self._inner.run(section_or_die, ((self._folder, item) for item in items), markets=markets)


def test_a_killed_worker_changes_no_figure(ledger, small_world: World, ray_crew: Crew, tmp_path: Path) -> None:
    store = ledger[0]
    some = ("in_sample", "crash", "odds", "overfitting")
    alone = carded(store, planned(ledger, small_world, sections=some), LocalCrew())
    killed = carded(store, planned(ledger, small_world, sections=some), Deadly(ray_crew, tmp_path))
    assert (tmp_path / "died").exists()
    assert killed.status == alone.status == "done"
    assert killed.result_hash == alone.result_hash


def test_a_stopped_job_goes_on_at_the_section_that_is_missing_and_makes_the_same_card(ledger, small_world: World) -> None:
    store = ledger[0]
    plan = planned(ledger, small_world)
    stopped = carded(store, plan, LocalCrew(), stop_after=6)
    assert (stopped.status, stopped.result["steps"]) == ("cancelled", 6)
    job = store.job(plan.job.id)
    again = driving.plan_again(job, [store.play(sha) for sha in job.plays], store.data_sets(job.data_hashes), small_world.catalog)
    store.resume(job.id)
    told: list[str] = []
    resumed = carded(store, again, LocalCrew(), told=told)
    whole = carded(store, planned(ledger, small_world), LocalCrew())
    assert told == list(driving.ORDER[6:])
    assert resumed.result_hash == whole.result_hash
    card = driving.card_of(store.job(plan.job.id))
    assert card.evaluation == ledger[2]
    assert card.figure("odds.trials") == store.count_trials(plan.job.campaign).trials


def test_the_trials_of_a_card_are_those_of_the_ledger(ledger, small_world: World) -> None:
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
def test_a_ledger_with_holes_prints_no_deflated_figure(ledger, small_world: World, keep, why) -> None:
    store, job, evaluation = ledger
    facts = trials.facts(Holed(store, keep=keep), store.job(job), store.evaluation(evaluation).play)
    assert why in facts.hole
    done = carded(store, planned(ledger, small_world, trials=facts), LocalCrew())
    card = driving.card_of(store.job(done.job))
    assert np.isnan(card.figure("odds.dsr"))
    assert why in card.refusal("odds.dsr")


def test_figures_that_were_pruned_leave_no_hole(small_world: World) -> None:
    store = MemoryStore()
    ending = driven(store, LocalEvaluator(), small_world.plan(baselines=False))
    before = trials.facts(store, store.job(ending.job), store.leaderboard(ending.job)[0].play)
    store.prune(ending.job, keep=1)
    after = trials.facts(store, store.job(ending.job), store.leaderboard(ending.job)[0].play)
    assert (after.hole, after.trials) == ("", before.trials)
    np.testing.assert_array_equal(after.sample, before.sample)


def test_folds_shorter_than_their_warm_up_are_refused_with_those_that_fit(ledger, small_world: World) -> None:
    with pytest.raises(errors.SpanTooShort, match="would fit"):
        driving.require_folds(planned(ledger, small_world), 40)


def test_bars_that_changed_since_the_search_are_refused(ledger, small_world: World) -> None:
    subject = trials.subject(ledger[0], ledger[2], small_world.catalog)
    other = dict.fromkeys(subject.hashes, "0" * 64)
    with pytest.raises(errors.Conflict, match="changed since the search"):
        driving.plan(dataclasses.replace(subject, hashes=other), QUICK, small_world.catalog)


def test_a_market_of_another_kind_is_tried_only_when_named(ledger, small_world: World) -> None:
    subject = trials.subject(ledger[0], ledger[2], small_world.catalog)
    alone = dataclasses.replace(subject, markets=subject.markets[:1], hashes={})
    found = driving.plan(alone, dataclasses.replace(QUICK, also=("ETH/USDT",)), small_world.catalog)
    assert [span["symbol"] for span in found.job.config["unseen"]] == ["ETH/USDT"]
    every = driving.plan(alone, dataclasses.replace(QUICK, all_unseen=True), small_world.catalog)
    assert every.job.config["unseen"] == found.job.config["unseen"]
    assert driving.plan(alone, QUICK, small_world.catalog).job.config["unseen"] == []
