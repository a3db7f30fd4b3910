"""Quotas: how much all jobs of a token, or of a campaign, may ask for together."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

QUOTAS = """
CREATE TABLE quotas (
    scope text COLLATE "C" NOT NULL CHECK (scope IN ('token', 'campaign')),
    name text NOT NULL,
    quota json NOT NULL,
    PRIMARY KEY (scope, name)
);
COMMENT ON TABLE quotas IS 'How much all jobs of a token (by its id) or of a campaign may ask for together.';
"""


def upgrade() -> None:
    op.execute(QUOTAS)
