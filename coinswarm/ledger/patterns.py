"""The library of patterns, what its alpha was spent on, and the contract of a store that keeps both."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np

from coinswarm import codec, errors, stats
from coinswarm.ledger import identity
from coinswarm.ledger.records import GenerationRecord, Json, Lease

PatternStatus: TypeAlias = Literal["candidate", "confirmed", "rejected", "retired"]
STATUSES: tuple[PatternStatus, ...] = ("candidate", "confirmed", "rejected", "retired")
PatternSource: TypeAlias = Literal["chaos", "technical", "academic"]
SOURCES: tuple[PatternSource, ...] = ("chaos", "technical", "academic")
PROCEDURES = ("lond", "lord++")
DECAY = 1.3
"""How fast LOND's levels fall: a first test at .013, a hundredth at 3e-5 times the discoveries so far. See decision 0009."""
_ID_LENGTH = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class PatternRecord:
    """One pattern of the library.

    Attributes:
        id: see `pattern_id`. source: where it comes from. name: how a person reads it.
        conditions: what must hold, as JSON. figures: what it was worth, by segment.
        status: a candidate was never asked on later bars; confirmed and rejected were; a retired one was confirmed and died.
        job: that found it. p_confirm: on later bars; NaN while it was not asked.
        discovered_at: UTC. evidence: how it was found, what its level was, and under `notes` what became of it since, oldest first.
        synthetic: the bars behind it were made.
    """

    id: str
    source: PatternSource
    name: str
    conditions: Sequence[Json]
    figures: Json
    status: PatternStatus = "candidate"
    job: str
    p_confirm: float = math.nan
    discovered_at: datetime
    evidence: Json = field(default_factory=dict)
    synthetic: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """One test that the library paid for: the p-value of a pattern, and the level that was there for it.

    `place` counts the tests of real patterns and those of synthetic ones apart, from 1: made-up bars cost nothing of the real alpha.
    """

    place: int
    pattern: str
    p_value: float
    level: float
    rejected: bool
    alpha: float
    procedure: str
    synthetic: bool


class PatternStore(Protocol):
    """Keeps patterns and the stream of tests. Every call is one transaction.

    Concurrency: `add` and `commit` hold the stream while they read and extend it, so tests of discoverers that finish at the same time get
    places one after the other and levels that know of all before them. Adding a pattern that is there changes nothing and spends nothing.
    """

    def add(self, patterns: Sequence[PatternRecord], *, alpha: float, procedure: str) -> tuple[PatternRecord, ...]:
        """Add patterns in order; those with a p-value are tested and become confirmed or rejected. The answer is how they are stored.

        Raises:
            Refused: the library spends another alpha or by another procedure. InvalidArgument: a record cannot be stored.
        """

    def commit(self, lease: Lease, record: GenerationRecord, patterns: Sequence[PatternRecord], *, alpha: float, procedure: str) -> bool:
        """`add` together with the step of a job that found them; False: the step was there and nothing changed.

        Raises:
            Conflict: the lease is not held, or the step is stored with another state. Refused, InvalidArgument: as `add`.
        """

    def pattern(self, pattern: str) -> PatternRecord:
        """A pattern by its id, or by a prefix that no other has.

        Raises:
            NotFound: there is none; Conflict: the prefix fits several.
        """

    def patterns(
        self, *, source: str | None = None, status: str | None = None, job: str | None = None, limit: int = 1000
    ) -> tuple[PatternRecord, ...]:
        """Patterns, newest first, those of one moment by id."""

    def spent(self, *, synthetic: bool = False) -> tuple[Spent, ...]:
        """Every test of real, or of synthetic, patterns in order."""

    def amend(self, pattern: str, note: Json, *, status: PatternStatus | None = None) -> PatternRecord:
        """Append a note to a pattern's evidence and change its status; a note that is there already changes nothing.

        Raises:
            NotFound: there is no such pattern.
        """


def pattern_id(source: str, job: str, conditions: Sequence[Json]) -> str:
    """The id of a pattern: 16 hexadecimal digits that follow from where and by whom it was found and from its conditions."""
    return codec.canonical_hash([source, job, codec.copy(list(conditions))])[:_ID_LENGTH]


