"""Tokens, the line of jobs that wait for a driver, idempotency keys and the audit trail of the control plane."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE tokens (
    id text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('read', 'submit', 'admin')),
    hash text COLLATE "C" NOT NULL UNIQUE,
    max_queued integer NOT NULL,
    max_running integer NOT NULL,
    created timestamptz NOT NULL,
    expires timestamptz,
    revoked timestamptz
);
CREATE UNIQUE INDEX tokens_name ON tokens (name) WHERE revoked IS NULL;

CREATE TABLE queue (
    job text COLLATE "C" PRIMARY KEY,
    token text COLLATE "C" NOT NULL,
    priority integer NOT NULL,
    submitted timestamptz NOT NULL,
    attempts integer NOT NULL,
    not_before timestamptz NOT NULL,
    owner text NOT NULL,
    lease_expires timestamptz
);
CREATE INDEX queue_line ON queue (priority DESC, submitted, job);
CREATE INDEX queue_token ON queue (token);

CREATE TABLE idempotency_keys (
    token text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    fingerprint text COLLATE "C" NOT NULL,
    job text COLLATE "C" NOT NULL,
    created timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (token, key)
);

CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    token text COLLATE "C" NOT NULL,
    action text NOT NULL,
    target text NOT NULL,
    detail json NOT NULL
);

CREATE INDEX jobs_status ON jobs (status) WHERE status IN ('queued', 'running');

COMMENT ON TABLE tokens IS 'Who may use the control plane: the SHA-256 of each bearer token, never the token itself.';
COMMENT ON TABLE queue IS 'Jobs handed to the control plane, who handed them in, and the driver service that runs them at present.';
COMMENT ON TABLE idempotency_keys IS 'Which job a repeated submission with the same key stands for.';
COMMENT ON TABLE audit IS 'Every change made through the control plane: when, by which token, what.';
"""


def upgrade() -> None:
    op.execute(TABLES)
