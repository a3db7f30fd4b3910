"""`coinswarm archive`: the best variant of each kind that a job found, as a map."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from cluster import bootstrap
from cluster.cli import console

if TYPE_CHECKING:
    from coinswarm.evolve.archive import Archive
    from coinswarm.ledger.records import Job
    from coinswarm.ledger.store import Store


def command(
    job: Annotated[str, typer.Argument(help="A job's id or the beginning of it.")],
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many kinds are listed under the map.", min=0, max=100_000)] = 20,
    html: Annotated[Path | None, typer.Option("--html", help="Write the map as one HTML file.")] = None,
    as_json: console.AsJson = False,
) -> None:
    """The best variant of each kind: how long it holds, how often it trades, its exposure, and how often it wins."""
    with bootstrap.open_store(console.settings()) as store:
        found = store.job(job)
        archives = _archives(store, found)
    for name, each in zip(_names(found), archives, strict=True):
        path = None if html is None else _write(found, name, each, html, many=len(archives) > 1)
        if not as_json:
            _show(found, name, each, limit)
            console.text("" if path is None else str(path))
    if as_json:
        console.emit_json({"job": found.id, "synthetic": found.synthetic, "archives": _plain(found, archives)})


def _archives(store: Store, job: Job) -> tuple[Archive, ...]:
    """The archive of each play of a job, as of its last commit."""
    from cluster.jobs.evolve import checkpoint
    from coinswarm import errors
    from coinswarm.ledger.records import WHOLE_JOB

    newest = next((record for record in store.last_generations(job.id) if record.island == WHOLE_JOB), None)
    if newest is None or not newest.state:
        raise errors.NotFound(f"job {job.id} has no archive", hint="it has not told a generation yet, or it was pruned")
    return checkpoint.archives(newest.state)


def _names(job: Job) -> list[str]:
    return [entry["name"] for entry in job.config["plays"]]


def _evaluations(job: Job, archive: Archive) -> list[str]:
    from coinswarm.ledger.records import evaluation_id

    return [evaluation_id(job.id, name) for name in archive.identities.astype("U64").tolist()]


def _plain(job: Job, archives: tuple[Archive, ...]) -> list[dict[str, Any]]:
    from coinswarm.evolve.archive import coverage
    from coinswarm.evolve.behaviour import TRADING

    names = [axis.name for axis in TRADING.descriptors]
    return [
        {
            "play": play, "coverage": coverage(each, TRADING), "cells": TRADING.cells,
            "kinds": [
                {"evaluation": name, "cell": cell, "quality": quality, "behaviour": dict(zip(names, place, strict=True))}
                for name, cell, quality, place in zip(
                    _evaluations(job, each), each.cells.tolist(), each.quality.tolist(), each.descriptors.tolist(), strict=True
                )
            ],
        }
        for play, each in zip(_names(job), archives, strict=True)
    ]  # fmt: skip


def _show(job: Job, play: str, archive: Archive, limit: int) -> None:
    from coinswarm.evolve.archive import coverage
    from coinswarm.evolve.behaviour import TRADING
    from coinswarm.report import kinds

    found = kinds.survey(archive, TRADING)
    share = f"{len(archive)} kinds, {coverage(archive, TRADING):.1%} of the grid"
    headings = [f"{found.rows.name} \\ {found.columns.name}", *(kinds.span(*edge) for edge in kinds.edges(found.columns))]
    bounds = [kinds.span(*edge) for edge in reversed(kinds.edges(found.rows))]
    rows: list[list[Any]] = [
        [bound, *("·" if np.isnan(value) else f"{value:.2f}" for value in best)]
        for bound, best in zip(bounds, found.best.tolist(), strict=True)
    ]
    console.table(
        f"{job.id}: best of {play} by how long it holds and how often it trades; {share}", headings, rows, synthetic=job.synthetic
    )
    order = np.argsort(-archive.quality, kind="stable")[:limit]
    names = _evaluations(job, archive)
    cells: list[list[Any]] = [
        [names[k], f"{archive.quality[k]:.3f}", *(f"{value:.3g}" for value in archive.descriptors[k].tolist())] for k in order.tolist()
    ]
    if cells:
        console.table(f"the best {len(cells)} kinds", ["evaluation", "quality", *(axis.name for axis in TRADING.descriptors)], cells)


def _write(job: Job, play: str, archive: Archive, path: Path, *, many: bool) -> Path:
    """Write one page; of several plays each has its own, with its name in the file's."""
    from coinswarm.evolve.behaviour import TRADING
    from coinswarm.report import kinds

    target = path.expanduser().absolute()
    target = target.with_stem(f"{target.stem}-{play}") if many else target
    return kinds.write(archive, TRADING, _evaluations(job, archive), target, title=f"{play}, {job.id}", synthetic=job.synthetic)