def checked(record: PatternRecord) -> PatternRecord:
    """A new record in the form it will be read back in.

    Raises:
        InvalidArgument: it cannot be stored, or is of a source or status that is not known.
    """
    identity.check_text(record)
    if record.source not in SOURCES or record.status not in STATUSES or not record.id or record.discovered_at.tzinfo is None:
        found = f"{record.id!r}, {record.source}, {record.status}"
        raise errors.InvalidArgument("a pattern has an id, a known source and status, and a time in UTC", found=found)
    if not (math.isnan(record.p_confirm) or 0 <= record.p_confirm <= 1):
        raise errors.InvalidArgument("p_confirm must be in [0, 1]", found=record.p_confirm)
    plain = {name: codec.copy(getattr(record, name)) for name in ("conditions", "figures", "evidence")}
    return replace(record, discovered_at=record.discovered_at.astimezone(UTC), **plain)


def settle(
    new: Sequence[PatternRecord], earlier: Sequence[Spent], *, alpha: float, procedure: str
) -> tuple[tuple[PatternRecord, ...], tuple[Spent, ...]]:
    """Spend alpha on new patterns of one kind of bars, after all that was tested before.

    Args:
        new: patterns that the library does not have, all synthetic or none, in the order they are to be tested.
        earlier: the stream so far.
        alpha: false discovery rate of the library.
        procedure: one of `PROCEDURES`.

    Returns:
        (the patterns as they are to be stored, what the stream grows by).

    Raises:
        Refused: the stream was begun with another alpha or procedure.
    """
    _require_same(earlier, alpha, procedure)
    asked = [record for record in new if not math.isnan(record.p_confirm)]
    levels = spending([spent.p_value for spent in earlier] + [record.p_confirm for record in asked], alpha, procedure)[len(earlier) :]
    tests = {
        record.id: Spent(
            place=len(earlier) + 1 + number, pattern=record.id, p_value=record.p_confirm, level=level, rejected=record.p_confirm <= level,
            alpha=alpha, procedure=procedure, synthetic=record.synthetic,
        )
        for number, (record, level) in enumerate(zip(asked, levels, strict=True))
    }  # fmt: skip
    return tuple(_settled(record, tests.get(record.id)) for record in new), tuple(tests.values())


def spending(p_values: Sequence[float], alpha: float, procedure: str) -> list[float]:
    """The level of each of (n,) p-values, in the order they came.

    Raises:
        InvalidArgument: the procedure is not known, or alpha or a p-value lies outside its domain.
    """
    if procedure not in PROCEDURES:
        raise errors.InvalidArgument(f"procedure must be one of {', '.join(PROCEDURES)}", found=procedure)
    p = np.array(p_values)
    run = stats.lond(p, alpha, DECAY) if procedure == "lond" else stats.lord_plus_plus(p, alpha)
    return [float(level) for level in run.levels]


def amended(record: PatternRecord, note: Json, status: PatternStatus | None) -> PatternRecord:
    """A record with one more note, unless it has it already."""
    notes = list(record.evidence.get("notes", []))
    plain = codec.copy(note)
    if codec.dumps(plain) in map(codec.dumps, notes):
        return record
    return replace(record, status=status or record.status, evidence={**record.evidence, "notes": [*notes, plain]})


def fresh(given: Iterable[PatternRecord], known: Iterable[str]) -> list[PatternRecord]:
    """Those given that are not known, each once, in order, in the form they are stored."""
    there = set(known)
    return [checked(record) for record in {record.id: record for record in reversed(list(given))}.values() if record.id not in there][::-1]


def _require_same(earlier: Sequence[Spent], alpha: float, procedure: str) -> None:
    if earlier and (earlier[0].alpha, earlier[0].procedure) != (alpha, procedure):
        raise errors.Refused(
            f"this library spends alpha {earlier[0].alpha:g} by {earlier[0].procedure}: what was promised of it would not hold otherwise",
            found=f"alpha {alpha:g} by {procedure}",
            hint="use the library's own, or another database",
        )


def _settled(record: PatternRecord, spent: Spent | None) -> PatternRecord:
    if spent is None:
        return record
    evidence: dict[str, Any] = {**record.evidence, "level": spent.level, "place": spent.place, "procedure": spent.procedure}
    return replace(record, status="confirmed" if spent.rejected else "rejected", evidence=evidence)
