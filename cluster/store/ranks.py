"""The best trials of a large job by each figure, kept beside the trials, so that a leaderboard by a figure need not read them all.

Kept are the best thousand by each figure, of jobs with many trials; a small job is soon read whole. A commit adds what is better than the
last of those, the floor, as one row of bytes; now and then the rows become one again, and the floors rise. Measured: decision 0031.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from cluster.store import reading, tables, trial_rows
from cluster.store.trial_rows import RowPart
from coinswarm.ledger import batches
from coinswarm.ledger.records import BEST, IN_SAMPLE
from coinswarm.metrics.figures import FIGURES, SMALLER_IS_BETTER
from coinswarm.types import FloatArray

KEPT = 1000
"""How many trials are kept by each figure, which is as many as a page of the control plane shows."""
MANY = 20_000
"""Jobs with fewer trials keep nothing: reading them takes 0.1 s, and what is kept would take a tenth of their room."""

_MOST_ROWS = 256
_WIDTH = 10
_ENTRY = np.dtype([("figure", "u1"), ("evaluation", f"S{_WIDTH}"), ("worth", ">f8")])
_SIGNS = np.array([-1.0 if name in SMALLER_IS_BETTER else 1.0 for name in FIGURES])
_LAST_ID = b"\xff" * _WIDTH
_PLACES = {name: place for place, name in enumerate(FIGURES, start=2)}
"""Where a figure stands in a score's array, which begins with the status and, in SQL, with 1."""
_INFINITY = sa.literal(float("inf"), sa.Double)
_Entries = npt.NDArray[np.void]

_KEPT = sa.text("""
SELECT floors, (SELECT coalesce(string_agg(entries, ''), '') FROM ranked WHERE job = :job) AS entries FROM job_ranks WHERE job = :job
""")
_PUT = sa.text("""
INSERT INTO ranked (job, number, entries) SELECT :job, coalesce(max(number), 0) + 1, :entries FROM ranked WHERE job = :job
RETURNING number, (SELECT coalesce(sum(octet_length(entries)), 0) FROM ranked WHERE job = :job AND number > 0)
""")
_MEAN = "avg(figures[{place}] ORDER BY data_set) FILTER (WHERE figures[{place}] > '-Infinity' AND figures[{place}] < 'Infinity')"
_MEANS = ", ".join(("-" if name in SMALLER_IS_BETTER else "") + _MEAN.format(place=place) for name, place in _PLACES.items())
_ALL_RANKED = sa.text(rf"""
WITH means AS MATERIALIZED (
    SELECT evaluation, ARRAY[{_MEANS}] AS worth FROM score_rows WHERE job = :job AND segment = 'in_sample' GROUP BY evaluation
), ranked AS (
    SELECT figure, place, set_byte('\x00', 0, figure) || decode(evaluation, 'hex') || float8send(worth) AS entry
    FROM generate_series(0, {len(FIGURES) - 1}) AS figure
    CROSS JOIN LATERAL (
        SELECT evaluation, worth, row_number() OVER (ORDER BY worth DESC, evaluation) AS place
        FROM (
            SELECT evaluation, worth[figure + 1] AS worth FROM means WHERE worth[figure + 1] IS NOT NULL
            ORDER BY worth[figure + 1] DESC, evaluation LIMIT {KEPT}
        ) AS first
    ) AS best
)
SELECT coalesce(string_agg(entry, '' ORDER BY figure, place), '') AS entries,
       coalesce(string_agg(entry, '' ORDER BY figure) FILTER (WHERE place = {KEPT}), '') AS floors
FROM ranked
""")  # noqa: S608 - names of figures
"""Migration 0010 asks the same of the jobs that were stored before."""


def by_figure(connection: sa.Connection, job: str, figure: str, limit: int) -> list[str]:
    """Ids of the trials of a job that are best by a figure, best first, equal ones by id; read from what is kept if that is enough."""
    kept = _kept_ids(connection, job, FIGURES.index(figure), limit)
    return list(connection.scalars(best_of_all(job, figure).limit(limit))) if kept is None else kept


