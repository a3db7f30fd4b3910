"""Ids and names."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from coinswarm.ledger import patterns, records

words = st.text(st.characters(exclude_categories=("Cs",)), min_size=1)


@given(words, words, words)
def test_the_id_of_an_evaluation_follows_from_job_and_variant(job: str, variant: str, other: str) -> None:
    assert records.evaluation_id(job, variant) == records.evaluation_id(job, variant)
    assert (records.evaluation_id(job, variant) == records.evaluation_id(job, other)) == (variant == other)


def test_the_id_of_a_pattern_is_the_one_that_libraries_have() -> None:
    conditions = [{"kind": "band", "feature": "rsi(14)", "low": -math.inf, "high": 30.0, "é": "ü"}, {"kind": "side", "side": "long"}]
    assert patterns.pattern_id("chaos", "job-1", conditions) == "a593f2b8391225cb"


def test_job_ids_sort_by_time_and_differ_within_a_second() -> None:
    created = datetime(2025, 1, 31, 23, 59, 59, tzinfo=UTC)
    ids = [records.new_job_id("evolve", created + timedelta(seconds=second)) for second in range(3)]
    assert ids == sorted(ids)
    assert len({records.new_job_id("evolve", created) for _ in range(20)}) > 1
    assert ids[0].startswith("evolve-20250131-235959-")


def test_an_owner_is_never_named_twice() -> None:
    assert records.new_owner("host", 1) != records.new_owner("host", 1)
