"""Slow, obvious twins of `coinswarm.kernels.bits`: conditions are lists of truth values, one a bar."""

from __future__ import annotations


def shifted(mask: list[bool], bars: int) -> list[bool]:
    return [i >= bars and mask[i - bars] for i in range(len(mask))]


def clear_tail(mask: list[bool], n: int) -> list[bool]:
    return [value and i < n for i, value in enumerate(mask)]


def count_true(mask: list[bool], bars: int, at_least: float) -> list[bool]:
    return [sum(mask[max(0, i + 1 - bars) : i + 1]) >= at_least for i in range(len(mask))]


def held_for(mask: list[bool], bars: int) -> list[bool]:
    return [i + 1 >= bars and all(mask[i + 1 - bars : i + 1]) for i in range(len(mask))]


def occurred_within(mask: list[bool], bars: int) -> list[bool]:
    return [any(mask[max(0, i + 1 - bars) : i + 1]) for i in range(len(mask))]


def inverted(mask: list[bool]) -> list[bool]:
    return [not value for value in mask]


def combine_rows(tables: list[list[bool]], picks: list[list[int]], conjunction: bool) -> list[list[bool]]:
    join = all if conjunction else any
    return [[join(tables[pick][i] for pick in row) for i in range(len(tables[0]))] for row in picks]
