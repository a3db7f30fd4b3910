"""What a process remembers from one call to the next."""

from __future__ import annotations

import pytest

from cluster.compute import memory
from cluster.compute.memory import IDLE_S, Memory


class Clock:
    """A time that passes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_what_was_made_is_found_again(clock: Clock) -> None:
    remembered = Memory(clock=clock)
    first = remembered.get("a", object)
    clock.now = IDLE_S - 1
    assert remembered.get("a", object) is first


def test_what_was_not_asked_for_in_a_while_is_forgotten_when_something_else_is(clock: Clock) -> None:
    remembered = Memory(clock=clock)
    for at_s, key in ((0.0, "ended"), (0.0, "goes on"), (IDLE_S - 1, "goes on"), (IDLE_S + 1, "new")):
        clock.now = at_s
        remembered.get(key, object)
    assert len(remembered) == 2
    first = remembered.get("ended", object)
    assert remembered.get("ended", object) is first


def test_the_least_recently_used_is_forgotten_first(clock: Clock) -> None:
    remembered = Memory(2, clock=clock)
    made = {key: remembered.get(key, object) for key in ("a", "b")}
    assert remembered.get("a", object) is made["a"]
    remembered.get("c", object)
    assert (remembered.get("a", object) is made["a"], remembered.get("b", object) is made["b"]) == (True, False)


def test_what_cannot_be_made_is_not_remembered(clock: Clock) -> None:
    remembered = Memory(clock=clock)
    with pytest.raises(ZeroDivisionError):
        remembered.get("a", lambda: 1 / 0)
    assert len(remembered) == 0


def test_a_process_lets_go_of_all_it_remembers() -> None:
    kept = [Memory(), Memory()]
    for each in kept:
        each.get("a", object)
    memory.clear()
    assert [len(each) for each in kept] == [0, 0]
