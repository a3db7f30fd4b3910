"""An opening of a vault says whether the variant had passed its gates; of those before it is not known."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

COLUMN = """
ALTER TABLE vault_openings ADD COLUMN passed boolean;
COMMENT ON COLUMN vault_openings.passed IS 'Whether the newest report card kept the gates at the opening; null where that is not known.';
COMMENT ON TABLE vault_openings IS
    'Every look into a vault, each charged as a trial; seen_by counts jobs of other campaigns that had seen those bars before, '
    'passed says whether the variant''s newest card kept the gates.';

CREATE OR REPLACE FUNCTION guard_opening() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.figures IS NULL AND OLD.passed IS NOT DISTINCT FROM NEW.passed
        AND (OLD.id, OLD.campaign, OLD.evaluation, OLD.who, OLD.why, OLD.opened, OLD.seen_by)
        = (NEW.id, NEW.campaign, NEW.evaluation, NEW.who, NEW.why, NEW.opened, NEW.seen_by) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an opening of the vault stays as it was' USING ERRCODE = 'VT001';
END $$;
"""


def upgrade() -> None:
    op.execute(COLUMN)