def best_of_all(job: str, figure: str) -> sa.Select[Any]:
    """The ids of all trials of a job that have a figure, best first: reads every score."""
    scored = tables.score_rows.c
    worth = _mean(figure)
    means = (
        sa.select(scored.evaluation, worth.label("worth"))
        .where(scored.job == job, scored.segment == IN_SAMPLE)
        .group_by(scored.evaluation)
        .having(worth.is_not(None))
        .subquery()
    )
    order = means.c.worth if figure in SMALLER_IS_BETTER else means.c.worth.desc()
    return sa.select(means.c.evaluation).order_by(order, means.c.evaluation)


@dataclass(frozen=True, kw_only=True, eq=False)
class Gained:
    """New trials of a job.

    Attributes:
        part: the trials with the figures that came with them.
        ids: (n,) of the trials.
        trials: of the job, these included.
        floors: the job's; None while it has few trials.
    """

    part: RowPart
    ids: Sequence[str]
    trials: int
    floors: bytes | None


def add(connection: sa.Connection, job: str, gained: Sequence[Gained]) -> None:
    """Rank new trials, in the transaction that stores them, in which the job is locked."""
    if not gained:
        return
    last = gained[-1]
    if last.floors is not None:
        floors = _entries(last.floors)
        scored = [each for each in gained if each.part.data_sets and each.part.segment == IN_SAMPLE]
        _put(connection, job, [_better(_means(each.part), each.ids, floors) for each in scored])
    elif last.trials >= MANY:
        rebuild(connection, job)


def again(connection: sa.Connection, job: str, ids: Sequence[str], *, changed: bool) -> None:
    """Rank trials whose figures in sample came after them.

    Args:
        connection: in whose transaction the job is locked.
        job: its id.
        ids: of the trials.
        changed: whether one of them had figures in sample before.
    """
    kept = _kept(connection, job) if ids else None
    if kept is None:
        return
    if changed:
        _merge(connection, job, without=ids)
    scores = reading.scores_of(connection, ids)
    means = [batches.means(scores.get(name, ()), IN_SAMPLE) for name in ids]
    worths = _SIGNS * np.array([[row.get(name, np.nan) for name in FIGURES] for row in means])
    _put(connection, job, [_better(worths, ids, kept[0])])


def of_all(connection: sa.Connection, job: str) -> Mapping[str, tuple[str, ...]]:
    """Ids of the best trials of a job by each figure, found among all of its scores."""
    entries = _entries(connection.execute(_ALL_RANKED, {"job": job}).one().entries)
    return {name: tuple(_names(entries[entries["figure"] == place][:BEST])) for place, name in enumerate(FIGURES)}


def rebuild(connection: sa.Connection, job: str) -> None:
    """Rank all trials of a job anew, if it has many."""
    table = tables.job_ranks
    trials = connection.scalar(sa.select(table.c.trials).where(table.c.job == job)) or 0
    if trials >= MANY:
        found = connection.execute(_ALL_RANKED, {"job": job}).one()
        _replace(connection, job, found.entries, found.floors)


def _kept_ids(connection: sa.Connection, job: str, figure: int, limit: int) -> list[str] | None:
    """The best by a figure of those that are kept; None where they may not be all that are asked for."""
    kept = _kept(connection, job)
    if kept is None:
        return None
    floors, entries = kept
    found = _sorted(entries[entries["figure"] == figure])
    return None if len(found) < limit and figure in floors["figure"] else _names(found[:limit])


def _kept(connection: sa.Connection, job: str) -> tuple[_Entries, _Entries] | None:
    """The floors of a job and all entries that are kept of it, as of one moment; None while it has few trials."""
    found = connection.execute(_KEPT, {"job": job}).one_or_none()
    return None if found is None or found.floors is None else (_entries(found.floors), _entries(found.entries))


