"""Tables of data sets, plays, jobs, generations, evaluations and scores; views of the leaderboard, lineage and trials."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE data_sets (
    key text COLLATE "C" NOT NULL,
    content_hash text COLLATE "C" NOT NULL,
    exchange text NOT NULL,
    symbol text NOT NULL,
    timeframe text NOT NULL,
    first_bar timestamptz NOT NULL,
    last_bar timestamptz NOT NULL,
    n_bars bigint NOT NULL,
    synthetic boolean NOT NULL,
    saved timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (key, content_hash)
);
CREATE INDEX data_sets_content_hash ON data_sets (content_hash);

CREATE TABLE plays (
    sha256 text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    text text NOT NULL,
    saved timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE jobs (
    id text COLLATE "C" PRIMARY KEY,
    kind text NOT NULL,
    campaign text NOT NULL,
    plays text[] COLLATE "C" NOT NULL,
    data_hashes text[] COLLATE "C" NOT NULL,
    data_hash text COLLATE "C" NOT NULL,
    config json NOT NULL,
    config_hash text COLLATE "C" NOT NULL,
    code_version text NOT NULL,
    seed bigint NOT NULL,
    synthetic boolean NOT NULL,
    status text NOT NULL CHECK (status IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    created timestamptz NOT NULL,
    started timestamptz,
    finished timestamptz,
    error text NOT NULL,
    result json,
    result_hash text NOT NULL,
    cancel_requested boolean NOT NULL,
    lease_owner text NOT NULL,
    lease_expires timestamptz
);
CREATE INDEX jobs_campaign ON jobs (campaign);
CREATE INDEX jobs_created ON jobs (created, id);

CREATE TABLE generations (
    job text COLLATE "C" NOT NULL,
    generation integer NOT NULL,
    island integer NOT NULL,
    best double precision,
    median double precision,
    diversity double precision,
    evaluations integer NOT NULL,
    failures integer NOT NULL,
    seconds double precision,
    figures json NOT NULL,
    state_hash text COLLATE "C" NOT NULL,
    synthetic boolean NOT NULL,
    committed timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job, generation, island)
);

CREATE TABLE checkpoints (
    job text COLLATE "C" NOT NULL,
    island integer NOT NULL,
    generation integer NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (job, island)
);

CREATE TABLE evaluations (
    id text COLLATE "C" PRIMARY KEY,
    job text COLLATE "C" NOT NULL,
    variant text COLLATE "C" NOT NULL,
    play text COLLATE "C" NOT NULL,
    island integer NOT NULL,
    generation integer NOT NULL,
    index bigint NOT NULL,
    genome double precision[] NOT NULL,
    params json NOT NULL,
    fitness double precision,
    objectives double precision[] NOT NULL,
    status text NOT NULL,
    reason text NOT NULL,
    seed bigint NOT NULL,
    parents text[] COLLATE "C" NOT NULL,
    operator text NOT NULL,
    config_hash text COLLATE "C" NOT NULL,
    data_hash text COLLATE "C" NOT NULL,
    code_version text NOT NULL,
    synthetic boolean NOT NULL,
    stored timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX evaluations_best ON evaluations (job, fitness DESC, id) WHERE fitness IS NOT NULL;
CREATE INDEX evaluations_generation ON evaluations (job, generation, island);

CREATE TABLE scores (
    evaluation text COLLATE "C" NOT NULL,
    data_set text COLLATE "C" NOT NULL,
    segment text COLLATE "C" NOT NULL,
    status text NOT NULL,
    total_return double precision,
    cagr double precision,
    sharpe double precision,
    sortino double precision,
    max_drawdown double precision,
    max_stagnation double precision,
    calmar double precision,
    n_trades double precision,
    win_rate double precision,
    profit_factor double precision,
    expectancy double precision,
    exposure double precision,
    avg_hold double precision,
    turnover double precision,
    fees double precision,
    slippage double precision,
    funding double precision,
    skew double precision,
    kurtosis double precision,
    n_obs double precision,
    n_open double precision,
    n_rejected double precision,
    n_liquidated double precision,
    n_gaps double precision,
    synthetic boolean NOT NULL,
    PRIMARY KEY (evaluation, data_set, segment)
);
"""

LEADERBOARD = """
CREATE VIEW leaderboard AS
SELECT jobs.id AS job,
       best.rank,
       best.id AS evaluation,
       best.variant,
       coalesce(plays.name, best.play) AS play,
       best.params,
       best.fitness,
       seen.sharpe,
       seen.total_return,
       seen.max_drawdown,
       seen.n_trades,
       unseen.sharpe AS oos_sharpe,
       unseen.total_return AS oos_total_return,
       unseen.max_drawdown AS oos_max_drawdown,
       unseen.n_trades AS oos_n_trades,
       jobs.synthetic
FROM jobs
CROSS JOIN LATERAL (
    SELECT row_number() OVER (ORDER BY fitness DESC, id) AS rank, *
    FROM (
        SELECT * FROM evaluations
        WHERE evaluations.job = jobs.id AND fitness IS NOT NULL
        ORDER BY fitness DESC, id LIMIT 1000
    ) AS top
) AS best
LEFT JOIN plays ON plays.sha256 = best.play
LEFT JOIN LATERAL (
    SELECT avg(sharpe) AS sharpe, avg(total_return) AS total_return, avg(max_drawdown) AS max_drawdown, avg(n_trades) AS n_trades
    FROM scores WHERE evaluation = best.id AND segment = 'in_sample'
) AS seen ON true
LEFT JOIN LATERAL (
    SELECT avg(sharpe) AS sharpe, avg(total_return) AS total_return, avg(max_drawdown) AS max_drawdown, avg(n_trades) AS n_trades
    FROM scores WHERE evaluation = best.id AND segment = 'out_of_sample'
) AS unseen ON true
ORDER BY jobs.id, best.rank;
COMMENT ON VIEW leaderboard IS
    'The thousand fittest variants of each job; figures are means over the data sets, oos_ ones are out of sample.';
"""

