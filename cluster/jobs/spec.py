"""From a request to a job: the only place that makes a `Job`, and the only one that says whether a stored one is still the same."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from cluster import version
from cluster.jobs import registry
from cluster.jobs.kind import JobKind, JobSpec, PlanContext, Planned
from cluster.jobs.settings import JobSettings, PlayGiven
from coinswarm import codec, errors
from coinswarm.ledger import quotas
from coinswarm.ledger.records import Job, PlayRecord, new_job_id
from coinswarm.ledger.store import Store

_S = TypeVar("_S", bound=JobSettings)
LARGER = "raise `COINSWARM_MAX_…`"
"""How the limits of a job on this machine are raised."""
_SPARE = 0.9
"""Share of the free disk that a job may take: PostgreSQL writes everything to its log as well, and needs room to work."""
_NOT_DECIDING = ("environment", "files", "settings", "asked", "run_s")
"""Parts of a config that do not decide a result: versions beside us, names of files, the request that was settled, amounts and limits."""


def resolved(settings: _S, store: Store) -> _S:
    """The request with the text of every play in it.

    Raises:
        InvalidArgument: a play has neither text nor hash, or both. NotFound: no stored play has the hash.
    """
    if not settings.given_plays:
        return settings
    return settings.model_copy(update={"plays": tuple(_text(number, given, store) for number, given in enumerate(settings.given_plays))})


def fingerprint(settings: JobSettings) -> str:
    """SHA-256 of all that a resolved request asks for."""
    asked = {**settings.model_dump(mode="json", exclude={"plays"}), "plays": [given.yaml for given in settings.given_plays]}
    return codec.canonical_hash(asked)


def planned(settings: JobSettings, context: PlanContext, now: datetime) -> Planned:
    """The job of a request, with all that is stored for it; nothing is written.

    Raises:
        BadPlay, BadSetting, NotFound, SpanTooShort, InvalidArgument, Refused, Conflict, TooLarge: what is asked for cannot be done.
    """
    require_campaign(getattr(settings, "campaign", "default"))
    kind = registry.asked(settings)
    quotas.refuse_job(kind.amounts(settings), context.limits, LARGER)
    complete = resolved(settings, context.store)
    spec = kind.plan(complete, context)
    job = create(kind, complete, spec, now)
    refuse_too_large(kind.stored_bytes(job.config), context.free_bytes())
    return Planned(job=job, plays=spec.plays, data_sets=spec.data_sets, notes=spec.notes)


def create(kind: JobKind[_S], settings: _S, spec: JobSpec, now: datetime) -> Job:
    """A queued job."""
    hashes = tuple(record.content_hash for record in spec.data_sets) if spec.data_hashes is None else spec.data_hashes
    synthetic = any(record.synthetic for record in spec.data_sets) if spec.synthetic is None else spec.synthetic
    files = {} if spec.files is None else {"files": list(spec.files)}
    asked = replace(kind.amounts(settings), stored_bytes=kind.stored_bytes(spec.settled))
    return Job(
        id=new_job_id(kind.name, now), kind=kind.name, campaign=spec.campaign, plays=tuple(record.sha256 for record in spec.plays),
        data_hashes=hashes, data_hash=data_hash(hashes),
        config={
            **spec.settled, **files, "environment": version.environment(), "settings": _stored(settings), "asked": asdict(asked),
        },
        config_hash=config_hash(spec.settled), code_version=version.code_version(), seed=spec.seed, synthetic=synthetic, created=now,
    )  # fmt: skip


def stored(store: Store, name: str) -> Planned:
    """A stored job with what it refers to.

    Raises:
        NotFound: there is no such job.
    """
    job = store.job(name)
    return Planned(job=job, plays=tuple(store.play(sha256) for sha256 in job.plays), data_sets=store.data_sets(job.data_hashes))


def unchanged(kind: JobKind[Any], store: Store, job: Job) -> Planned:
    """A stored job that may go on, with what it refers to.

    Raises:
        Refused: as `refuse_changed`; data that it was not made with need not be there.
    """
    _refuse(job, _differences(_hashes(job)))
    made = stored(store, job.id)
    refuse_changed(kind, made)
    return made


def submit(store: Store, made: Planned) -> None:
    """Queue a planned job with all that it refers to."""
    store.save_data_sets(made.data_sets)
    for play in made.plays:
        store.save_play(play)
    store.create_job(made.job)


def refuse_done(job: Job) -> None:
    """Refuse to resume a job that is done, before a cluster is started for it.

    Raises:
        Conflict: it is.
    """
    if job.status == "done":
        raise errors.Conflict(f"job {job.id} is done", hint=f"`coinswarm jobs show {job.id}` shows what it found")


def refuse_changed(kind: JobKind[Any], made: Planned) -> None:
    """Refuse to go on with a job whose code, config, data or plays are no longer what it was made with.

    Raises:
        Refused: something has changed; the message shows how.
    """
    job = made.job
    code = {} if kind.any_code else {"code": (job.code_version, version.code_version())}
    changes = _differences({**code, **_hashes(job)})
    # What a kind compares it plans again from the config, which only makes sense of one that is as it was stored.
    changes += [*_changed_files(job, made.plays), *(() if changes else kind.changes(made))]
    _refuse(job, changes)


def refuse_repeated(job: Job | None) -> None:
    """Raise `Conflict` for a request that a job has answered, or is answering, already."""
    if job is not None:
        raise errors.Conflict(f"job {job.id} has done the same, or is doing it", found=job.status, hint="doing it twice finds the same")


def refuse_too_large(needed: int, free: int | None) -> None:
    """Raise `Refused` when what a job stores would not fit the disk of the database."""
    if free is not None and needed > _SPARE * free:
        raise errors.Refused(
            f"the job stores about {needed / 2**30:,.1f} GB in the database", found=f"{free / 2**30:,.1f} GB free",
            hint="ask for less, free some disk, or `coinswarm jobs prune` and `coinswarm chaos drop` what is not needed any more",
        )  # fmt: skip


def require_campaign(name: str) -> None:
    """Raise `InvalidArgument` where a campaign has no name, by which it could be asked for again."""
    if not name.strip():
        raise errors.InvalidArgument("a campaign has a name", found=repr(name), hint="without --campaign it is `default`")


def config_hash(settled: Mapping[str, Any]) -> str:
    """SHA-256 over what decides a result."""
    deciding = {name: value for name, value in settled.items() if name not in _NOT_DECIDING}
    return codec.canonical_hash(deciding)


def data_hash(hashes: Sequence[str]) -> str:
    """SHA-256 over the content hashes of a job's bars, in their order."""
    return hashlib.sha256("".join(hashes).encode()).hexdigest()


