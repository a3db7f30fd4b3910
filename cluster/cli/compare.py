"""`coinswarm compare`: evaluations, or the best of searches, beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster import bootstrap
from cluster.cli import client, console, subjects
from cluster.queries import comparison
from coinswarm import codec, errors
from coinswarm.report import wording

if TYPE_CHECKING:
    from cluster.queries.comparison import Compared


def command(
    names: Annotated[
        list[str], typer.Argument(metavar="A B…", help="Evaluations or searches (their best), by their ids or the beginnings of them.")
    ],
    server: client.Server = None,
    as_json: console.AsJson = False,
) -> None:
    """Compare evaluations, or the best of searches: which settings and parameters differ, and every figure in and out of sample."""
    if len(names) < 2:
        raise errors.InvalidArgument("a comparison needs at least two evaluations or searches", found=", ".join(names))
    remote = client.wanted(console.settings(), server)
    found = _here(names) if remote is None else _there(remote, names)
    if as_json:
        console.emit_json(comparison.as_json(found))
    else:
        _show(found)


def _here(names: Sequence[str]) -> list[Compared]:
    with bootstrap.open_store(console.settings()) as store:
        records = [store.evaluation(subjects.here(store, name)) for name in names]
        return [comparison.compared(codec.plain(record), codec.plain(store.job(record.job))) for record in records]


def _there(remote: client.Client, names: Sequence[str]) -> list[Compared]:
    records = [remote.get(f"/api/v1/evaluations/{subjects.there(remote, name)}") for name in names]
    return [comparison.compared(record, remote.get(f"/api/v1/jobs/{record['job']}")) for record in records]


def _show(found: Sequence[Compared]) -> None:
    ids = [console.short(each.evaluation) for each in found]
    made = all(each.synthetic for each in found)
    rows = [[name, each.job, wording.number(each.fitness, digits=3)] for name, each in zip(ids, found, strict=True)]
    console.table(f"{len(found)} evaluations", ["id", "job", "fitness"], rows, synthetic=made)
    _differences("settings", "setting", ids, [each.settings for each in found])
    _differences("parameters", "parameter", ids, [each.params for each in found])
    for segment in comparison.SEGMENTS:
        columns = [wording.rows([each.figures[segment]], each.bar_minutes) for each in found]
        lines = [[cells[0][0], *(value for _, value in cells)] for cells in zip(*columns, strict=True)]
        console.table(segment.replace("_", " "), ["figure", *ids], lines)


def _differences(title: str, heading: str, ids: Sequence[str], tables: Sequence[Mapping[str, Any]]) -> None:
    found = comparison.differing(tables)
    if not found:
        console.text(f"{title}: all the same\n")
        return
    rows = [[name, *("" if value is None else wording.value(value) for value in values)] for name, values in found.items()]
    console.table(f"{title} that differ", [heading, *ids], rows)
