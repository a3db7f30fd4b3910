"""A small job is computed by the process that runs it; an estimate starts no cluster, and says what starting one takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cluster.compute.batching import BatchEvaluator
from cluster.compute.evaluator import Evaluator
from cluster.compute.executor import Executor
from cluster.compute.local import LocalExecutor
from cluster.jobs.kind import Planned
from cluster.run.runner import QUICK_WORK, Runner
from coinswarm.ledger.memory import MemoryAccess, MemoryQueue, MemoryStore
from tests import jobs_world, kinds_world

PLAY = """
name: crossing
features: { fast: { indicator: ema, params: { length: { min: 5, max: 40 } } } }
actions: { entry_long: [[close, cross_above, fast]], exit_long: [[close, cross_below, fast]] }
"""
START_S = 10.0


class Counted:
    """Keeps `cluster.run.runner.Compute`, computes here whatever it is asked, and remembers what that was."""

    dashboard = None
    renewable = True

    def __init__(self, processors: int | None) -> None:
        self._processors = processors
        self.opened: list[str] = []

    def processors(self, *, alone: bool) -> int | None:
        return 1 if alone else self._processors

    def start_s(self, *, alone: bool) -> float:
        return 1.0 if alone else START_S

    @contextmanager
    def executor(self, *, alone: bool) -> Iterator[Executor]:
        self.opened.append("here" if alone else "cluster")
        yield LocalExecutor()

    @contextmanager
    def evaluator(self, *, alone: bool) -> Iterator[Evaluator]:
        with self.executor(alone=alone) as executor:
            yield BatchEvaluator(executor)


def planned(folder: Path, *, generations: int, processors: int | None = 4, alone: bool | None = None) -> tuple[Runner, Counted, Planned]:
    """A search of 1,000 variants a generation on 2,000 bars or so, and what would run it."""
    here, compute, store = kinds_world.world(folder), Counted(processors), MemoryStore()
    queue = MemoryQueue(store, MemoryAccess())
    runner = Runner(context=here.context, queue=queue, compute=compute, fetch_timeout_s=1.0, alone=alone)
    search = {"population": 1000, "generations": generations, "constraints": []}
    asked = jobs_world.request("evolve", plays=[{"text": PLAY}], markets=here.markets[:1], search=search, baselines=False)
    return runner, compute, runner.plan(asked)


def enough(folder: Path) -> int:
    """Generations with which a search is too large for one process."""
    _, _, made = planned(folder, generations=1)
    return int(QUICK_WORK / (1000 * made.job.config["markets"][0]["n_bars"])) + 1


def test_a_search_is_computed_by_the_command_until_it_is_large(tmp_path: Path) -> None:
    least = enough(tmp_path)
    for generations, alone, expected in ((1, None, True), (least, None, False), (1, False, False), (least, True, True)):
        runner, _, made = planned(tmp_path, generations=generations, alone=alone)
        assert runner.is_alone(made) is expected, (generations, alone)


@pytest.mark.parametrize(("processors", "opened"), [(4, "here"), (None, "cluster")])
def test_an_estimate_asks_a_cluster_only_where_one_runs(tmp_path: Path, processors: int | None, opened: str) -> None:
    runner, compute, made = planned(tmp_path, generations=enough(tmp_path), processors=processors)
    found = runner.estimate(made)
    assert compute.opened == [opened]
    assert found.facts["workers"] == (processors or 1)
    assert found.seconds == pytest.approx(START_S + found.facts["variants"] / found.facts["variants_per_s"])
    assert dict(found.rows)["place"].endswith("which takes about 10 s of the time to start")


def test_an_estimate_of_a_small_search_counts_one_process(tmp_path: Path) -> None:
    runner, _, made = planned(tmp_path, generations=1)
    found = runner.estimate(made)
    assert (found.facts["workers"], found.facts["start_s"]) == (1, 1.0)
