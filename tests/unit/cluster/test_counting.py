"""Counts that are shared by all who ask."""

from __future__ import annotations

import threading

import pytest

from cluster.api.counting import Trials
from coinswarm import errors


class Counter:
    """Counts how often it was asked, and takes a second of a clock that only it moves."""

    def __init__(self) -> None:
        self.asked, self.now = 0, 0.0

    def __call__(self, campaign: str) -> int:
        self.asked += 1
        self.now += 1.0
        return self.asked * 10

    def clock(self) -> float:
        return self.now


def test_a_count_is_kept_for_twenty_times_as_long_as_it_took() -> None:
    counter = Counter()
    trials = Trials(counter, counter.clock)
    assert [trials.of("a"), trials.of("a"), counter.asked] == [10, 10, 1]
    counter.now += 19.9
    assert trials.of("a") == 10
    counter.now += 0.2
    assert trials.of("a") == 20


def test_campaigns_are_counted_apart() -> None:
    counter = Counter()
    trials = Trials(counter, counter.clock)
    assert [trials.of("a"), trials.of("b"), trials.of("a")] == [10, 20, 10]


def test_a_count_that_failed_is_tried_again() -> None:
    answers = iter([errors.Unavailable("away"), 7])

    def count(_campaign: str) -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    trials = Trials(count)
    with pytest.raises(errors.Unavailable):
        trials.of("a")
    assert trials.of("a") == 7


def test_whoever_comes_while_it_is_counted_again_gets_the_last_count() -> None:
    asked, answer, now = threading.Event(), threading.Event(), [0.0]
    numbers = iter([1, 2])

    def count(_campaign: str) -> int:
        number = next(numbers)
        if number == 2:
            asked.set()
            answer.wait(30)
        return number

    trials = Trials(count, lambda: now[0])
    assert trials.of("a") == 1
    now[0] = 5.0
    thread = threading.Thread(target=trials.of, args=("a",))
    thread.start()
    asked.wait(30)
    assert trials.of("a") == 1
    answer.set()
    thread.join()
    assert trials.of("a") == 2
