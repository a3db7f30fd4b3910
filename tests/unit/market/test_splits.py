from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm import errors
from coinswarm.market.splits import chronological, holdout
from tests.unit.market.tapes import START, tape


def rows(bars, span):
    return bars.index_at(span.start_ts), bars.index_at(span.end_ts)


@given(st.integers(70, 300), st.floats(0.1, 0.9), st.integers(0, 5), st.integers(0, 4))  # a tenth of 70 bars outlasts the purge
def test_parts_keep_purge_and_embargo_bars_apart(n, share, purge, embargo):
    bars = tape(n)
    train, test = holdout([bars], share, purge=purge, embargo=embargo)
    (first, stop), (start, last) = rows(bars, train), rows(bars, test)
    assert first == 0
    assert last == n
    assert start - stop == purge + embargo


@given(st.integers(1, 4))
def test_every_bar_belongs_to_one_part_when_nothing_is_purged(parts):
    bars = tape(97)
    spans = [rows(bars, span) for span in chronological([bars], [1 / parts] * parts)]
    assert spans[0][0] == 0
    assert spans[-1][1] == 97
    assert all(left[1] == right[0] for left, right in itertools.pairwise(spans))


def test_markets_share_one_cut_in_time():
    markets = [tape(100), tape(100, start=START + 300_000 * 20)]
    train, test = holdout(markets, 0.25)
    assert train.end_ts == test.start_ts
    assert train.start_ts == START
    assert test.end_ts == markets[1].close_ts[-1]


@pytest.mark.parametrize("shares", [(0.5, 0.6), (1.0, 0.0), (), (-0.5, 1.5)])
def test_shares_must_add_up(shares):
    with pytest.raises(errors.InvalidArgument, match="add up to 1"):
        chronological([tape()], shares)


def test_a_part_without_bars_is_refused():
    with pytest.raises(errors.SpanTooShort, match="part 1 of 2"):
        holdout([tape(10)], 0.9, purge=5)


def test_no_bars_cannot_be_split():
    with pytest.raises(errors.SpanTooShort):
        holdout([tape()[:0]], 0.5)


def test_negative_purge_is_refused():
    with pytest.raises(errors.InvalidArgument, match="purge"):
        holdout([tape()], 0.5, purge=-1)
