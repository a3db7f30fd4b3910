from __future__ import annotations

from collections.abc import Callable

import pytest

from coinswarm import errors
from coinswarm.retry import RetryPolicy, retry


class Clock:
    """Time that passes only by waiting."""

    def __init__(self) -> None:
        self.now, self.pauses = 0.0, list[float]()

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)

    def policy(self, limit_s: float) -> RetryPolicy:
        return RetryPolicy(limit_s=limit_s, first_s=1.0, longest_s=4.0, sleep=self.sleep, clock=lambda: self.now)


def failing(times: int, error: Exception) -> Callable[[], str]:
    """A call that raises so often before it answers."""
    left = [error] * times

    def call() -> str:
        if left:
            raise left.pop()
        return "answer"

    return call


def test_pauses_double_up_to_the_longest_and_are_announced() -> None:
    clock, announced = Clock(), list[float]()
    away = errors.Unavailable("away")
    answer = retry(failing(4, away), clock.policy(60.0), on=errors.Unavailable, on_pause=lambda _, pause_s: announced.append(pause_s))
    assert (answer, clock.pauses, announced) == ("answer", [1.0, 2.0, 4.0, 4.0], [1.0, 2.0, 4.0, 4.0])


@pytest.mark.parametrize(("limit_s", "pauses"), [(0.0, []), (1.0, []), (3.5, [1.0, 2.0]), (8.0, [1.0, 2.0, 4.0])])
def test_no_call_is_begun_after_the_limit(limit_s: float, pauses: list[float]) -> None:
    clock = Clock()
    with pytest.raises(errors.Unavailable, match="away"):
        retry(failing(99, errors.Unavailable("away")), clock.policy(limit_s), on=errors.Unavailable)
    assert clock.pauses == pauses


def test_an_error_that_does_not_pass_is_raised_at_once() -> None:
    clock = Clock()
    with pytest.raises(errors.Conflict):
        retry(failing(1, errors.Conflict("taken")), clock.policy(60.0), on=errors.Unavailable)
    with pytest.raises(errors.Unavailable):
        retry(failing(1, errors.Unavailable("gone")), clock.policy(60.0), on=errors.Unavailable, when=lambda error: error.rule != "gone")
    assert clock.pauses == []


def test_what_the_announcement_raises_ends_it() -> None:
    def stop(_error: Exception, _pause_s: float) -> None:
        raise errors.Cancelled("stopped")

    with pytest.raises(errors.Cancelled):
        retry(failing(1, errors.Unavailable("away")), Clock().policy(60.0), on=errors.Unavailable, on_pause=stop)