def _put(connection: sa.Connection, job: str, found: Sequence[_Entries]) -> None:
    """Add entries, and make one row of all when that is due."""
    entries = b"".join(part.tobytes() for part in found)
    if not entries:
        return
    rows, n_bytes = connection.execute(_PUT, {"job": job, "entries": entries}).one()
    if rows >= _MOST_ROWS or n_bytes + len(entries) >= KEPT * len(FIGURES) * _ENTRY.itemsize:
        _merge(connection, job)


def _merge(connection: sa.Connection, job: str, *, without: Sequence[str] = ()) -> None:
    """Make one row of what is kept of a job, and raise its floors."""
    old, entries = _kept(connection, job) or (_entries(b""), _entries(b""))
    if without:
        entries = entries[~np.isin(entries["evaluation"], _packed(without))]
    entries = _sorted(entries)
    places = np.arange(len(entries)) - np.searchsorted(entries["figure"], entries["figure"])
    last = entries[places == KEPT - 1]
    floors = last.tobytes() + old[~np.isin(old["figure"], last["figure"])].tobytes()
    _replace(connection, job, entries[places < KEPT].tobytes(), floors)


def _replace(connection: sa.Connection, job: str, entries: bytes, floors: bytes) -> None:
    ranked, jobs = tables.ranked, tables.job_ranks
    connection.execute(sa.delete(ranked).where(ranked.c.job == job))
    connection.execute(sa.insert(ranked).values(job=job, number=0, entries=entries))
    connection.execute(sa.update(jobs).where(jobs.c.job == job).values(floors=floors))


def _better(worths: FloatArray, ids: Sequence[str], floors: _Entries) -> _Entries:
    """Entries of the trials that are better than the floor of a figure.

    Args:
        worths: (n, n_figures) the mean of each figure in sample, negated where smaller is better; NaN: it has none.
        ids: (n,) of the trials.
        floors: one entry a figure; a figure without one takes all.
    """
    least, last = np.full(len(FIGURES), -np.inf), np.full(len(FIGURES), _LAST_ID)
    least[floors["figure"]], last[floors["figure"]] = floors["worth"], floors["evaluation"]
    names = _packed(ids)
    row, figure = np.nonzero(worths >= least)
    worth = worths[row, figure]
    further = (worth > least[figure]) | (names[row] < last[figure])
    found = np.empty(np.count_nonzero(further), dtype=_ENTRY)
    found["figure"], found["evaluation"], found["worth"] = figure[further], names[row[further]], worth[further]
    return found


def _means(part: RowPart) -> FloatArray:
    """(n, n_figures) the mean of each figure over the data sets where it is finite, in their order, negated where smaller is better."""
    values = trial_rows.figure_values(part.figures)
    total, count = np.zeros((2, len(values), len(FIGURES)))
    for market in sorted(range(len(part.data_sets)), key=part.data_sets.__getitem__):
        finite = np.isfinite(values[:, market])
        np.add(total, values[:, market], out=total, where=finite)
        count += finite
    with np.errstate(invalid="ignore"):
        total /= count
    total *= _SIGNS
    return total


def _sorted(entries: _Entries) -> _Entries:
    """By figure, best first, equal ones by id."""
    found: _Entries = entries[np.lexsort((entries["evaluation"], -entries["worth"].astype(np.float64), entries["figure"]))]
    return found


def _packed(ids: Sequence[str]) -> npt.NDArray[np.bytes_]:
    return np.frombuffer(bytes.fromhex("".join(ids)), dtype=f"S{_WIDTH}")


def _names(entries: _Entries) -> list[str]:
    text = entries["evaluation"].tobytes().hex()
    return [text[start : start + 2 * _WIDTH] for start in range(0, len(text), 2 * _WIDTH)]


def _entries(data: bytes) -> _Entries:
    return np.frombuffer(bytes(data), dtype=_ENTRY)


def _mean(figure: str) -> sa.ColumnElement[Any]:
    """The mean over the data sets where a figure is finite, summed in their order; NaN is above infinity here."""
    scored = tables.score_rows.c
    value = scored.figures[_PLACES[figure]]
    return sa.func.avg(aggregate_order_by(value, scored.data_set)).filter(value < _INFINITY, value > -_INFINITY)
