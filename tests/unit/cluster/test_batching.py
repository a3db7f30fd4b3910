"""How works are cut into batches and put together again, whatever becomes of a batch."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pytest

from cluster.compute import scoring
from cluster.compute.batching import BatchEvaluator, BatchSize
from cluster.compute.evaluator import Scored, ScoreRequest, Setup, Task
from cluster.compute.executor import Call, Finished, Loss
from cluster.compute.local import LocalExecutor
from cluster.compute.scoring import Batch
from cluster.compute.sources import MemorySource
from coinswarm import errors, play
from coinswarm.ledger.records import IN_SAMPLE
from coinswarm.market import synthetic
from coinswarm.market.timeframe import Timeframe
from coinswarm.metrics.figures import Status

PLAY = """
version: "3.0.0"
name: crossing
timeframes: { low_tf: 5m, exec: low_tf }
features:
  fast: { indicator: ema, params: { length: { min: 5, max: 40 } } }
  slow: { indicator: ema, params: { length: { min: 45, max: 150, step: 5 } } }
actions:
  entry_long: { all: [ [fast, cross_above, slow] ] }
  exit_long: { any: [ [fast, cross_below, slow] ] }
risk: { stop_loss_pct: [1.0, 2.0, 3.0] }
position_policy: { mode: long_only, exit_mode: first_hit }
"""
SYMBOLS = ("BTC/USDT", "ETH/USDT")


class LastFirst(LocalExecutor):
    """Runs the newest call first."""

    slots = 3

    def collect(self, calls: Collection[Call], timeout_s: float) -> Finished | None:
        self._waiting.reverse()
        return super().collect(calls, timeout_s)


class Mortal(LocalExecutor):
    """Loses every call that scores a given variant, and remembers how many variants each lost one had."""

    def __init__(self, poison: np.ndarray, *, late: bool = False) -> None:
        super().__init__()
        self._poison, self._late = poison, late
        self.lost: list[tuple[int, int]] = []

    def collect(self, calls: Collection[Call], timeout_s: float) -> Finished | None:
        finished = super().collect(calls, timeout_s)
        assert finished is not None
        genomes = finished.call.item.genomes
        if not (genomes == self._poison).all(axis=1).any():
            return finished
        self.lost.append((len(genomes), finished.call.attempts))
        return Finished(call=finished.call, loss=Loss(deaths=finished.call.attempts, cause="Crash", late=self._late))


class Refusing(LocalExecutor):
    """Refuses every call."""

    def collect(self, calls: Collection[Call], timeout_s: float) -> Finished | None:
        finished = super().collect(calls, timeout_s)
        assert finished is not None
        return Finished(call=finished.call, error=errors.Unavailable("every node must run the code of the driver"))


@pytest.fixture(scope="module")
def task() -> Task:
    loaded = play.loads(PLAY)
    bars = [synthetic.market(symbol, Timeframe.parse("5m"), 3000, seed=1) for symbol in SYMBOLS]
    setup = Setup(play=loaded, costs=loaded.costs, account=loaded.account)
    return Task(id="job", setups=(setup,), sources=tuple(MemorySource(bars=each) for each in bars))


@pytest.fixture(scope="module")
def genomes(task: Task) -> np.ndarray:
    return task.setups[0].play.space.sample(np.random.default_rng(1), 40)


def work(genomes: np.ndarray, token: int = 1) -> ScoreRequest:
    return ScoreRequest(token=token, setup=0, segment=IN_SAMPLE, genomes=genomes)


def scored(executor: LocalExecutor, task: Task, genomes: np.ndarray) -> Scored:
    evaluator = BatchEvaluator(executor, timeout_s=9.0)
    evaluator.open(task)
    evaluator.submit(work(genomes))
    answer = evaluator.collect(60.0)
    assert answer is not None
    return answer


def test_batches_in_any_order_give_what_each_variant_gives_alone(task: Task, genomes: np.ndarray) -> None:
    together = scored(LastFirst(), task, genomes)
    alone = [scored(LocalExecutor(), task, genomes[row : row + 1]).figures for row in range(len(genomes))]
    assert together.figures.tobytes() == np.concatenate(alone).tobytes()


def test_a_work_without_variants_is_scored_at_once(task: Task, genomes: np.ndarray) -> None:
    assert scored(LocalExecutor(), task, genomes[:0]).figures.shape == (0, 2)


def test_nothing_under_way_is_not_waited_for(task: Task) -> None:
    evaluator = BatchEvaluator(LocalExecutor())
    with pytest.raises(errors.NotFound, match="no task is open"):
        evaluator.submit(work(np.zeros((1, 3))))
    evaluator.open(task)
    with pytest.raises(errors.NotFound, match="no work is under way"):
        evaluator.collect(1.0)


def test_a_work_that_takes_longer_than_is_waited_for_goes_on_at_the_next_time(task: Task, genomes: np.ndarray) -> None:
    evaluator = BatchEvaluator(LocalExecutor())
    evaluator.open(task)
    evaluator.submit(work(genomes))
    assert evaluator.collect(0.0) is None
    assert evaluator.collect(60.0) is not None


def test_a_closed_evaluator_has_dropped_its_batches(task: Task, genomes: np.ndarray) -> None:
    executor = LastFirst()
    evaluator = BatchEvaluator(executor)
    evaluator.open(task)
    evaluator.submit(work(genomes))
    evaluator.collect(0.0)
    evaluator.close()
    assert executor._waiting == []


def test_a_variant_that_kills_is_found_by_halves_and_put_in_quarantine(task: Task, genomes: np.ndarray) -> None:
    executor = Mortal(genomes[13])
    answer = scored(executor, task, genomes)
    assert np.flatnonzero((answer.figures["status"] == Status.ERROR).any(axis=1)).tolist() == [13]
    assert answer.reasons == {13: "synthetic:BTC/USDT:5m: its worker died 3 times (Crash)"}
    rest = np.arange(40) != 13
    assert answer.figures[rest].tobytes() == scored(LocalExecutor(), task, genomes).figures[rest].tobytes()
    assert executor.lost[0][1] == 2  # the whole batch is tried twice, each half that has the variant once, the variant alone twice more
    assert {attempts for size, attempts in executor.lost[1:] if size > 1 and size < executor.lost[0][0]} <= {1, 2}
    assert [attempts for size, attempts in executor.lost if size == 1] == [2, 2]


def test_a_variant_that_takes_too_long_is_a_timeout(task: Task, genomes: np.ndarray) -> None:
    answer = scored(Mortal(genomes[0], late=True), task, genomes[:2])
    assert answer.figures["status"][0].tolist() == [Status.TIMEOUT, Status.TIMEOUT]
    assert answer.reasons == {0: "synthetic:BTC/USDT:5m: takes longer than 9 s"}


def test_what_is_wrong_with_the_cluster_is_raised_and_not_blamed_on_a_variant(task: Task, genomes: np.ndarray) -> None:
    with pytest.raises(errors.Unavailable, match="code of the driver"):
        scored(Refusing(), task, genomes)


def test_the_reason_of_the_first_market_is_kept_in_any_order(task: Task, genomes: np.ndarray) -> None:
    impossible = replace(task, sources=tuple(MemorySource(bars=source.load()[:100]) for source in task.sources))
    reasons = [scored(executor, impossible, genomes[:6]).reasons for executor in (LocalExecutor(), LastFirst())]
    assert reasons[0] == reasons[1]
    assert all(text.startswith("synthetic:BTC/USDT:5m: ") for text in reasons[0].values())
    assert list(reasons[0]) == sorted(reasons[0])


def test_a_batch_is_bound_to_the_limit_of_the_evaluator(task: Task, genomes: np.ndarray) -> None:
    seen: list[Call] = []

    class Noting(LocalExecutor):
        def submit(self, call: Call) -> None:
            seen.append(call)
            super().submit(call)

    scored(Noting(), task, genomes)
    assert {(call.function, call.limit_s) for call in seen} == {(scoring.score, 9.0)}
    assert all(isinstance(call.item, Batch) for call in seen)


def test_a_batch_takes_about_half_a_second_and_leaves_some_for_every_worker() -> None:
    size = BatchSize()
    assert size.of(100, 4) == 7  # nothing is known: a quarter of a fair share
    size.learn(100, 0.1)
    assert size.of(10_000, 4) == 500
    assert size.of(100, 4) == 25
    assert size.of(10, 4) == 20
