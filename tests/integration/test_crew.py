"""What both crews promise: answers in the order of the items, the same ones, whoever computes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from cluster.compute.evaluator import Segment
from cluster.compute.executor import Crew
from cluster.compute.sources import MemorySource
from coinswarm import errors
from coinswarm.market import synthetic
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe


def last_close(item: int, bars: Bars) -> tuple[int, int, float]:
    return item, len(bars), float(bars.close[-1 - item])


def refuse_odd(item: int) -> int:
    if item % 2:
        raise errors.InvalidArgument("items must be even", found=item)
    return item


def die_once(item: tuple[int, str]) -> int:
    number, folder = item
    mark = Path(folder) / str(number)
    if number == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die(item: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return item


def load(crew: Crew, n_bars: int, end: int | None = None) -> tuple[Bars, object]:
    bars = synthetic.market("BTC/USDT", Timeframe.parse("5m"), n_bars, seed=1)
    end_ts = None if end is None else int(bars.ts[end])
    return bars, crew.load(MemorySource(bars=bars), Segment(name="part", end_ts=end_ts))


@pytest.fixture(params=["local", "ray"])
def crew(request: pytest.FixtureRequest) -> Iterator[Crew]:
    if request.param == "ray":
        yield request.getfixturevalue("ray_crew")
    else:
        from cluster.compute.local_executor import LocalCrew

        yield LocalCrew()


def test_answers_come_in_the_order_of_the_items_with_the_bars_cut(crew: Crew) -> None:
    bars, handle = load(crew, 500, end=300)
    answers = list(crew.run(last_close, range(40), markets=[handle]))
    assert answers == [(item, 300, float(bars.close[299 - item])) for item in range(40)]


def test_no_items_give_no_answers(crew: Crew) -> None:
    assert list(crew.run(refuse_odd, [])) == []


def test_an_endless_supply_of_items_is_taken_as_there_is_room(crew: Crew) -> None:
    answers = crew.run(refuse_odd, count(0, 2))
    assert [next(answers) for _ in range(5)] == [0, 2, 4, 6, 8]
    answers.close()


def test_an_error_of_a_call_is_raised_as_it_was(crew: Crew) -> None:
    with pytest.raises(errors.InvalidArgument, match="even"):
        list(crew.run(refuse_odd, [0, 2, 3]))


def test_a_call_whose_worker_died_is_made_again(ray_crew: Crew, tmp_path: Path) -> None:
    assert list(ray_crew.run(die_once, [(number, str(tmp_path)) for number in range(6)])) == list(range(6))


def test_a_call_that_keeps_killing_is_given_up(ray_crew: Crew) -> None:
    with pytest.raises(errors.WorkerLost, match="kill"):
        list(ray_crew.run(die, [0]))
