"""The records a run leaves: frozen, keyword-only, and free of any database.

What is written in bulk travels as columns (`EvaluationBatch`, `ScoreBatch`), because one object per trial costs more than storing it;
what is read singly travels as one record (`EvaluationRecord`).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from coinswarm.types import FloatArray, IntArray

Json: TypeAlias = Mapping[str, Any]
"""Nested mappings, lists, text, numbers, booleans and None; numbers may be NaN or infinite."""

JobStatus: TypeAlias = Literal["queued", "running", "done", "failed", "cancelled"]
FINAL_STATUSES: tuple[JobStatus, ...] = ("done", "failed", "cancelled")

IN_SAMPLE = "in_sample"
OUT_OF_SAMPLE = "out_of_sample"
WHOLE_JOB = -1
"""The island number of a generation record that belongs to the job and to no island, such as the archive's."""

FOUNDER = "founder"
"""The operator of a variant that was drawn and has no parents."""

LEASE_S = 30.0
"""Seconds that a lease on a job lasts after each heartbeat, unless a service is given another number."""

_ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_EVALUATION_ID_LENGTH = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class DataSetRecord:
    """A stored run of bars that jobs were evaluated on.

    `key` names it (`binance:BTC-USDT:5m`), `content_hash` is the SHA-256 of its bars, `first_ts` and `last_ts` are the open times of
    its first and last bar in ms since 1970 (UTC). The same key with other content is another record.
    """

    key: str
    exchange: str
    symbol: str
    timeframe: str
    content_hash: str
    first_ts: int
    last_ts: int
    n_bars: int
    synthetic: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PlayRecord:
    """The text of a play under the SHA-256 it is known by."""

    sha256: str
    name: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One run: what it was asked to do, on what, and how far it is.

    `plays` and `data_hashes` are the SHA-256 of plays and bars; `data_hash` is one hash over all of the data, and `config` is complete:
    with `code_version` and `seed` it says all that decides the result. Times are in UTC. `lease_owner` is "" while no driver has it; a
    cancelled job keeps its driver's until that lets go. `cancel_requested`: a user cancelled it, and did not resume it since.
    """

    id: str
    kind: str
    campaign: str
    plays: tuple[str, ...]
    data_hashes: tuple[str, ...]
    data_hash: str
    config: Json
    config_hash: str
    code_version: str
    seed: int
    synthetic: bool
    status: JobStatus = "queued"
    created: datetime
    started: datetime | None = None
    finished: datetime | None = None
    error: str = ""
    result: Json | None = None
    result_hash: str = ""
    cancel_requested: bool = False
    lease_owner: str = ""
    lease_expires: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """The right to drive a job until `expires`. `cancel_requested`: the job was cancelled, and its driver is to end."""

    job: str
    owner: str
    expires: datetime
    cancel_requested: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class GenerationRecord:
    """What one island (or the whole job, `WHOLE_JOB`) was like at the end of one generation.

    `best` and `median` are of the fitness of the population, `diversity` is in [0, 1], `seconds` is wall time; all three may be NaN.
    `evaluations` and `failures` count this generation's trials. `figures` takes anything else worth plotting.
    `state` is all that is needed to continue from here. Only the newest state of an island is kept: older records read back with `b""`.
    """

    job: str
    island: int
    generation: int
    best: float
    median: float
    diversity: float
    evaluations: int
    failures: int
    seconds: float
    figures: Json = field(default_factory=dict)
    state: bytes = b""


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class EvaluationBatch:
    """The new variants of one island in one generation, as columns of n rows.

    A variant is stored once a job: a row whose identity the job already has changes nothing. `params` has the genome as named values,
    best as `parameters.DecodedParameters`, which decodes a row when it is read.
    `fitness` is larger for better and NaN for a failed variant; `objectives` holds each objective as the search sees it.
    `parents` are identities of variants (none for a founder). What is the same for the whole job (seed, hashes, code version,
    synthetic) is taken from the job.

    Shapes: `variants`, `params`, `reasons`, `parents`, `operators`: n; `genomes`: (n, n_dims); `indices`, `status`, `fitness`: (n,);
    `objectives`: (n, n_objectives). `status` holds `metrics.figures.Status`.
    """

    island: int
    generation: int
    play: str
    variants: tuple[str, ...]
    genomes: FloatArray
    params: Sequence[Json]
    indices: IntArray
    fitness: FloatArray
    objectives: FloatArray
    status: npt.NDArray[np.int8]
    reasons: tuple[str, ...]
    parents: tuple[tuple[str, ...], ...]
    operators: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.variants)


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class ScoreBatch:
    """The figures of some variants of a job on one data set and one segment of time.

    `variants`: n identities that are evaluated, or evaluated in the same commit; `figures`: (n,) array of `SCORE_DTYPE`.
    `data_set` is the key of the data set; `segment` is `IN_SAMPLE`, `OUT_OF_SAMPLE` or the name of a fold.
    """

    data_set: str
    segment: str
    variants: tuple[str, ...]
    figures: npt.NDArray[np.void]

    def __len__(self) -> int:
        return len(self.variants)


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreRecord:
    """The figures of one variant on one data set and segment; a figure it does not have is NaN."""

    data_set: str
    segment: str
    status: str
    figures: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationRecord:
    """One evaluated variant with all that is known of it. `status` is the lower-case name of a `metrics.figures.Status`."""

    id: str
    job: str
    campaign: str
    variant: str
    play: str
    island: int
    generation: int
    index: int
    genome: tuple[float, ...]
    params: Json
    fitness: float
    objectives: tuple[float, ...]
    status: str
    reason: str
    seed: int
    parents: tuple[str, ...]
    operator: str
    config_hash: str
    data_hash: str
    code_version: str
    synthetic: bool
    scores: tuple[ScoreRecord, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaderboardRow:
    """A place on the leaderboard: figures are means over the data sets; `out_of_sample` is empty until it has been scored there."""

    rank: int
    evaluation: str
    job: str
    variant: str
    play: str
    params: Json
    fitness: float
    objectives: tuple[float, ...]
    in_sample: Mapping[str, float]
    out_of_sample: Mapping[str, float]
    synthetic: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Ancestor:
    """One variant of a family tree: `depth` is 0 for the variant asked about and grows towards the founders."""

    depth: int
    evaluation: str
    variant: str
    parents: tuple[str, ...]
    operator: str
    island: int
    generation: int
    fitness: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialCounts:
    """How much a campaign has tried, over all of its jobs.

    `trials` is the number that deflates a finding: distinct pairs of variant and data, failed ones included, for each was a draw, and
    every opening of the vault, for each was a look.
    `variants` counts distinct identities whatever the data, `evaluations` all rows, `failures` the rows that failed, `openings` the looks
    into the vault.
    """

    campaign: str
    jobs: int
    trials: int
    variants: int
    evaluations: int
    failures: int
    openings: int = 0


BEST = 100
"""How many of the best by each figure are looked for again in a tally."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialTally:
    """The trials of a job, counted row by row.

    `variants` counts distinct identities; `generations` has the rows of each island and generation that has any, by (island, generation).
    `identities` are those by which trials of a campaign are counted. `best` has the ids of the best of all rows by each figure, at most
    `BEST`.
    """

    job: str
    trials: int
    variants: int
    generations: Mapping[tuple[int, int], int]
    identities: int
    best: Mapping[str, tuple[str, ...]]


def evaluation_id(job: str, variant: str) -> str:
    """The id of a variant's evaluation in a job: 20 hexadecimal digits that follow from both, so no store need be asked for it.

    80 bits: among a hundred million rows two share an id with a chance of 4e-9.
    """
    return hashlib.sha256(f"{job}:{variant}".encode()).hexdigest()[:_EVALUATION_ID_LENGTH]


def new_job_id(kind: str, created: datetime) -> str:
    """A fresh id that a person can read and that sorts by time within its kind: `evolve-20250131-235959-k7fq`."""
    return f"{kind}-{created:%Y%m%d-%H%M%S}-{''.join(secrets.choice(_ID_ALPHABET) for _ in range(4))}"


def new_owner(host: str, pid: int, mark: str = "") -> str:
    """A name for one driver process that no other process will ever use, not even one with the same host, pid and mark of its start."""
    return ":".join((host, str(pid), *([mark] if mark else []), secrets.token_hex(4)))
