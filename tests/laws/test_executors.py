"""What every executor promises: equal answers in the order of the items, whether this process computes them or a cluster does."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import count, pairwise
from pathlib import Path

import pytest

from cluster.compute.evaluator import TimeSegment
from cluster.compute.executor import Call, Executor, Finished
from cluster.compute.local import LocalExecutor
from cluster.compute.shared.client import SharedExecutor
from cluster.compute.shared.server import ExecutorServer
from cluster.compute.sources import MemorySource
from coinswarm import errors
from coinswarm.market import synthetic
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe

PART = TimeSegment(name="part")


def last_close(item: int, bars: Bars) -> tuple[int, int, float]:
    return item, len(bars), float(bars.close[-1 - item])


def symbols(item: int, *bars: Bars) -> list[str]:
    return [each.symbol for each in bars]


def refuse_odd(item: int) -> int:
    if item % 2:
        raise errors.InvalidArgument("items must be even", found=item)
    return item


def divide(item: int) -> float:
    return 1 / item


def marked(item: tuple[int, str]) -> int:
    """The number of an item, which leaves a file of its name after a while."""
    number, folder = item
    time.sleep(0.3 if number else 0.0)
    (Path(folder) / str(number)).touch()
    return number


def span(item: int) -> tuple[float, float]:
    began = time.monotonic()
    time.sleep(0.1)
    return began, time.monotonic()


def die_once(item: tuple[int, str]) -> int:
    number, folder = item
    mark = Path(folder) / str(number)
    if number == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die(folder: str) -> None:
    (Path(folder) / str(os.getpid())).touch()
    os.kill(os.getpid(), signal.SIGKILL)


def sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def market(n_bars: int = 500, *, symbol: str = "BTC/USDT", seed: int = 1) -> Bars:
    return synthetic.market(symbol, Timeframe.parse("5m"), n_bars, seed=seed)


@dataclass(frozen=True, kw_only=True)
class CountedSource:
    """Bars whose every load leaves a file in a folder."""

    bars: Bars
    folder: Path
    content_hash: str

    @property
    def key(self) -> str:
        return self.bars.key

    def load(self) -> Bars:
        (self.folder / str(time.monotonic_ns())).touch()
        return self.bars


def waited(executor: Executor, call: Call) -> Finished:
    """How a call ended."""
    while (finished := executor.collect([call], 1.0)) is None:
        pass
    return finished


@contextmanager
def shared(inner: Executor) -> Iterator[SharedExecutor]:
    """A client of a server that has `inner`; both are threads of this process."""
    ended = threading.Event()
    with tempfile.TemporaryDirectory(prefix="c") as folder, ExecutorServer(Path(folder) / "s") as server:
        serving = threading.Thread(target=partial(server.serve, inner, greeting="", stopped=ended.is_set))
        serving.start()
        client = SharedExecutor(Path(folder) / "s")
        try:
            yield client
        finally:
            client.disconnect()
            ended.set()
            serving.join()


@pytest.fixture(params=["ray", "shared ray"])
def ray(request: pytest.FixtureRequest, ray_executor: Executor) -> Iterator[Executor]:
    """An executor whose workers are processes that can be lost."""
    with shared(ray_executor) if request.param == "shared ray" else nullcontext(ray_executor) as made:
        yield made


@pytest.fixture(params=["local", "ray", "shared local", "shared ray"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    inner: Executor = LocalExecutor() if "local" in request.param else request.getfixturevalue("ray_executor")
    with shared(inner) if "shared" in request.param else nullcontext(inner) as made:
        yield made
        made.close()


# --- an ordered map ----------------------------------------------------------------------------------------------------------


def test_answers_come_in_the_order_of_the_items_with_the_bars_of_the_segment(executor: Executor) -> None:
    bars = market()
    handle = executor.load(MemorySource(bars=bars), TimeSegment(name="part", end_ts=int(bars.ts[300])))
    answers = list(executor.run(last_close, range(40), markets=[handle]))
    assert answers == [(item, 300, float(bars.close[299 - item])) for item in range(40)]


def test_a_call_sees_its_markets_in_the_order_they_are_named(executor: Executor) -> None:
    sources = [MemorySource(bars=market(symbol=symbol)) for symbol in ("ETH/USDT", "BTC/USDT", "SOL/USDT")]
    handles = executor.load_all(sources, PART)
    assert next(executor.run(symbols, [0], markets=handles)) == ["ETH/USDT", "BTC/USDT", "SOL/USDT"]


def test_no_items_give_no_answers(executor: Executor) -> None:
    assert list(executor.run(refuse_odd, [])) == []


def test_of_endless_items_no_more_are_taken_than_there_is_room_for(executor: Executor) -> None:
    taken = count(0, 2)
    answers = executor.run(refuse_odd, taken)
    assert [next(answers) for _ in range(5)] == [0, 2, 4, 6, 8]
    answers.close()
    assert next(taken) // 2 <= 5 + 2 * executor.slots


def test_an_error_is_raised_as_it_was_in_the_turn_of_its_item(executor: Executor) -> None:
    answers = executor.run(refuse_odd, [0, 2, 3, 5, 6])
    assert [next(answers), next(answers)] == [0, 2]
    with pytest.raises(errors.InvalidArgument, match="items must be even, got 3") as raised:
        next(answers)
    assert raised.value.found == 3


def test_an_error_that_is_not_the_projects_own_keeps_its_kind(executor: Executor) -> None:
    with pytest.raises(ZeroDivisionError):
        list(executor.run(divide, [1, 0]))


def test_closing_drops_what_is_under_way(executor: Executor, tmp_path: Path) -> None:
    answers = executor.run(marked, ((number, str(tmp_path)) for number in count()))
    assert next(answers) == 0
    answers.close()
    time.sleep(0.7)
    done = {int(mark.name) for mark in tmp_path.iterdir()}
    time.sleep(0.7)
    assert {int(mark.name) for mark in tmp_path.iterdir()} == done
    assert list(executor.run(refuse_odd, [0, 2])) == [0, 2]


def test_maps_that_are_read_in_turn_do_not_meet(executor: Executor) -> None:
    even, close = executor.run(refuse_odd, count(0, 2)), executor.run(divide, count(1))
    assert [(next(even), next(close)) for _ in range(4)] == [(0, 1), (2, 1 / 2), (4, 1 / 3), (6, 1 / 4)]
    even.close()
    assert next(close) == 1 / 5
    close.close()


# --- calls -------------------------------------------------------------------------------------------------------------------


def test_a_call_is_waited_for_whatever_else_is_under_way(executor: Executor) -> None:
    calls = [Call(function=refuse_odd, item=2 * number) for number in range(6)]
    for call in calls:
        executor.submit(call)
    assert [waited(executor, call).answer for call in reversed(calls)] == [10, 8, 6, 4, 2, 0]


def test_a_call_that_was_dropped_is_not_under_way_any_more(executor: Executor) -> None:
    kept, dropped = Call(function=refuse_odd, item=2), Call(function=refuse_odd, item=4)
    executor.submit(dropped)
    executor.submit(kept)
    executor.drop([dropped])
    assert executor.collect([dropped], 0.1) is None
    assert waited(executor, kept).answer == 2


def test_a_closed_executor_has_nothing_under_way_and_can_be_used_again(executor: Executor) -> None:
    call = Call(function=refuse_odd, item=2)
    executor.submit(call)
    executor.close()
    assert executor.collect([call], 0.1) is None
    handle = executor.load(MemorySource(bars=market()), PART)
    assert next(executor.run(last_close, [0], markets=[handle]))[1] == 500


# --- bars --------------------------------------------------------------------------------------------------------------------


def test_bars_that_changed_are_refused(executor: Executor, tmp_path: Path) -> None:
    source = CountedSource(bars=market(), folder=tmp_path, content_hash=market(seed=2).content_hash)
    with pytest.raises(errors.Conflict, match="changed since the job was made"):
        executor.load(source, PART)


def test_bars_are_loaded_once(executor: Executor, tmp_path: Path) -> None:
    source = CountedSource(bars=market(), folder=tmp_path, content_hash=market().content_hash)
    assert executor.load(source, PART) is executor.load(source, PART)
    assert len(list(tmp_path.iterdir())) == 1


def test_two_spans_of_one_market_are_two_markets(executor: Executor) -> None:
    spans = [executor.load(MemorySource(bars=market()[:n_bars]), PART) for n_bars in (500, 300)]
    assert [next(executor.run(last_close, [0], markets=[span]))[1] for span in spans] == [500, 300]


# --- workers that are lost ---------------------------------------------------------------------------------------------------


def test_a_call_whose_worker_died_is_made_again(ray: Executor, tmp_path: Path) -> None:
    assert list(ray.run(die_once, [(number, str(tmp_path)) for number in range(6)])) == list(range(6))


def test_an_item_that_keeps_killing_is_refused_at_the_third_death(ray: Executor, tmp_path: Path) -> None:
    with pytest.raises(errors.WorkerLost, match=r"test_executors.die must not kill its worker, got 3 deaths \(WorkerCrashedError\)"):
        list(ray.run(die, [str(tmp_path)]))
    assert len(list(tmp_path.iterdir())) == 3


def test_a_call_is_made_as_often_as_it_says(ray: Executor, tmp_path: Path) -> None:
    call = Call(function=die, item=str(tmp_path), attempts=1)
    ray.submit(call)
    loss = waited(ray, call).loss
    assert loss is not None
    assert (loss.deaths, loss.cause, loss.late) == (1, "WorkerCrashedError", False)


def test_a_call_that_computes_longer_than_its_limit_is_ended_and_called_late(ray: Executor) -> None:
    slow, quick = Call(function=sleep, item=60.0, limit_s=0.5, attempts=1), Call(function=sleep, item=0.0, limit_s=60.0)
    for call in (slow, quick):
        ray.submit(call)
    loss = waited(ray, slow).loss
    assert loss is not None
    assert loss.late
    assert waited(ray, quick).answer == 0.0


def test_no_more_calls_run_at_one_time_than_the_limit_allows(ray_cluster: object) -> None:
    from cluster.compute.ray.executor import RayExecutor

    alone = RayExecutor(max_workers=1)
    spans = list(alone.run(span, range(6)))
    assert all(before <= after for (_, before), (after, _) in pairwise(spans))
    assert (alone.workers, alone.slots) == (1, 1)
