"""Trials in rows that hold what is their own; `evaluations` and `scores` become views of the same names and columns.

What a whole job or one commit shares is stored once, figures come with their trial as one array, and a genome is said in words when
somebody reads it. Storing a trial costs a fifth of what it did.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

FIGURES = (
    "total_return", "cagr", "sharpe", "sortino", "max_drawdown", "max_stagnation", "calmar", "n_trades", "win_rate", "profit_factor",
    "expectancy", "exposure", "avg_hold", "turnover", "fees", "slippage", "funding", "skew", "kurtosis", "n_obs", "n_open", "n_rejected",
    "n_liquidated", "n_gaps",
)  # fmt: skip
STATUSES = "'{ok,no_trades,invalid,error,timeout,dropped}'::text[]"
STRIDE = 1 + len(FIGURES)

TABLES = """
CREATE TABLE batches (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job text COLLATE "C" NOT NULL,
    play text COLLATE "C" NOT NULL,
    words json,
    stored timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE batches IS 'What trials that were committed together share; words says what each gene of their genomes stands for.';

CREATE TABLE batch_parts (
    batch bigint NOT NULL,
    part smallint NOT NULL,
    segment text COLLATE "C" NOT NULL,
    data_sets text[] COLLATE "C" NOT NULL,
    PRIMARY KEY (batch, part)
);
COMMENT ON TABLE batch_parts IS 'Which segment and data sets the figures of trials of a batch are of.';

CREATE TABLE trials (
    id text COLLATE "C" PRIMARY KEY,
    job text COLLATE "C" NOT NULL,
    variant text COLLATE "C" NOT NULL,
    batch bigint NOT NULL,
    island integer NOT NULL,
    generation integer NOT NULL,
    index bigint NOT NULL,
    genome double precision[] NOT NULL,
    params json,
    fitness double precision,
    objectives double precision[] NOT NULL,
    status smallint NOT NULL,
    reason text NOT NULL,
    parents text[] COLLATE "C" NOT NULL,
    operator text NOT NULL,
    part smallint,
    figures double precision[]
);
ALTER TABLE trials ALTER COLUMN figures SET STORAGE EXTERNAL;
ALTER TABLE trials SET (toast_tuple_target = 8160);
ALTER TABLE checkpoints ALTER COLUMN state SET STORAGE EXTERNAL;
COMMENT ON TABLE trials IS
    'One row a variant of a job, read through the views evaluations and scores; figures: for each data set its status and 24 figures.';

CREATE TABLE later_scores (
    evaluation text COLLATE "C" NOT NULL,
    data_set text COLLATE "C" NOT NULL,
    segment text COLLATE "C" NOT NULL,
    figures double precision[] NOT NULL,
    PRIMARY KEY (evaluation, data_set, segment)
);
COMMENT ON TABLE later_scores IS 'Figures that did not come with their trial, such as those out of sample.';
"""

INDEXES = """
CREATE INDEX trials_best ON trials (job, fitness DESC, id);
ANALYZE trials;
"""

CARRY = f"""
INSERT INTO batches (job, play, stored) SELECT job, play, min(stored) FROM old_evaluations GROUP BY job, play;
INSERT INTO trials (id, job, variant, batch, island, generation, index, genome, params, fitness, objectives, status, reason, parents,
                    operator)
SELECT old.id, old.job, old.variant, batches.number, old.island, old.generation, old.index, old.genome, old.params, old.fitness,
       old.objectives, array_position({STATUSES}, old.status) - 1, old.reason, old.parents, old.operator
FROM old_evaluations AS old JOIN batches ON batches.job = old.job AND batches.play = old.play;
INSERT INTO later_scores (evaluation, data_set, segment, figures)
SELECT evaluation, data_set, segment,
       ARRAY[array_position({STATUSES}, status) - 1, {", ".join(f"coalesce({name}, 'NaN')" for name in FIGURES)}]::double precision[]
FROM old_scores;
DROP TABLE old_scores;
DROP TABLE old_evaluations;
"""  # noqa: S608 - names of this module

VIEWS = f"""
CREATE FUNCTION in_words(words json, genome double precision[]) RETURNS json LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(json_object_agg(said.gene ->> 0, CASE
        WHEN json_typeof(said.gene -> 1) = 'array' THEN said.gene -> 1 -> round(genome[said.place])::integer
        WHEN said.gene ->> 1 = 'int' THEN to_json(trunc(genome[said.place])::bigint)
        WHEN genome[said.place] = trunc(genome[said.place]) AND abs(genome[said.place]) < 1e15
            THEN (genome[said.place]::text || '.0')::json
        ELSE to_json(genome[said.place]) END ORDER BY said.place), '{{}}')
    FROM json_array_elements(words) WITH ORDINALITY AS said (gene, place)
$$;
COMMENT ON FUNCTION in_words IS 'The parameters a genome stands for.';

CREATE VIEW evaluations AS
SELECT trials.id, trials.job, trials.variant, batches.play, trials.island, trials.generation, trials.index, trials.genome,
       coalesce(trials.params, in_words(batches.words, trials.genome)) AS params,
       trials.fitness, trials.objectives, ({STATUSES})[trials.status + 1] AS status, trials.reason, jobs.seed, trials.parents,
       trials.operator, jobs.config_hash, jobs.data_hash, jobs.code_version, jobs.synthetic, batches.stored
FROM trials LEFT JOIN batches ON batches.number = trials.batch LEFT JOIN jobs ON jobs.id = trials.job;
COMMENT ON VIEW evaluations IS 'Every variant a job has tried, once, with all that decides its result.';

CREATE VIEW score_rows AS
SELECT trials.id AS evaluation, trials.job, part.data_sets[place.market] AS data_set, part.segment,
       trials.figures[{STRIDE} * (place.market - 1) + 1 : {STRIDE} * place.market] AS figures
FROM trials
JOIN batch_parts AS part ON part.batch = trials.batch AND part.part = trials.part
CROSS JOIN LATERAL generate_series(1, cardinality(part.data_sets)) AS place (market)
UNION ALL
SELECT later.evaluation, trials.job, later.data_set, later.segment, later.figures
FROM later_scores AS later JOIN trials ON trials.id = later.evaluation;
COMMENT ON VIEW score_rows IS 'Scores with their figures as they are stored: a status code, then those of the view scores in its order.';

CREATE VIEW scores AS
SELECT rows.evaluation, rows.data_set, rows.segment, ({STATUSES})[rows.figures[1]::integer + 1] AS status,
       {", ".join(f"nullif(rows.figures[{place}], 'NaN') AS {name}" for place, name in enumerate(FIGURES, start=2))},
       jobs.synthetic
FROM score_rows AS rows LEFT JOIN jobs ON jobs.id = rows.job;
COMMENT ON VIEW scores IS 'The figures of each evaluation on each data set and segment; one that does not exist is NULL.';
"""  # noqa: S608 - names of this module

ANCESTORS = """
CREATE OR REPLACE FUNCTION ancestors(evaluation text) RETURNS TABLE (depth integer, ancestor text) LANGUAGE plpgsql STABLE AS $$
DECLARE
    layer text[] := ARRAY[evaluation];
    seen text[] := layer;
    level integer := 0;
BEGIN
    WHILE layer IS NOT NULL LOOP
        RETURN QUERY SELECT level, unnest(layer);
        SELECT array_agg(DISTINCT parent.id) INTO layer
        FROM trials child
        CROSS JOIN LATERAL unnest(child.parents) AS named(variant)
        JOIN trials parent ON parent.id = evaluation_id(child.job, named.variant)
        WHERE child.id = ANY (layer) AND parent.id <> ALL (seen);
        seen := seen || layer;
        level := level + 1;
    END LOOP;
END $$;
"""

DEPENDENT = """
WITH RECURSIVE above AS (
    SELECT to_regclass('evaluations')::oid AS relation, 0 AS depth
    UNION ALL SELECT to_regclass('scores')::oid, 0
    UNION
    SELECT rule.ev_class, above.depth + 1
    FROM above
    JOIN pg_depend AS link ON link.refobjid = above.relation
        AND link.refclassid = 'pg_class'::regclass AND link.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite AS rule ON rule.oid = link.objid AND rule.ev_class <> above.relation
)
SELECT relation::regclass::text AS name, obj_description(relation, 'pg_class') AS note, max(depth) AS depth
FROM above WHERE depth > 0 GROUP BY relation ORDER BY max(depth), relation
"""


def upgrade() -> None:
    """Carry everything over. Views on the old tables, whoever made them, are made again on the new views."""
    views = _dependent()
    for name, _, _ in reversed(views):
        op.execute(f"DROP VIEW {name}")
    _execute("ALTER TABLE evaluations RENAME TO old_evaluations; ALTER TABLE scores RENAME TO old_scores")
    for part in (TABLES, CARRY, INDEXES, VIEWS, ANCESTORS):
        _execute(part)
    for name, note, definition in views:
        _execute(f"CREATE VIEW {name} AS {definition}")
        if note:
            _execute(f"COMMENT ON VIEW {name} IS $note${note}$note$")


def _dependent() -> Sequence[tuple[str, str | None, str]]:
    """Name, comment and query of each view that reads the old tables, those read by others first."""
    connection = op.get_bind()
    found = connection.execute(sa.text(DEPENDENT)).all()
    return [(name, note, _query(connection, name)) for name, note, _ in found]


def _query(connection: sa.Connection, name: str) -> str:
    text = str(connection.scalar(sa.text("SELECT pg_get_viewdef(:name\\:\\:regclass)"), {"name": name}))
    return text.rstrip().rstrip(";")


def _execute(text: str) -> None:
    op.execute(text.replace(":", r"\:"))
