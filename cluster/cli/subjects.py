"""What an argument means that may be an evaluation or a job: of a job, its best. Ids of jobs begin with their kind and a hyphen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cluster.jobs import evolve
from coinswarm import errors

if TYPE_CHECKING:
    from cluster.cli.client import Client
    from coinswarm.ledger.store import Store

OfEvaluation = Annotated[
    str, typer.Argument(metavar="EVALUATION|JOB", help="The id of an evaluation, or of a search for its best; a beginning is enough.")
]


def here(store: Store, name: str) -> str:
    """The evaluation that is meant, of this machine: `name` itself, or the whole id of a search's best.

    Raises:
        NotFound: there is no such job, or it has found nothing yet. Refused: the job is no search.
    """
    if not _is_job(name):
        return name
    job = store.job(name)
    require_search(job.id, job.kind)
    rows = store.leaderboard(job.id, limit=1)
    return rows[0].evaluation if rows else _nothing(job.id)


def there(remote: Client, name: str) -> str:
    """The evaluation that is meant, of a server; as `here`."""
    if not _is_job(name):
        return name
    job = remote.get(f"/api/v1/jobs/{name}")
    require_search(job["id"], job["kind"])
    rows = remote.get(f"/api/v1/jobs/{job['id']}/leaderboard", limit=1)["rows"]
    return str(rows[0]["evaluation"]) if rows else _nothing(job["id"])


def require_search(job: str, kind: str) -> None:
    """Raise `Refused` for a job that has no leaderboard."""
    if kind != evolve.NAME:
        hint = f"`coinswarm jobs report {job}` shows what it came to"
        raise errors.Refused("only a search has a leaderboard", found=f"{job} of kind {kind}", hint=hint)


def _is_job(name: str) -> bool:
    return "-" in name


def _nothing(job: str) -> str:
    raise errors.NotFound(f"job {job} has found nothing yet", hint=f"`coinswarm jobs watch {job}` follows it")
