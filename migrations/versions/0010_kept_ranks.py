"""The best by each figure, and what identifies each trial, are kept beside the trials of a job: lists and counts need not read them all.

What is kept of stored jobs is filled in. A job of a million trials takes about half a minute.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

N_FIGURES = 24
SMALLER_IS_BETTER = (4, 5, 14, 15, 16, 20, 21, 22, 23)
"""Places of max_drawdown, max_stagnation, fees, slippage, funding, n_open, n_rejected, n_liquidated and n_gaps."""
KEPT = 1000
MANY = 20_000

TABLES = """
ALTER TABLE batches ADD COLUMN variants bytea NOT NULL DEFAULT '', ADD COLUMN failures integer NOT NULL DEFAULT 0;
ALTER TABLE batches ALTER COLUMN variants SET STORAGE EXTERNAL;
COMMENT ON TABLE batches IS 'What trials that were committed together share; words says what each gene of their genomes stands for, '
    'variants has eight bytes of the identity of each trial, failures counts those that failed.';

CREATE TABLE job_ranks (
    job text COLLATE "C" PRIMARY KEY,
    trials bigint NOT NULL,
    floors bytea
);
COMMENT ON TABLE job_ranks IS 'How many trials each job has, and the last entry kept of each figure; floors are NULL while there are few.';

CREATE TABLE ranked (
    job text COLLATE "C" NOT NULL,
    number integer NOT NULL,
    entries bytea NOT NULL,
    PRIMARY KEY (job, number)
);
ALTER TABLE ranked ALTER COLUMN entries SET STORAGE EXTERNAL;
COMMENT ON TABLE ranked IS
    'The best trials of large jobs by each figure. An entry: place of the figure (1 byte), evaluation (10), mean in sample (8).';
"""

FILL = r"""
UPDATE batches SET variants = found.variants, failures = found.failures
FROM (
    SELECT batch, count(*) FILTER (WHERE status IN (2, 3, 4)) AS failures,
           string_agg(CASE WHEN variant ~ '^[0-9a-fA-F]{64}$' THEN decode(left(variant, 16), 'hex')
                           ELSE substr(sha256(convert_to(variant, 'UTF8')), 1, 8) END, ''::bytea ORDER BY id) AS variants
    FROM trials GROUP BY batch
) AS found WHERE batches.number = found.batch;
INSERT INTO job_ranks (job, trials) SELECT job, count(*) FROM trials GROUP BY job;
"""

INDEX = "CREATE INDEX batches_job ON batches (job)"

MEAN = "avg(figures[{place}] ORDER BY data_set) FILTER (WHERE figures[{place}] > '-Infinity' AND figures[{place}] < 'Infinity')"
MEANS = ", ".join(
    ("-" if figure in SMALLER_IS_BETTER else "") + MEAN.format(place=figure + 2) for figure in range(N_FIGURES)
)  # fmt: skip
BEST = f"""
WITH worths AS MATERIALIZED (
    SELECT evaluation, ARRAY[{MEANS}] AS worth FROM score_rows WHERE job = :job AND segment = 'in_sample' GROUP BY evaluation
), best AS (
    SELECT figure, place, set_byte('\\x00'::bytea, 0, figure) || decode(evaluation, 'hex') || float8send(worth) AS entry
    FROM generate_series(0, {N_FIGURES - 1}) AS figure
    CROSS JOIN LATERAL (
        SELECT evaluation, worth, row_number() OVER (ORDER BY worth DESC, evaluation) AS place
        FROM (
            SELECT evaluation, worth[figure + 1] AS worth FROM worths WHERE worth[figure + 1] IS NOT NULL
            ORDER BY worth[figure + 1] DESC, evaluation LIMIT {KEPT}
        ) AS sorted
    ) AS first
)
SELECT coalesce(string_agg(entry, ''::bytea ORDER BY figure, place), '') AS entries,
       coalesce(string_agg(entry, ''::bytea ORDER BY figure) FILTER (WHERE place = {KEPT}), '') AS floors
FROM best
"""  # noqa: S608 - names of this module


def upgrade() -> None:
    for part in (TABLES, FILL, INDEX):
        op.execute(part.replace(":", r"\:"))
    connection = op.get_bind()
    best = sa.text(BEST.replace("::", r"\:\:"))
    for job in connection.scalars(sa.text("SELECT job FROM job_ranks WHERE trials >= :many"), {"many": MANY}).all():
        found = connection.execute(best, {"job": job}).one()
        connection.execute(
            sa.text("INSERT INTO ranked (job, number, entries) VALUES (:job, 0, :entries)"), {"job": job, "entries": found.entries}
        )
        connection.execute(sa.text("UPDATE job_ranks SET floors = :floors WHERE job = :job"), {"job": job, "floors": found.floors})