def _text(number: int, given: PlayGiven, store: Store) -> PlayGiven:
    if (given.text is None) == (given.sha256 is None):
        found = f"{'neither' if given.text is None else 'both'} in plays.{number}"
        raise errors.InvalidArgument("a play is given by its text or by its hash", found=found)
    return given if given.sha256 is None else PlayGiven(text=store.play(given.sha256).text)


def _stored(settings: JobSettings) -> dict[str, Any]:
    """The request as its job keeps it: plays by their hash, for their text is stored once."""
    asked = settings.model_dump(mode="json", exclude={"plays"})
    plays = [{"sha256": given.digest} for given in settings.given_plays]
    return {**asked, "plays": plays} if plays else asked


def _hashes(job: Job) -> dict[str, tuple[str, str]]:
    """The hashes of a job as they are stored, and as they are of what is stored with them."""
    return {"config hash": (job.config_hash, config_hash(job.config)), "data hash": (job.data_hash, data_hash(job.data_hashes))}


def _differences(compared: Mapping[str, tuple[str, str]]) -> list[str]:
    return [line for name, (before, now) in compared.items() if now != before for line in (f"{name}:", f"- {before}", f"+ {now}")]


def _refuse(job: Job, changes: Sequence[str]) -> None:
    if changes:
        rule = f"job {job.id} cannot go on as the same job:\n" + "\n".join(changes)
        raise errors.Refused(rule, hint="start a new job, or undo the change")


def _changed_files(job: Job, plays: Sequence[PlayRecord]) -> list[str]:
    """How the files that the plays came from differ from what is stored; a file that is gone has not changed."""
    changes: list[str] = []
    for name, play in zip(job.config.get("files", ()), plays, strict=False):
        if name and Path(name).is_file():
            now = Path(name).read_text("utf-8-sig")
            changes += difflib.unified_diff(play.text.splitlines(), now.splitlines(), f"{name} as stored", f"{name} now", lineterm="")
    return changes
