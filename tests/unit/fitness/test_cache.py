"""The scorer's memory is bounded and says how often it helped."""

from __future__ import annotations

from coinswarm.fitness.cache import Cache


def test_what_was_used_least_recently_makes_room() -> None:
    cache = Cache(max_bytes=20)
    for key in "ab":
        cache.keep(key, key.upper(), 10)
    assert cache.find("a") == "A"
    cache.keep("c", "C", 10)
    assert (cache.find("a"), cache.find("b"), cache.find("c")) == ("A", None, "C")
    assert cache.info.bytes == 20


def test_one_entry_larger_than_the_memory_is_still_kept() -> None:
    cache = Cache(max_bytes=5)
    cache.keep("big", 1, 50)
    assert cache.find("big") == 1


def test_look_ups_are_counted() -> None:
    cache = Cache()
    assert [cache.get("x", lambda: 7, lambda _: 8) for _ in range(4)] == [7] * 4
    assert (cache.info.hits, cache.info.misses) == (3, 1)
