"""Whose call is next when several jobs want the same workers."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from cluster.compute.shared.shares import FairShares


def computed(seconds: dict[str, float], *, slots: int, until_s: float, shares: FairShares[str] | None = None) -> Counter[str]:
    """Seconds that each client computed, whose calls take that long and never end, on `slots` workers."""
    shares = shares or FairShares()
    running: list[tuple[float, str]] = []
    had, now = Counter[str](), 0.0
    while now < until_s:
        while len(running) < slots:
            client = shares.next(list(seconds))
            shares.begin(client)
            running.append((now + seconds[client], client))
        running.sort()
        now, client = running.pop(0)
        shares.end(client, seconds[client], waits=True)
        had[client] += seconds[client]
    return had


@given(st.lists(st.floats(0.05, 5.0), min_size=1, max_size=5), st.integers(1, 8))
def test_clients_have_equal_time_however_long_their_calls_are(lengths: list[float], slots: int) -> None:
    seconds = {f"client {number}": length for number, length in enumerate(lengths)}
    had = computed(seconds, slots=slots, until_s=200.0)
    assert max(had.values()) - min(had[client] for client in seconds) <= (slots + 2) * max(lengths)


def test_a_client_that_comes_later_does_not_make_up_for_what_it_missed() -> None:
    shares = FairShares[str]()
    computed({"first": 1.0}, slots=1, until_s=100.0, shares=shares)
    had = computed({"first": 1.0, "second": 1.0}, slots=1, until_s=20.0, shares=shares)
    assert abs(had["first"] - had["second"]) <= 2.0


def test_a_client_that_rested_saves_nothing_up() -> None:
    shares = FairShares[str]()
    shares.begin(shares.next(["rests"]))
    shares.end("rests", 1.0, waits=False)
    computed({"works": 1.0}, slots=1, until_s=100.0, shares=shares)
    had = computed({"works": 1.0, "rests": 1.0}, slots=1, until_s=20.0, shares=shares)
    assert abs(had["works"] - had["rests"]) <= 2.0


def test_what_is_under_way_counts_so_that_one_client_does_not_take_all_workers() -> None:
    shares = FairShares[str]()
    for client in ("one", "two"):
        shares.begin(shares.next([client]))
        shares.end(client, 1.0, waits=True)
    taken = []
    for _ in range(6):
        taken.append(shares.next(["one", "two"]))
        shares.begin(taken[-1])
    assert Counter(taken) == {"one": 3, "two": 3}


def test_the_answer_to_a_client_that_left_is_nobodys() -> None:
    shares = FairShares[str]()
    shares.begin(shares.next(["one"]))
    shares.leave("one")
    shares.end("one", 1.0, waits=False)
    assert shares.next(["two"]) == "two"
