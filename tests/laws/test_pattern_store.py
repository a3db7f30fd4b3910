"""The contract of `coinswarm.ledger.patterns`, held by every library of patterns."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cluster.store.database import Database
from cluster.store.patterns import PostgresPatternStore
from coinswarm import errors, stats
from coinswarm.ledger.memory import MemoryPatternStore, MemoryStore
from coinswarm.ledger.patterns import DECAY, PatternRecord, PatternStore
from coinswarm.ledger.store import Store
from tests.laws.ledger_world import fresh, generation, running

LAW = {"alpha": 0.05, "procedure": "lond"}


@pytest.fixture(scope="session")
def postgres_library(database: Database) -> PostgresPatternStore:
    return PostgresPatternStore(database)


@pytest.fixture
def library(store: Store, request: pytest.FixtureRequest) -> PatternStore:
    return MemoryPatternStore(store) if isinstance(store, MemoryStore) else request.getfixturevalue("postgres_library")


def record(p: float = math.nan, **changed: object) -> PatternRecord:
    plain = PatternRecord(
        id=fresh("pattern"), source="chaos", name="a < 1", conditions=[{"kind": "state", "feature": "a", "low": None, "high": 0.1}],
        figures={"discovery": {"effect": 1e-3, "capacity": math.inf}}, job=fresh("job"), p_confirm=p,
        discovered_at=datetime(2025, 1, 2, 3, 4, 5, 600, tzinfo=UTC), evidence={"seed": 7}, synthetic=True,
    )  # fmt: skip
    return replace(plain, **changed)


def added(library: PatternStore, *records: PatternRecord) -> tuple[PatternRecord, ...]:
    return library.add(records, **LAW)


def test_a_pattern_that_was_not_asked_comes_back_equal_and_spends_nothing(library: PatternStore) -> None:
    before, new = len(library.spent(synthetic=True)), record()
    added(library, new)
    found = library.pattern(new.id)
    assert math.isnan(found.p_confirm)
    assert replace(found, p_confirm=0.0) == replace(new, p_confirm=0.0)
    assert len(library.spent(synthetic=True)) == before


def test_levels_follow_the_procedure_over_the_whole_stream(library: PatternStore) -> None:
    added(library, record(0.3), record(1e-9))
    added(library, record(0.001), record(0.9))
    stream = library.spent(synthetic=True)
    expected = stats.lond([spent.p_value for spent in stream], 0.05, DECAY)
    assert [spent.place for spent in stream] == list(range(1, len(stream) + 1))
    assert [spent.level for spent in stream] == pytest.approx(expected.levels.tolist())
    assert [spent.rejected for spent in stream] == expected.rejected.tolist()


def test_a_tested_pattern_is_confirmed_or_rejected_and_says_at_which_level(library: PatternStore) -> None:
    good, bad = added(library, record(0.0), record(1.0))
    assert (good.status, bad.status) == ("confirmed", "rejected")
    assert bad.evidence["place"] == good.evidence["place"] + 1
    assert 0 < good.evidence["level"] < 0.05


def test_adding_again_changes_nothing_and_spends_nothing(library: PatternStore) -> None:
    new = record(1e-6)
    first = added(library, new, new)
    spent = library.spent(synthetic=True)
    assert added(library, replace(new, p_confirm=1.0)) == first[:1]
    assert library.spent(synthetic=True) == spent


def test_synthetic_patterns_do_not_spend_the_alpha_of_real_ones(library: PatternStore) -> None:
    real = library.spent()
    added(library, record(0.5))
    assert library.spent() == real
    kept = added(library, record(0.5, synthetic=False))[0]
    assert library.spent()[-1].pattern == kept.id
    assert library.spent()[-1].place == len(real) + 1


def test_a_library_keeps_to_the_alpha_it_began_with(library: PatternStore) -> None:
    added(library, record(0.5))
    with pytest.raises(errors.Refused, match=r"alpha 0\.05 by lond"):
        library.add([record(0.5)], alpha=0.2, procedure="lond")


def test_discoverers_that_finish_together_get_places_one_after_the_other(library: PatternStore) -> None:
    before = len(library.spent(synthetic=True))
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: added(library, record(0.01), record(0.02)), range(12)))
    places = [spent.place for spent in library.spent(synthetic=True)][before:]
    assert places == list(range(before + 1, before + 25))


def test_a_step_is_committed_with_its_patterns_once(store: Store, library: PatternStore) -> None:
    job, lease = running(store)
    step, new = generation(job), record(0.2, job=job.id)
    assert library.commit(lease, step, [new], **LAW)
    assert not library.commit(lease, step, [record(0.2, job=job.id)], **LAW)
    assert [found.id for found in library.patterns(job=job.id)] == [new.id]


def test_a_lost_lease_commits_nothing(store: Store, library: PatternStore) -> None:
    job, lease = running(store)
    with pytest.raises(errors.Conflict):
        library.commit(replace(lease, owner="somebody else"), generation(job), [record(0.2, job=job.id)], **LAW)
    assert library.patterns(job=job.id) == ()


def test_a_note_is_kept_once_and_may_change_the_status(library: PatternStore) -> None:
    new = added(library, record(0.0))[0]
    note = {"what": "retired", "why": "tired", "p": math.nan}
    once = library.amend(new.id, note, status="retired")
    assert len(library.amend(new.id, note).evidence["notes"]) == 1
    assert library.pattern(new.id).status == "retired"
    assert once.status == "retired"


def test_patterns_are_listed_newest_first_by_what_is_asked(library: PatternStore) -> None:
    job = fresh("job")
    old, new = record(job=job), record(0.0, job=job, discovered_at=datetime(2026, 1, 1, tzinfo=UTC))
    added(library, old, new)
    assert [found.id for found in library.patterns(job=job)] == [new.id, old.id]
    assert [found.id for found in library.patterns(job=job, status="candidate", source="chaos")] == [old.id]
    assert library.patterns(job=job, limit=1)[0].id == new.id


def test_an_unknown_pattern_is_not_found(library: PatternStore) -> None:
    with pytest.raises(errors.NotFound, match="pattern"):
        library.amend("nowhere", {})


@pytest.mark.parametrize("changed", [{"source": "stars"}, {"status": "loved"}, {"p_confirm": 1.5}, {"name": "\x00"}, {"id": ""}])
def test_what_is_no_pattern_is_refused_and_changes_nothing(library: PatternStore, changed: dict[str, object]) -> None:
    before = library.spent(synthetic=True)
    with pytest.raises(errors.InvalidArgument):
        added(library, record(0.01), record(**changed))
    assert library.spent(synthetic=True) == before


def test_every_library_keeps_the_protocol(library: PatternStore) -> None:
    calls: list[Callable[..., object]] = [library.add, library.commit, library.pattern, library.patterns, library.spent, library.amend]
    assert all(callable(call) for call in calls)
