"""The tables as SQLAlchemy knows them; `migrations/` makes them, and a test holds the two equal.

Ids and hashes are compared byte by byte (collation "C"), so that a prefix is found by index and order is the same on every server.
A figure that is not there is NULL; the store reads it back as NaN.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, LargeBinary, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSON, TIMESTAMP
from sqlalchemy.types import TypeEngine

from coinswarm.metrics.figures import FIGURES

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

evaluations = Table(
    "evaluations",
    metadata,
    _column("id", _ID, key=True),
    _column("job", _ID),
    _column("variant", _ID),
    _column("play", _ID),
    _column("island", Integer()),
    _column("generation", Integer()),
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
    _column("config_hash", _ID),
    _column("data_hash", _ID),
    _column("code_version", Text()),
    _column("synthetic", Boolean()),
    _column("stored", _TIME, default="now()"),
)
Index(
    "evaluations_best",
    evaluations.c.job,
    evaluations.c.fitness.desc(),
    evaluations.c.id,
    postgresql_where=evaluations.c.fitness.is_not(None),
)
Index("evaluations_generation", evaluations.c.job, evaluations.c.generation, evaluations.c.island)

scores = Table(
    "scores",
    metadata,
    _column("evaluation", _ID, key=True),
    _column("data_set", _ID, key=True),
    _column("segment", _ID, key=True),
    _column("status", Text()),
    *(_column(name, Double(), null=True) for name in FIGURES),
    _column("synthetic", Boolean()),
)
