"""Random trades, a partition a job, and the library of patterns mined from outcomes."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CHAOS = """
CREATE TABLE chaos_frames (
    job text COLLATE "C" PRIMARY KEY,
    markets text[] COLLATE "C" NOT NULL,
    features text[] COLLATE "C" NOT NULL,
    bar_ms bigint NOT NULL
);
COMMENT ON TABLE chaos_frames IS 'What all random trades of a job share: market m is markets[m + 1], features name the state.';

CREATE TABLE chaos_trades (
    number bigint NOT NULL,
    entered timestamptz NOT NULL,
    exited timestamptz NOT NULL,
    entry_price double precision NOT NULL,
    exit_price double precision NOT NULL,
    size double precision NOT NULL,
    gross double precision NOT NULL,
    net double precision NOT NULL,
    fees double precision NOT NULL,
    slippage double precision NOT NULL,
    funding double precision NOT NULL,
    momentum_1 double precision,
    momentum_5 double precision,
    sma_distance_10 double precision,
    volume_ratio_20 double precision,
    volatility_20 double precision,
    funding_rate double precision,
    decision integer NOT NULL,
    hold integer NOT NULL,
    market smallint NOT NULL,
    side smallint NOT NULL,
    reason smallint NOT NULL,
    hour_of_day smallint NOT NULL,
    day_of_week smallint NOT NULL,
    job text COLLATE "C" NOT NULL,
    named double precision[] NOT NULL,
    exit_state real[] NOT NULL
) PARTITION BY LIST (job);
COMMENT ON TABLE chaos_trades IS
    'Random trades and what became of them: results as fractions of the notional, the state as known at the decision; see the view chaos.';

CREATE VIEW chaos AS
SELECT trade.job,
       jobs.campaign,
       trade.number,
       frame.markets[trade.market + 1] AS market,
       CASE WHEN trade.side > 0 THEN 'long' ELSE 'short' END AS side,
       trade.entered,
       trade.exited,
       trade.hold,
       trade.hold * frame.bar_ms * interval '1 millisecond' AS held_for,
       trade.entry_price,
       trade.exit_price,
       trade.size,
       100 * trade.gross AS gross_pct,
       100 * trade.net AS net_pct,
       trade.gross / nullif(trade.volatility_20 * sqrt(trade.hold), 0) AS gross_sigmas,
       trade.net / nullif(trade.volatility_20 * sqrt(trade.hold), 0) AS net_sigmas,
       100 * trade.fees AS fees_pct,
       100 * trade.slippage AS slippage_pct,
       100 * trade.funding AS funding_pct,
       CASE trade.reason WHEN 5 THEN 'max_hold' WHEN 6 THEN 'liquidation' END AS reason,
       trade.momentum_1,
       trade.momentum_5,
       trade.sma_distance_10,
       trade.volume_ratio_20,
       trade.volatility_20,
       trade.hour_of_day,
       trade.day_of_week,
       trade.funding_rate,
       (
           SELECT coalesce(jsonb_object_agg(known.name, nullif(known.value, 'NaN')), '{}')
           FROM unnest(frame.features[9:], trade.named) AS known (name, value)
       ) AS named,
       (
           SELECT jsonb_object_agg(known.name, nullif(known.value, 'NaN'))
           FROM unnest(frame.features, trade.exit_state) AS known (name, value)
       ) AS exit_state,
       jobs.synthetic
FROM chaos_trades AS trade
JOIN chaos_frames AS frame ON frame.job = trade.job
JOIN jobs ON jobs.id = trade.job;
COMMENT ON VIEW chaos IS
    'Random trades in words and percent; sigmas are results over volatility_20 times the root of the bars held; missing values are null.';
"""


PATTERNS = """
CREATE TABLE patterns (
    id text COLLATE "C" PRIMARY KEY,
    source text NOT NULL CHECK (source IN ('chaos', 'technical', 'academic')),
    name text NOT NULL,
    conditions json NOT NULL,
    figures json NOT NULL,
    status text NOT NULL CHECK (status IN ('candidate', 'confirmed', 'rejected', 'retired')),
    job text COLLATE "C" NOT NULL,
    p_confirm double precision,
    discovered_at timestamptz NOT NULL,
    evidence json NOT NULL,
    synthetic boolean NOT NULL
);
CREATE INDEX patterns_status ON patterns (status, discovered_at);
CREATE INDEX patterns_job ON patterns (job);
COMMENT ON TABLE patterns IS
    'The library: conditions that were found or known, what they were worth, and whether later bars confirmed them.';
COMMENT ON COLUMN patterns.p_confirm IS 'p-value on the later segment; null while it was not asked there';
COMMENT ON COLUMN patterns.evidence IS 'how it was found, the level it was tested at, and under notes what became of it since';

CREATE TABLE alpha_spending (
    synthetic boolean NOT NULL,
    place bigint NOT NULL,
    pattern text COLLATE "C" NOT NULL,
    p_value double precision NOT NULL,
    level double precision NOT NULL,
    rejected boolean NOT NULL,
    alpha double precision NOT NULL,
    procedure text NOT NULL,
    tested_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (synthetic, place)
);
CREATE UNIQUE INDEX alpha_spending_pattern ON alpha_spending (pattern);
COMMENT ON TABLE alpha_spending IS
    'Every test of the library in order and the level that was left for it; patterns of synthetic bars have a stream of their own.';
"""


def upgrade() -> None:
    for part in (CHAOS, PATTERNS):
        op.execute(part.replace(":", r"\:"))
