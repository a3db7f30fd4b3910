"""How much a campaign has tried, counted without its trials: by eight bytes of the identity of each, which their batches keep.

A variant that several jobs tried counts once. For one job alone the rows are counted; else a million identities take a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from cluster.store import connect, tables
from coinswarm.ledger.records import TrialCounts

_AT_ONCE = 10_000_000
"""Identities that are compared at once, in 80 MB; for more, the campaign is gone through again and again, each time for a part of them."""
_WIDTH = 8
_BY_JOB = sa.text(f"""
SELECT jobs.data_hash, coalesce(sum(octet_length(variants)), 0) / {_WIDTH} AS trials, coalesce(sum(failures), 0) AS failures
FROM jobs LEFT JOIN batches ON batches.job = jobs.id WHERE jobs.campaign = :campaign GROUP BY jobs.id
""")  # noqa: S608 - a number of this module
_IDENTITIES = """
SELECT jobs.data_hash, variants FROM jobs JOIN batches ON batches.job = jobs.id WHERE jobs.campaign = %(campaign)s
"""
_OPENINGS = sa.text("SELECT count(*) FROM vault_openings WHERE campaign = :campaign")


def of_campaign(connection: sa.Connection, campaign: str) -> TrialCounts:
    """See `Store.count_trials`."""
    jobs = connection.execute(_BY_JOB, {"campaign": campaign}).all()
    evaluations = sum(int(job.trials) for job in jobs)
    alone = sum(job.trials > 0 for job in jobs) <= 1
    if alone:
        pairs = variants = evaluations
    else:
        pairs, variants, evaluations = _distinct(connection, campaign, n_parts=1 + evaluations // _AT_ONCE)
    openings = int(connection.scalar(_OPENINGS, {"campaign": campaign}) or 0)
    return TrialCounts(
        campaign=campaign, jobs=len(jobs), trials=pairs + openings, variants=variants, evaluations=evaluations,
        failures=sum(int(job.failures) for job in jobs), openings=openings,
    )  # fmt: skip


def of_job(connection: sa.Connection, job: str) -> int:
    """How many identities of a job's trials are kept."""
    table = tables.batches.c
    return int(connection.scalar(sa.select(sa.func.sum(sa.func.octet_length(table.variants))).where(table.job == job)) or 0) // _WIDTH


def _distinct(connection: sa.Connection, campaign: str, *, n_parts: int) -> tuple[int, int, int]:
    """Distinct pairs of variant and data, distinct variants, and all of them: of a moment later than what was asked before."""
    counted = [_distinct_part(connection, campaign, part, n_parts) for part in range(n_parts)]
    pairs, variants, evaluations = map(sum, zip(*counted, strict=True))
    return pairs, variants, evaluations


def _distinct_part(connection: sa.Connection, campaign: str, part: int, n_parts: int) -> tuple[int, int, int]:
    by_data: dict[str, list[npt.NDArray[np.uint64]]] = {}
    for data, found in _batches(connection, campaign):
        by_data.setdefault(data, []).append(found if n_parts == 1 else found[found % n_parts == part])
    unique = [_unique(parts) for parts in by_data.values()]
    n_all = sum(len(found) for parts in by_data.values() for found in parts)
    return sum(map(len, unique)), len(unique[0] if len(unique) == 1 else _unique(unique)), n_all


def _unique(parts: Sequence[npt.NDArray[np.uint64]]) -> npt.NDArray[np.uint64]:
    """Each number once: sorted, because `np.unique` hashes, which takes fifty times as long."""
    values = np.sort(np.concatenate(parts))
    return values[np.concatenate([values[:1] == values[:1], values[1:] != values[:-1]])]


def _batches(connection: sa.Connection, campaign: str) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """The data and the identities of each batch."""
    with connect.raw(connection).cursor(binary=True) as cursor:
        for data, found in cursor.stream(_IDENTITIES, {"campaign": campaign}):
            yield data, np.frombuffer(found, dtype=np.uint64)
