"""Counting subgroups against the obvious way: masks and sums."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from coinswarm import stats
from coinswarm.kernels import subgroups
from coinswarm.patterns import evidence, mining, table
from coinswarm.patterns.table import CodedTrades
from tests.oracles.given_trades import coded_trades

tables = coded_trades(trades=150, blocks=9, bins=4, dimensions=5)


def naive(trades: CodedTrades, depth: int, min_trades: int, min_active: int) -> dict[tuple[int, ...], tuple[int, int, float, float]]:
    """Every conjunction by masks, with the statistic over its stratum."""
    coded, found = trades.coded, {}
    for size in range(1, depth + 1):
        for dims in combinations(range(len(trades.sizes)), size):
            for values in product(*(range(trades.sizes[d]) for d in dims)):
                member = np.all([coded.codes[d] == value for d, value in zip(dims, values, strict=True)], axis=0)
                like = np.all(
                    [coded.codes[d] == v for d, v in zip(dims, values, strict=True) if trades.strata[d]] or [member | True], axis=0
                )
                active = np.unique(coded.block_of[member]).size
                if member.sum() >= max(min_trades, 1) and active >= min_active:
                    picks = tuple(int(coded.offsets[d]) + value for d, value in zip(dims, values, strict=True))
                    found[picks] = (int(member.sum()), active, float(coded.y[member].sum()), statistic(trades, member, like))
    return found


def statistic(trades: CodedTrades, member: np.ndarray, like: np.ndarray) -> float:
    share = member.sum() / like.sum()
    sums = np.bincount(trades.coded.block_of, weights=(member - share * like) * trades.coded.y, minlength=trades.n_blocks)
    norm = float(np.sqrt(sums @ sums))
    return float(sums.sum()) / norm if norm > 1e-6 * np.abs(trades.coded.y).sum() else 0.0


@given(tables, st.integers(1, 3), st.integers(1, 12), st.integers(1, 3))
@settings(max_examples=60)
def test_every_conjunction_is_found_once_with_its_figures(trades: CodedTrades, depth: int, min_trades: int, min_active: int) -> None:
    expected = naive(trades, depth, min_trades, min_active)
    found = mining.exhaust(trades, depth, min_trades, min_active)
    rows = {tuple(pick for pick in row if pick >= 0): place for place, row in enumerate(found.picks.tolist())}
    assert rows.keys() == expected.keys()
    assert len(rows) == len(found)
    for picks, place in rows.items():
        n, active, total, t = expected[picks]
        assert (found.trades[place], found.active[place]) == (n, active)
        np.testing.assert_allclose([found.total[place], found.t[place]], [total, t], rtol=1e-6, atol=1e-6)


@given(tables, st.integers(1, 3))
@settings(max_examples=30)
def test_evidence_in_blocks_adds_up_to_the_statistic(trades: CodedTrades, depth: int) -> None:
    found = mining.exhaust(trades, depth, 2, 1)
    rows = evidence.standardised(trades, found.picks)
    np.testing.assert_allclose(rows.sum(axis=1), np.where(np.abs(found.t) > 1e-5, found.t, rows.sum(axis=1)), atol=1e-4)


def test_without_strata_the_evidence_is_that_of_the_statistics() -> None:
    random = np.random.default_rng(4)
    codes = random.integers(0, 3, (2, 200)).astype(np.uint8)
    blocks = np.sort(random.integers(0, 12, 200))
    trades = table.build(codes, (3, 3), (False, False), random.standard_normal(200), blocks, 12)
    found = mining.exhaust(trades, 2, 5, 1)
    sums = np.empty((len(found), 12))
    subgroups.evidence(found.picks, trades.all_trades, trades.coded, sums)
    np.testing.assert_allclose(sums, stats.block_scores(trades.masks(found.picks), trades.coded.y, blocks), atol=1e-12)


@given(tables)
@settings(max_examples=30)
def test_given_conjunctions_are_measured_like_those_that_are_found(trades: CodedTrades) -> None:
    found = mining.exhaust(trades, 3, 1, 1)
    again = mining.score(trades, found.picks)
    for name in ("trades", "active", "total", "t"):
        np.testing.assert_allclose(getattr(again, name), getattr(found, name), atol=1e-8)


def test_no_part_of_a_conjunction_has_more_than_its_bound() -> None:
    random = np.random.default_rng(6)
    codes = random.integers(0, 3, (4, 300)).astype(np.uint8)
    trades = table.build(codes, (3,) * 4, (False,) * 4, random.standard_normal(300), np.zeros(300, np.int64), 1)
    wide, narrow = mining.exhaust(trades, 2, 1, 1), mining.exhaust(trades, 3, 1, 1)
    counts, figures, bounds = np.empty((len(wide), 2), np.int64), np.empty((len(wide), 2)), np.empty(len(wide))
    subgroups.score_picks(wide.picks, trades.all_trades, trades.coded, counts, figures, bounds)
    members, parts = trades.masks(wide.picks), trades.masks(narrow.picks)
    for member, bound in zip(members, bounds, strict=True):
        inside = ~(parts & ~member).any(axis=1)
        assert narrow.total[inside].max() <= bound + 1e-9
