"""An infinite figure is missing for questions in SQL too, as it is everywhere else; `score_rows` keeps it, for replays."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

FIGURES = (
    "total_return", "cagr", "sharpe", "sortino", "max_drawdown", "max_stagnation", "calmar", "n_trades", "win_rate", "profit_factor",
    "expectancy", "exposure", "avg_hold", "turnover", "fees", "slippage", "funding", "skew", "kurtosis", "n_obs", "n_open", "n_rejected",
    "n_liquidated", "n_gaps",
)  # fmt: skip
STATUSES = "'{ok,no_trades,invalid,error,timeout,dropped}'::text[]"
FINITE = "CASE WHEN rows.figures[{place}] > '-Infinity' AND rows.figures[{place}] < 'Infinity' THEN rows.figures[{place}] END AS {name}"
"""NaN is above infinity here."""
SCORES = f"""
CREATE OR REPLACE VIEW scores AS
SELECT rows.evaluation, rows.data_set, rows.segment, ({STATUSES})[rows.figures[1]::integer + 1] AS status,
       {", ".join(FINITE.format(place=place, name=name) for place, name in enumerate(FIGURES, start=2))},
       jobs.synthetic
FROM score_rows AS rows LEFT JOIN jobs ON jobs.id = rows.job;
COMMENT ON VIEW scores IS 'The figures of each evaluation on each data set and segment; one that does not exist or is infinite is NULL.'
"""  # noqa: S608 - names of this module


def upgrade() -> None:
    op.execute(SCORES.replace(":", r"\:"))
