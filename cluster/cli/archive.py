"""`coinswarm archive`: the best variant of each kind that a job found, as a map."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from cluster import bootstrap
from cluster.cli import console
from coinswarm.printable import counted

if TYPE_CHECKING:
    from coinswarm.evolve.archive import Archive
    from coinswarm.ledger.records import Job
    from coinswarm.ledger.store import Store


def command(
    job: Annotated[str, typer.Argument(metavar="JOB", help="Id of a search, or its beginning.")],
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many rows under the map.", min=0, max=100_000)] = 20,
    html: Annotated[Path | None, typer.Option("--html", help="Write the map as one HTML file.")] = None,
    as_json: console.AsJson = False,
) -> None:
    """Show the best variant of each kind of behaviour: holding time, trades, exposure and win rate."""
    with bootstrap.open_store(console.settings()) as store:
        found = store.job(job)
        archives = _archives(store, found)
    for name, each in zip(_names(found), archives, strict=True):
        path = None if html is None else _write(found, name, each, html, many=len(archives) > 1)
        if not as_json:
            _show(found, name, each, limit)
            if path is not None:
                console.text(str(path))
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
    from coinswarm.report import kinds, wording

    found = kinds.survey(archive, TRADING)
    share = f"{counted(len(archive), 'kind')} of behaviour, {wording.percent(coverage(archive, TRADING), digits=1)} of the grid"
    headings = [f"{found.rows.name} \\ {found.columns.name}", *(f"{low:.3g}" for low, _ in kinds.edges(found.columns))]
    bounds = [f"{low:.3g}" for low, _ in reversed(kinds.edges(found.rows))]
    rows: list[list[Any]] = [
        [bound, *("·" if np.isnan(value) else wording.number(value) for value in best)]
        for bound, best in zip(bounds, found.best.tolist(), strict=True)
    ]
    console.table(f"{play} in {job.id}: {share}; best quality by behaviour", headings, rows, synthetic=job.synthetic)
    console.prose(f"{found.rows.name} downwards, {found.columns.name} to the right; a cell begins at the numbers of its row and column.")
    order = np.argsort(-archive.quality, kind="stable")[:limit]
    names = _evaluations(job, archive)
    cells: list[list[Any]] = [
        [
            console.short(names[k]),
            wording.number(float(archive.quality[k]), digits=3),
            *_behaviour(archive, k),
        ]
        for k in order.tolist()
    ]
    if cells:
        console.table(f"the best {counted(len(cells), 'kind')}", ["id", "quality", *(axis.name for axis in TRADING.descriptors)], cells)


def _behaviour(archive: Archive, row: int) -> list[str]:
    """Where a variant stands on each axis of the map; shares in percent, as other tables have them."""
    from coinswarm.evolve.behaviour import TRADING
    from coinswarm.report import wording

    named = zip((axis.name for axis in TRADING.descriptors), archive.descriptors[row].tolist(), strict=True)
    return [wording.figure(name, value, 1.0) if name in wording.FIGURES else f"{value:.3g}" for name, value in named]


def _write(job: Job, play: str, archive: Archive, path: Path, *, many: bool) -> Path:
    """Write one page; of several plays each has its own, with its name in the file's."""
    from coinswarm.evolve.behaviour import TRADING
    from coinswarm.report import kinds

    target = path.expanduser().absolute()
    target = target.with_stem(f"{target.stem}-{play}") if many else target
    return kinds.write(archive, TRADING, _evaluations(job, archive), target, title=f"{play}, {job.id}", synthetic=job.synthetic)
