"""Which record is meant, and whether it is the one already stored: rules every store applies in the same words."""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Iterable, Sequence
from typing import Any

from coinswarm import check, codec, errors
from coinswarm.ledger.records import DataSetRecord, Job, Json, PlayRecord

_AS_ASKED = ("kind", "campaign", "plays", "data_hashes", "data_hash", "config_hash", "code_version", "seed", "synthetic", "created")
"""What a job keeps from its creation to its end: two jobs of one id that agree on it are the same job."""

_SHOWN_MATCHES = 3
_LISTS = {
    "job": "`coinswarm jobs list` shows the newest", "evaluation": "`coinswarm top JOB` shows the best of a job",
    "pattern": "`coinswarm patterns list` shows the newest",
}  # fmt: skip
"""How records of a kind are listed."""


def only_match(kind: str, prefix: str, matches: Sequence[str]) -> str:
    """The only name that fits.

    Raises:
        NotFound: none fits; Conflict: several do.
    """
    if not matches:
        raise unknown(kind, prefix)
    if len(matches) > 1:
        shown = ", ".join(matches[:_SHOWN_MATCHES])
        raise errors.Conflict(f"{prefix!r} matches several {kind}s: {shown}", hint="give more characters of it")
    return matches[0]


def unknown(kind: str, name: str) -> errors.NotFound:
    """No record has this id: ids are not guessed, so the hint says how to list them."""
    return errors.NotFound(f"no {kind} is called {name!r}", hint=_LISTS.get(kind, ""))


def in_order(records: Iterable[DataSetRecord], hashes: Sequence[str]) -> tuple[DataSetRecord, ...]:
    """The data sets with these content hashes, in the order asked for.

    Raises:
        NotFound: a hash is unknown.
    """
    by_hash = {record.content_hash: record for record in sorted(records, key=lambda record: record.key, reverse=True)}
    check_known("data set", hashes, by_hash)
    return tuple(by_hash[content_hash] for content_hash in hashes)


def check_known(kind: str, hashes: Iterable[str], known: Container[str]) -> None:
    """Raise `NotFound` when one of the hashes was never saved."""
    missing = [content_hash for content_hash in hashes if content_hash not in known]
    if missing:
        raise errors.NotFound(f"no {kind} has the hash {missing[0]}", hint=f"save the {kind} before the job that uses it")


def check_same_play(stored: PlayRecord, play: PlayRecord) -> None:
    """Raise `Conflict` when a play's hash is taken by another text."""
    if stored.text != play.text:
        raise errors.Conflict(f"the play {play.sha256} is stored with another text", hint="the hash must be of the text")


def check_same_job(stored: Job, job: Job) -> None:
    """Raise `Conflict` when a job's id is taken by a job that asks for something else."""
    differing = [name for name in _AS_ASKED if getattr(stored, name) != getattr(job, name)]
    if differing or codec.dumps(_asked(stored)) != codec.dumps(_asked(job)):
        found = ", ".join(differing or ["config"])
        raise errors.Conflict(f"job {job.id} exists and must ask for the same, differs in {found}", hint="take a new id")


def _asked(job: Job) -> Json:
    """The config without the limit of time that a quota added when the job was stored."""
    return {name: value for name, value in job.config.items() if name != "run_s"}


def checked_job(job: Job) -> Job:
    """The job in the form it will be read back in.

    Raises:
        InvalidArgument: a text, number, time or JSON of it cannot be stored, or it is not a job that has yet to start.
    """
    check_text(job)
    for name in (*job.plays, *job.data_hashes):
        codec.storable(name, "a hash")
    check.within(job.seed, "seed", 0, 2**63 - 1)
    if not job.id or job.status != "queued" or job.lease_owner:
        raise errors.InvalidArgument("a new job has an id, is queued and not driven", found=f"{job.id!r}, {job.status}")
    if job.created.tzinfo is None:
        raise errors.InvalidArgument("a job's times have a time zone", found=job.created.isoformat())
    result = None if job.result is None else codec.copy(job.result)
    return dataclasses.replace(job, config=codec.copy(job.config), result=result)


def check_text(record: Any) -> None:
    """Raise `InvalidArgument` when a text of a record cannot be stored."""
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if isinstance(value, str):
            codec.storable(value, field.name)
