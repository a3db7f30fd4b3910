"""The tables as SQLAlchemy knows them; `migrations/` makes them, and a test holds the two equal.

Ids and hashes are compared byte by byte (collation "C"), so that a prefix is found by index and order is the same on every server.
A figure that is not there is NULL; the store reads it back as NaN.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, REAL, TIMESTAMP
from sqlalchemy.types import TypeEngine

metadata = MetaData()

_ID = Text(collation="C")
IDS: ARRAY[str] = ARRAY(_ID)
_TIME = TIMESTAMP(timezone=True)


def _column(name: str, kind: TypeEngine[Any], *, key: bool = False, null: bool = False, default: str | None = None) -> Column[Any]:
    return Column(
        name, kind, primary_key=key, nullable=null, autoincrement=False, server_default=None if default is None else text(default)
    )


data_sets = Table(
    "data_sets",
    metadata,
    _column("key", _ID, key=True),
    _column("content_hash", _ID, key=True),
    _column("exchange", Text()),
    _column("symbol", Text()),
    _column("timeframe", Text()),
    _column("first_bar", _TIME),
    _column("last_bar", _TIME),
    _column("n_bars", BigInteger()),
    _column("synthetic", Boolean()),
    _column("saved", _TIME, default="now()"),
    Index("data_sets_content_hash", "content_hash"),
)

plays = Table(
    "plays",
    metadata,
    _column("sha256", _ID, key=True),
    _column("name", Text()),
    _column("text", Text()),
    _column("saved", _TIME, default="now()"),
)

jobs = Table(
    "jobs",
    metadata,
    _column("id", _ID, key=True),
    _column("kind", Text()),
    _column("campaign", Text()),
    _column("plays", IDS),
    _column("data_hashes", IDS),
    _column("data_hash", _ID),
    _column("config", JSON()),
    _column("config_hash", _ID),
    _column("code_version", Text()),
    _column("seed", BigInteger()),
    _column("synthetic", Boolean()),
    _column("status", Text()),
    _column("created", _TIME),
    _column("started", _TIME, null=True),
    _column("finished", _TIME, null=True),
    _column("error", Text()),
    _column("result", JSON(none_as_null=True), null=True),
    _column("result_hash", Text()),
    _column("cancel_requested", Boolean()),
    _column("lease_owner", Text()),
    _column("lease_expires", _TIME, null=True),
    Index("jobs_campaign", "campaign"),
    Index("jobs_created", "created", "id"),
    Index("jobs_status", "status", postgresql_where=text("status IN ('queued', 'running')")),
)

generations = Table(
    "generations",
    metadata,
    _column("job", _ID, key=True),
    _column("generation", Integer(), key=True),
    _column("island", Integer(), key=True),
    _column("best", Double(), null=True),
    _column("median", Double(), null=True),
    _column("diversity", Double(), null=True),
    _column("evaluations", Integer()),
    _column("failures", Integer()),
    _column("seconds", Double(), null=True),
    _column("figures", JSON()),
    _column("state_hash", _ID),
    _column("synthetic", Boolean()),
    _column("committed", _TIME, default="now()"),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    _column("job", _ID, key=True),
    _column("island", Integer(), key=True),
    _column("generation", Integer()),
    _column("state", LargeBinary()),
)

batches = Table(
    "batches",
    metadata,
    Column("number", BigInteger(), Identity(always=True), primary_key=True),
    _column("job", _ID),
    _column("play", _ID),
    _column("words", JSON(none_as_null=True), null=True),
    _column("stored", _TIME, default="now()"),
    _column("variants", LargeBinary(), default="''::bytea"),
    _column("failures", Integer(), default="0"),
    Index("batches_job", "job"),
)

batch_parts = Table(
    "batch_parts",
    metadata,
    _column("batch", BigInteger(), key=True),
    _column("part", SmallInteger(), key=True),
    _column("segment", _ID),
    _column("data_sets", IDS),
)

trials = Table(
    "trials",
    metadata,
    _column("id", _ID, key=True),
    _column("job", _ID),
    _column("variant", _ID),
    _column("batch", BigInteger()),
    _column("island", Integer()),
    _column("generation", Integer()),
    _column("index", BigInteger()),
    _column("genome", ARRAY(Double())),
    _column("params", JSON(none_as_null=True), null=True),
    _column("fitness", Double(), null=True),
    _column("objectives", ARRAY(Double())),
    _column("status", SmallInteger()),
    _column("reason", Text()),
    _column("parents", IDS),
    _column("operator", Text()),
    _column("part", SmallInteger(), null=True),
    _column("figures", ARRAY(Double()), null=True),
)
Index("trials_best", trials.c.job, trials.c.fitness.desc(), trials.c.id)

job_ranks = Table(
    "job_ranks",
    metadata,
    _column("job", _ID, key=True),
    _column("trials", BigInteger()),
    _column("floors", LargeBinary(), null=True),
    comment="How many trials each job has, and the last entry kept of each figure; floors are NULL while there are few.",
)

ranked = Table(
    "ranked",
    metadata,
    _column("job", _ID, key=True),
    _column("number", Integer(), key=True),
    _column("entries", LargeBinary()),
    comment="The best trials of large jobs by each figure. An entry: place of the figure (1 byte), evaluation (10), mean in sample (8).",
)

later_scores = Table(
    "later_scores",
    metadata,
    _column("evaluation", _ID, key=True),
    _column("data_set", _ID, key=True),
    _column("segment", _ID, key=True),
    _column("figures", ARRAY(Double())),
)

_views = MetaData()

evaluations = Table(
    "evaluations",
    _views,
    *(_column(name, _ID) for name in ("id", "job", "variant", "play")),
    *(_column(name, Integer()) for name in ("island", "generation")),
    _column("index", BigInteger()),
    _column("genome", ARRAY(Double())),
    _column("params", JSON()),
    _column("fitness", Double(), null=True),
    _column("objectives", ARRAY(Double())),
    _column("status", Text()),
    _column("reason", Text()),
    _column("seed", BigInteger()),
    _column("parents", IDS),
    _column("operator", Text()),
    *(_column(name, _ID) for name in ("config_hash", "data_hash", "code_version")),
    _column("synthetic", Boolean()),
    _column("stored", _TIME),
)
"""A view for everybody who reads trials and does not write them."""

score_rows = Table(
    "score_rows",
    _views,
    *(_column(name, _ID) for name in ("evaluation", "job", "data_set", "segment")),
    _column("figures", ARRAY(Double())),
)
"""A view: wherever figures are stored, with the trials or later."""

tokens = Table(
    "tokens",
    metadata,
    _column("id", _ID, key=True),
    _column("name", Text()),
    _column("role", Text()),
    Column("hash", _ID, nullable=False, unique=True),
    _column("max_queued", Integer()),
    _column("max_running", Integer()),
    _column("created", _TIME),
    _column("expires", _TIME, null=True),
    _column("revoked", _TIME, null=True),
    Index("tokens_name", "name", unique=True, postgresql_where=text("revoked IS NULL")),
)

quotas = Table(
    "quotas",
    metadata,
    _column("scope", _ID, key=True),
    _column("name", Text(), key=True),
    _column("quota", JSON()),
    comment="How much all jobs of a token (by its id) or of a campaign may ask for together.",
)

queue = Table(
    "queue",
    metadata,
    _column("job", _ID, key=True),
    _column("token", _ID),
    _column("priority", Integer()),
    _column("submitted", _TIME),
    _column("attempts", Integer()),
    _column("not_before", _TIME),
    Index("queue_token", "token"),
)
Index("queue_line", queue.c.priority.desc(), queue.c.submitted, queue.c.job)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    _column("token", _ID, key=True),
    _column("key", _ID, key=True),
    _column("fingerprint", _ID),
    _column("job", _ID),
    _column("created", _TIME, default="now()"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger(), Identity(always=True), primary_key=True),
    _column("at", _TIME, default="now()"),
    _column("token", _ID),
    _column("action", Text()),
    _column("target", Text()),
    _column("detail", JSON()),
)

chaos_frames = Table(
    "chaos_frames",
    metadata,
    _column("job", _ID, key=True),
    _column("markets", IDS),
    _column("features", IDS),
    _column("bar_ms", BigInteger()),
    comment="What all random trades of a job share: market m is markets[m + 1], features name the state.",
)

chaos_trades = Table(
    "chaos_trades",
    metadata,
    _column("number", BigInteger()),
    *(_column(name, _TIME) for name in ("entered", "exited")),
    *(_column(name, Double()) for name in ("entry_price", "exit_price", "size", "gross", "net", "fees", "slippage", "funding")),
    *(_column(name, Double(), null=True) for name in ("momentum_1", "momentum_5", "sma_distance_10", "volume_ratio_20", "volatility_20")),
    _column("funding_rate", Double(), null=True),
    *(_column(name, Integer()) for name in ("decision", "hold")),
    *(_column(name, SmallInteger()) for name in ("market", "side", "reason", "hour_of_day", "day_of_week")),
    _column("job", _ID),
    _column("named", ARRAY(Double())),
    _column("exit_state", ARRAY(REAL())),
    postgresql_partition_by="LIST (job)",
    comment="Random trades and what became of them: results as fractions of the notional, the state as known at the decision; "
    "see the view chaos.",
)

campaign_splits = Table(
    "campaign_splits",
    metadata,
    _column("campaign", _ID, key=True),
    _column("markets", JSON()),
    *(_column(f"{part}_{end}", _TIME) for part in ("train", "validation", "vault") for end in ("start", "end")),
    _column("validation_share", Double()),
    _column("vault_share", Double()),
    _column("purge_bars", Integer()),
    _column("embargo_bars", Integer()),
    _column("who", Text()),
    _column("declared", _TIME),
    comment="How each campaign cuts time, declared once; its jobs see no bar that closes after validation_end.",
)

vault_openings = Table(
    "vault_openings",
    metadata,
    _column("id", _ID, key=True),
    Column("campaign", _ID, ForeignKey("campaign_splits.campaign"), nullable=False),
    _column("evaluation", _ID),
    _column("who", Text()),
    _column("why", Text()),
    _column("opened", _TIME),
    _column("seen_by", Integer()),
    _column("figures", JSON(none_as_null=True), null=True),
    _column("passed", Boolean(), null=True),
    Index("vault_openings_campaign", "campaign"),
    comment="Every look into a vault, each charged as a trial; seen_by counts jobs of other campaigns that had seen those bars before, "
    "passed says whether the variant's newest card kept the gates.",
)

verdict_evidence = Table(
    "verdict_evidence",
    metadata,
    _column("hash", _ID, key=True),
    _column("text", Text()),
    comment="Texts of gates and report cards that verdicts were reached on, by their SHA-256.",
)

verdicts = Table(
    "verdicts",
    metadata,
    _column("hash", _ID, key=True),
    _column("evaluation", _ID),
    _column("campaign", _ID),
    *(Column(name, _ID, ForeignKey("verdict_evidence.hash"), nullable=False) for name in ("gates_hash", "card_hash")),
    _column("passed", Boolean()),
    _column("document", Text()),
    _column("who", Text()),
    _column("reached", _TIME),
    Index("verdicts_evaluation", "evaluation"),
    comment="What the gates said of variants, with the hashes of the gates and the card; document is the verdict in full.",
)

lifecycle_arrows = Table(
    "lifecycle_arrows",
    metadata,
    _column("source", _ID, key=True),
    _column("target", _ID, key=True),
    _column("evidence", Text()),
    _column("reason", Text()),
    comment="The steps that exist and what must be shown for each; later: nothing can show it yet.",
)

lifecycle = Table(
    "lifecycle",
    metadata,
    _column("evaluation", _ID, key=True),
    _column("step", Integer(), key=True),
    _column("source", _ID),
    _column("target", _ID),
    _column("who", Text()),
    _column("taken", _TIME),
    _column("why", Text()),
    *(_column(name, _ID) for name in ("verdict", "gates_hash", "card_hash")),
    ForeignKeyConstraint(["source", "target"], ["lifecycle_arrows.source", "lifecycle_arrows.target"]),
    comment="The steps each variant has taken, with their evidence; a variant without one is a candidate.",
)

vetted_plays = Table(
    "vetted_plays",
    metadata,
    _column("sha256", _ID, key=True),
    Column("verdict", _ID, ForeignKey("verdicts.hash"), primary_key=True, nullable=False),
    _column("name", Text()),
    _column("text", Text()),
    _column("evaluation", _ID),
    _column("card_hash", _ID),
    _column("tags", JSON()),
    _column("who", Text()),
    _column("vetted", _TIME),
    Index("vetted_plays_evaluation", "evaluation"),
    comment="The library: plays with everything fixed that the gates let through.",
)

patterns = Table(
    "patterns",
    metadata,
    _column("id", _ID, key=True),
    *(_column(name, Text()) for name in ("source", "name")),
    *(_column(name, JSON()) for name in ("conditions", "figures")),
    _column("status", Text()),
    _column("job", _ID),
    _column("p_confirm", Double(), null=True),
    _column("discovered_at", _TIME),
    _column("evidence", JSON()),
    _column("synthetic", Boolean()),
    Index("patterns_status", "status", "discovered_at"),
    Index("patterns_job", "job"),
)

alpha_spending = Table(
    "alpha_spending",
    metadata,
    _column("synthetic", Boolean(), key=True),
    _column("place", BigInteger(), key=True),
    _column("pattern", _ID),
    *(_column(name, Double()) for name in ("p_value", "level")),
    _column("rejected", Boolean()),
    _column("alpha", Double()),
    _column("procedure", Text()),
    _column("tested_at", _TIME, default="now()"),
    Index("alpha_spending_pattern", "pattern", unique=True),
)
