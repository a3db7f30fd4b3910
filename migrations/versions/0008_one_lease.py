"""A job has one lease, in `jobs`: a service that takes it from the queue holds that, and lends it to the process that runs the job."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ONE_LEASE = """
ALTER TABLE queue DROP COLUMN owner, DROP COLUMN lease_expires;
COMMENT ON TABLE queue IS 'Jobs submitted to the control plane, who submitted them, and when each may be tried again.';
"""


def upgrade() -> None:
    op.execute(ONE_LEASE)
