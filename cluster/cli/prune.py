"""`coinswarm jobs prune`: delete data of old jobs that can be computed again; how much was tried stays known."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster import bootstrap
from cluster.cli import console
from coinswarm import errors
from coinswarm.printable import counted

if TYPE_CHECKING:
    from cluster.store.pruning import Relief

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_MEGABYTE = 1_000_000


def command(
    older_than: Annotated[str, typer.Option("--older-than", metavar="AGE", help="Only jobs that ended this long ago: 12h, 30d, 8w.")],
    campaign: Annotated[str | None, typer.Option(help="Only jobs of this campaign.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only jobs of this kind: evolve, chaos, …")] = None,
    keep_winners: Annotated[int, typer.Option(help="How many of the fittest variants of each job keep their figures.", min=0)] = 100,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be deleted.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    as_json: console.AsJson = False,
) -> None:
    """Free disk space: delete recomputable data of finished jobs. Every trial stays counted."""
    from cluster.store import pruning

    settings = console.settings()
    before = datetime.now(UTC) - age(older_than)
    with bootstrap.open_database(settings) as database:
        found = pruning.reliefs(database, before=before, campaign=campaign, kind=kind, keep=keep_winners)
    losing = [relief for relief in found if relief.anything]
    if not as_json:
        _show(found, losing)
    if dry_run or not losing:
        _tell(found, [], as_json=as_json)
        return
    if not yes:
        _ask(len(losing))
    with bootstrap.open_store(settings) as store, bootstrap.open_chaos(settings) as chaos:
        for relief in losing:
            if relief.chaos_trades:
                chaos.drop(relief.job)
            store.prune(relief.job, keep=keep_winners)
            console.note(f"job {relief.job}: {relief.size_bytes / _MEGABYTE:,.1f} MB")
    pruning.settle(bootstrap.database_url(settings))
    _tell(found, losing, as_json=as_json)


def age(text: str) -> timedelta:
    """A span of time such as 12h, 30d or 8w.

    Raises:
        InvalidArgument: it is none.
    """
    found = re.fullmatch(r"(\d{1,5})([hdw])", text.strip())
    if found is None:
        raise errors.InvalidArgument("--older-than must be a number with h, d or w", found=text, hint="such as 30d")
    return int(found[1]) * _UNITS[found[2]]


def _ask(jobs: int) -> None:
    if not sys.stdin.isatty():
        raise errors.Refused(
            "deleting must be confirmed, and there is no terminal to ask on", hint="--yes deletes without asking, --dry-run only looks"
        )
    typer.confirm(f"delete recomputable data of {counted(jobs, 'job')}?", abort=True, err=True)


def _show(found: Sequence[Relief], losing: Sequence[Relief]) -> None:
    columns = ["job", "figures", "states", "chaos trades", "MB", "trials kept"]
    rows: list[list[Any]] = [
        [one.job, f"{one.figures:,}", one.states, f"{one.chaos_trades:,}", f"{one.size_bytes / _MEGABYTE:,.1f}",
         f"{one.trials:,}"] for one in losing
    ]  # fmt: skip
    total = sum(one.size_bytes for one in losing) / _MEGABYTE
    console.table(f"{counted(len(losing), 'job')}, {total:,.1f} MB", columns, rows)
    for one in found:
        if one.kept:
            console.note(f"job {one.job} is left as it is: {one.kept}")


def _tell(found: Sequence[Relief], pruned: Sequence[Relief], *, as_json: bool) -> None:
    if as_json:
        console.emit_json({"pruned": [one.job for one in pruned], "jobs": found})
    elif pruned:
        console.text(
            f"pruned {counted(len(pruned), 'job')}: they cannot be resumed, and variants that lost their figures cannot be replayed"
        )
