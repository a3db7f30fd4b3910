"""What old jobs could be relieved of, and how much that is, before it is decided; `Store.prune` and `ChaosStore.drop` do it.

Every trial stays a row with its identity, its genome and its fitness, for the ledger must not forget how much was tried. What goes is what
can be computed again: figures of all but the fittest, states to resume from, and chaos trades. A job with a variant that was decided
about, by a verdict, a step or a look into a vault, is left whole, because that decision must stay checkable.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg.sql
import sqlalchemy as sa

from cluster.store import connect, tables
from cluster.store.chaos import part_of
from cluster.store.database import Database

DECIDED = "a variant of it was decided about"

_CANDIDATES = """
SELECT jobs.id, jobs.kind, jobs.campaign, jobs.created,
       EXISTS (
           SELECT 1 FROM (
               SELECT evaluation FROM verdicts UNION ALL SELECT evaluation FROM lifecycle
               UNION ALL SELECT evaluation FROM vault_openings UNION ALL SELECT evaluation FROM vetted_plays
           ) AS decided JOIN trials ON trials.id = decided.evaluation WHERE trials.job = jobs.id
       ) AS decided
FROM jobs
WHERE status IN ('done', 'failed', 'cancelled') AND coalesce(finished, created) < :before
  AND campaign = coalesce(:campaign, campaign) AND kind = coalesce(:kind, kind)
ORDER BY jobs.created, jobs.id
"""

_FIGURES = """
WITH losers AS (
    SELECT id, part, figures FROM trials WHERE job = :job
    ORDER BY fitness DESC NULLS LAST, id OFFSET :keep
)
SELECT (SELECT count(*) FROM losers WHERE part IS NOT NULL)
       + (SELECT count(*) FROM later_scores WHERE evaluation IN (SELECT id FROM losers)) AS figures,
       (SELECT coalesce(sum(pg_column_size(figures)), 0) FROM losers WHERE part IS NOT NULL)
       + (SELECT coalesce(sum(pg_column_size(later_scores.*)), 0) FROM later_scores WHERE evaluation IN (SELECT id FROM losers)) AS bytes,
       (SELECT count(*) FROM checkpoints WHERE job = :job) AS states,
       (SELECT coalesce(sum(pg_column_size(state)), 0) FROM checkpoints WHERE job = :job) AS state_bytes,
       (SELECT count(*) FROM trials WHERE job = :job) AS trials
"""


@dataclass(frozen=True, kw_only=True)
class Relief:
    """What a job would lose.

    Attributes:
        job, kind, campaign, created: which job.
        figures: sets of figures of variants that are not among the fittest.
        states: states of islands to resume from.
        chaos_trades: random trades.
        size_bytes: of all of that.
        trials: that stay, and stay counted.
        kept: why it is left whole; empty when it is not.
    """

    job: str
    kind: str
    campaign: str
    created: datetime
    figures: int
    states: int
    chaos_trades: int
    size_bytes: int
    trials: int
    kept: str = ""

    @property
    def anything(self) -> bool:
        """Whether there is anything to lose."""
        return not self.kept and bool(self.figures or self.states or self.chaos_trades)


def reliefs(database: Database, *, before: datetime, campaign: str | None, kind: str | None, keep: int) -> tuple[Relief, ...]:
    """What each job that ended before a time would lose, oldest first.

    Args:
        database: where the jobs are.
        before: jobs that ended later are left alone.
        campaign: only its jobs; None: all.
        kind: only jobs of this kind; None: all.
        keep: how many of the fittest variants of each job keep their figures.

    Raises:
        Unavailable: the database does not answer.
    """
    return database.run(lambda connection: _reliefs(connection, before, campaign, kind, keep))


def settle(url: str) -> None:
    """Let the room that was freed be used again."""
    made = connect.engine(url)
    try:
        with made.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM (ANALYZE) trials, later_scores, checkpoints"))
    finally:
        made.dispose()


def _reliefs(connection: sa.Connection, before: datetime, campaign: str | None, kind: str | None, keep: int) -> tuple[Relief, ...]:
    asked = sa.text(_CANDIDATES).bindparams(sa.bindparam("campaign", type_=sa.Text()), sa.bindparam("kind", type_=sa.Text()))
    found = connection.execute(asked, {"before": before, "campaign": campaign, "kind": kind}).all()
    return tuple(_relief(connection, row, keep) for row in found)


def _relief(connection: sa.Connection, row: sa.Row[tuple[str, str, str, datetime, bool]], keep: int) -> Relief:
    counted = connection.execute(sa.text(_FIGURES), {"job": row.id, "keep": keep}).one()
    trades, trade_bytes = _chaos(connection, row.id)
    return Relief(
        job=row.id, kind=row.kind, campaign=row.campaign, created=row.created, figures=counted.figures, states=counted.states,
        chaos_trades=trades, size_bytes=int(counted.bytes + counted.state_bytes + trade_bytes), trials=counted.trials,
        kept=DECIDED if row.decided else "",
    )  # fmt: skip


def _chaos(connection: sa.Connection, job: str) -> tuple[int, int]:
    """Chaos trades of a job and the bytes of their partition."""
    if connection.scalar(sa.select(tables.chaos_frames.c.job).where(tables.chaos_frames.c.job == job)) is None:
        return 0, 0
    part = psycopg.sql.Identifier(part_of(job)).as_string()
    count = connection.scalar(sa.text("SELECT count(*) FROM chaos_trades WHERE job = :job"), {"job": job})
    size = connection.scalar(sa.text("SELECT pg_total_relation_size(CAST(:part AS regclass))"), {"part": part})
    return int(count or 0), int(size or 0)