LINEAGE = """
CREATE FUNCTION evaluation_id(job text, variant text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN left(encode(sha256(convert_to(job || ':' || variant, 'UTF8')), 'hex'), 20);

CREATE FUNCTION ancestors(evaluation text) RETURNS TABLE (depth integer, ancestor text) LANGUAGE plpgsql STABLE AS $$
DECLARE
    layer text[] := ARRAY[evaluation];
    seen text[] := layer;
    level integer := 0;
BEGIN
    WHILE layer IS NOT NULL LOOP
        RETURN QUERY SELECT level, unnest(layer);
        SELECT array_agg(DISTINCT parent.id) INTO layer
        FROM evaluations child
        CROSS JOIN LATERAL unnest(child.parents) AS named(variant)
        JOIN evaluations parent ON parent.id = evaluation_id(child.job, named.variant)
        WHERE child.id = ANY (layer) AND parent.id <> ALL (seen);
        seen := seen || layer;
        level := level + 1;
    END LOOP;
END $$;
COMMENT ON FUNCTION ancestors IS 'An evaluation (depth 0) and its ancestors within its job, each once at its smallest depth.';

CREATE VIEW lineage AS
SELECT start.id AS evaluation,
       found.depth,
       relative.id AS ancestor,
       relative.variant,
       relative.parents,
       relative.operator,
       relative.island,
       relative.generation,
       relative.fitness,
       relative.params,
       relative.synthetic
FROM evaluations AS start
CROSS JOIN LATERAL ancestors(start.id) AS found
JOIN evaluations AS relative ON relative.id = found.ancestor;
COMMENT ON VIEW lineage IS 'Family trees: ask for one with WHERE evaluation = ''...''.';
"""

TRIALS = """
CREATE VIEW trial_counts AS
WITH draws AS (
    SELECT jobs.campaign, evaluations.variant, evaluations.data_hash, count(*) AS evaluations,
           count(*) FILTER (WHERE evaluations.status IN ('invalid', 'error', 'timeout')) AS failures
    FROM jobs JOIN evaluations ON evaluations.job = jobs.id
    GROUP BY jobs.campaign, evaluations.variant, evaluations.data_hash
), variants AS (
    SELECT campaign, variant, count(*) AS trials, sum(evaluations) AS evaluations, sum(failures) AS failures
    FROM draws GROUP BY campaign, variant
), counts AS (
    SELECT campaign, sum(trials) AS trials, count(*) AS variants, sum(evaluations) AS evaluations, sum(failures) AS failures
    FROM variants GROUP BY campaign
), campaigns AS (
    SELECT campaign, count(*) AS jobs, bool_or(synthetic) AS synthetic FROM jobs GROUP BY campaign
)
SELECT campaigns.campaign,
       campaigns.jobs,
       coalesce(counts.trials, 0)::bigint AS trials,
       coalesce(counts.variants, 0) AS variants,
       coalesce(counts.evaluations, 0)::bigint AS evaluations,
       coalesce(counts.failures, 0)::bigint AS failures,
       campaigns.synthetic
FROM campaigns LEFT JOIN counts ON counts.campaign = campaigns.campaign;
COMMENT ON VIEW trial_counts IS 'How much each campaign has tried: trials are distinct pairs of variant and data, failed ones included.';

CREATE VIEW operator_credit AS
SELECT child.job,
       child.operator,
       count(*) AS children,
       count(*) FILTER (WHERE child.status IN ('invalid', 'error', 'timeout')) AS failures,
       count(*) FILTER (WHERE child.fitness > parent.fitness) AS better_than_parents,
       avg(child.fitness) AS mean_fitness,
       max(child.fitness) AS best_fitness,
       bool_or(child.synthetic) AS synthetic
FROM evaluations AS child
LEFT JOIN LATERAL (
    SELECT max(named.fitness) AS fitness
    FROM unnest(child.parents) AS parent(variant)
    JOIN evaluations AS named ON named.id = evaluation_id(child.job, parent.variant)
) AS parent ON true
GROUP BY child.job, child.operator;
COMMENT ON VIEW operator_credit IS 'What each operator of a job brought: children, and how many were fitter than the fittest parent.';
"""


def upgrade() -> None:
    for part in (TABLES, LEADERBOARD, LINEAGE, TRIALS):
        op.execute(part.replace(":", r"\:"))
