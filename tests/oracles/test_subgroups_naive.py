"""Counting subgroups in one pass equals going through the trades of each."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from coinswarm.kernels import subgroups
from coinswarm.patterns.table import CodedTrades
from tests.oracles import naive_subgroups
from tests.oracles.given_trades import coded_trades

few = settings(max_examples=30)
ROUNDING = 1e-12


tables = coded_trades(trades=40, blocks=6, bins=3, dimensions=4)


def found_for(rows: int) -> subgroups.Found:
    return subgroups.Found(np.full((rows, 3), -9, np.int32), np.full((rows, 2), -9, np.int64), np.full((rows, 2), np.nan))


def padded(picks: tuple[int, ...]) -> list[int]:
    return [*picks, *[subgroups.NO_PICK] * (3 - len(picks))]


def assert_row(found: subgroups.Found, place: int, picks: tuple[int, ...], figures: naive_subgroups.Figures) -> None:
    assert found.picks[place].tolist() == padded(picks)
    assert found.counts[place].tolist() == list(figures[:2])
    _, _, total, t = figures
    np.testing.assert_allclose(found.figures[place, 0], total, rtol=1e-6, atol=1e-6)
    if abs(total) > ROUNDING or t != 0.0:  # else all sums are rounding, and so would be their ratio
        np.testing.assert_allclose(found.figures[place, 1], t, rtol=1e-6, atol=1e-6)


@given(tables, st.integers(1, 3), st.integers(0, 6), st.integers(0, 3))
@few
def test_mining_from_a_dimension_finds_its_conjunctions_in_order(trades: CodedTrades, depth: int, least: int, active: int) -> None:
    for first in range(len(trades.sizes)):
        found = found_for(len(naive_subgroups.in_order(trades.coded, first, depth)))
        expected = naive_subgroups.mine_from(trades.coded, first, depth, least, active)
        assert subgroups.mine_from(first, depth, trades.coded, least, active, found) == len(expected)
        for place, (picks, figures) in enumerate(expected):
            assert_row(found, place, picks, figures)


@given(tables, st.integers(1, 3))
@few
def test_places_times_and_widths_are_those_that_are_counted_one_by_one(trades: CodedTrades, depth: int) -> None:
    coded = trades.coded
    starts, totals, wholes = naive_subgroups.times_of(coded)
    times = subgroups.times_of(coded)
    assert (times.starts.tolist(), times.totals.tolist()) == (starts, totals)
    np.testing.assert_allclose(times.wholes, wholes, atol=1e-9)
    np.testing.assert_allclose(subgroups.sums_of(coded.totals), naive_subgroups.sums_of(coded.totals.tolist()), atol=1e-9)
    assert subgroups.widths_of(coded).tolist() == naive_subgroups.widths_of(coded)
    for first in range(len(trades.sizes)):
        assert subgroups.slots_of(first, depth, coded).tolist() == naive_subgroups.slots_of(coded, first, depth)
    assert [part.size for part in subgroups.room_for(coded)] == naive_subgroups.room_for(coded)
    assert [part.shape for part in subgroups.cells_for(7)] == naive_subgroups.cells_for(7)


@given(tables)
@few
def test_cells_of_two_dimensions_are_counted_and_written_down(trades: CodedTrades) -> None:
    coded, widths, times = trades.coded, subgroups.widths_of(trades.coded), subgroups.times_of(trades.coded)
    for first, second in combinations(range(len(trades.sizes)), 2):
        strata = naive_subgroups.strata_of(coded, [0], first, int(widths[first]))
        assert subgroups.strata_of(np.zeros(1, np.int64), first, widths[first], coded).tolist() == strata
        strata, rows = naive_subgroups.strata_of(coded, strata, second, int(widths[second])), coded.codes[first].astype(np.int32)
        cells, found = subgroups.cells_for(len(strata)), found_for(len(naive_subgroups.in_order(coded, first, 2)))
        subgroups.count(rows, np.array(strata), second, widths[second], coded, times, cells)
        expected = naive_subgroups.count(coded, rows.tolist(), strata, second, int(widths[second]))
        np.testing.assert_allclose(cells.sums, expected, atol=1e-9)
        slots = subgroups.slots_of(first, 2, coded)
        subgroups.write_all((first, second), widths, np.array(strata), slots, coded, times, cells, found)
        written = naive_subgroups.write_all(coded, (first, second), 2)
        assert np.flatnonzero(found.picks[:, 0] >= 0).tolist() == sorted(written)
        for place, (picks, figures) in written.items():
            assert_row(found, place, picks, figures)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3))), st.integers(0, 5), st.integers(0, 3))
def test_conjunctions_with_enough_trades_move_up(counts: list[tuple[int, int]], min_trades: int, min_active: int) -> None:
    found = found_for(len(counts))
    found.counts[:] = np.array(counts, np.int64).reshape(-1, 2)
    found.figures[:, 0] = np.arange(len(counts))
    places = naive_subgroups.keep_supported(counts, min_trades, min_active)
    assert subgroups.keep_supported(len(counts), min_trades, min_active, found) == len(places)
    assert found.figures[: len(places), 0].tolist() == places


@given(tables, st.integers(0, 2**32))
@few
def test_given_conjunctions_are_measured_over_their_members(trades: CodedTrades, seed: int) -> None:
    coded, net = trades.coded, np.random.default_rng(seed).standard_normal(trades.coded.y.size)
    conjunctions = naive_subgroups.in_order(coded, 0, 3)
    picks, n = np.array([padded(row) for row in conjunctions], np.int32), len(conjunctions)
    found, bounds, sums, moments = found_for(n), np.empty(n), np.empty((n, trades.n_blocks)), np.empty((n, 4))
    subgroups.score_picks(picks, trades.all_trades, coded, found.counts, found.figures, bounds)
    subgroups.evidence(picks, trades.all_trades, coded, sums)
    subgroups.moments(picks, trades.all_trades, coded.bits, net, moments)
    found.picks[:] = picks
    for place, row in enumerate(conjunctions):
        assert_row(found, place, row, naive_subgroups.score_picks(coded, row))
        np.testing.assert_allclose(sums[place], naive_subgroups.evidence(coded, row), atol=1e-9)
        np.testing.assert_allclose(moments[place], naive_subgroups.moments(coded, row, net.tolist()), atol=1e-9)
        np.testing.assert_allclose(bounds[place], naive_subgroups.best_part(coded, row), atol=1e-9)
