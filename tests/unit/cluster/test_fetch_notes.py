"""What a fetch tells while it goes through the pages of a market."""

from __future__ import annotations

from cluster.jobs.fetch.stages import PageNotes
from coinswarm.market.fetch import Progress


class Clock:
    """Seconds that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def progress(done: float, note: str = "") -> Progress:
    return Progress(symbol="BTC/USDT", done=done, added=round(10_000 * done), note=note)


def test_pages_are_told_at_most_every_ten_seconds_with_the_time_to_go() -> None:
    told: list[str] = []
    clock = Clock()
    notes = PageNotes(told.append, clock)
    for second in range(31):
        clock.now = float(second)
        notes.on_progress(progress(0.1 + second / 100))
    assert told == [
        "BTC/USDT: 20%, 2,000 bars, about 80 s to go",
        "BTC/USDT: 30%, 3,000 bars, about 70 s to go",
        "BTC/USDT: 40%, 4,000 bars, about 60 s to go",
    ]


def test_what_is_waited_for_is_told_at_once() -> None:
    told: list[str] = []
    PageNotes(told.append, Clock()).on_progress(progress(0.5, note="the exchange asks for a pause of 3 s"))
    assert told == ["BTC/USDT: the exchange asks for a pause of 3 s"]


def test_no_time_is_told_before_a_page_was_added() -> None:
    told: list[str] = []
    clock = Clock()
    notes = PageNotes(told.append, clock)
    notes.on_progress(progress(0.5))
    clock.now = 11.0
    notes.on_progress(progress(0.5))
    assert told == ["BTC/USDT: 50%, 5,000 bars"]
