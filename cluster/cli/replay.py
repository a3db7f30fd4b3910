"""`coinswarm replay`: recompute an evaluation and compare it to the last digit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster import bootstrap
from cluster.cli import console, subjects
from coinswarm import codec

if TYPE_CHECKING:
    from cluster.queries.replay import Replay


def command(
    evaluation: subjects.OfEvaluation,
    reference: Annotated[bool, typer.Option(help="Run the reference simulator beside the fast path.")] = True,
    as_json: console.AsJson = False,
) -> None:
    """Recompute an evaluation and compare every stored figure to the last digit. Exit code 1 when one differs."""
    settings = console.settings()
    bootstrap.prepare(settings)
    from cluster.queries import replay

    with bootstrap.open_store(settings) as store, bootstrap.local_evaluator(settings) as evaluator:
        found = replay.visit(store, subjects.here(store, evaluation), settings.bars_file)
        result = replay.replay(found, evaluator, reference=reference and replay.is_scored(found.record))
    if as_json:
        console.emit_json({"identical": not result.differences, **codec.plain(result)})
    else:
        _show(result)
    if result.differences:
        raise typer.Exit(1)


def _show(result: Replay) -> None:
    if not result.same_code:
        console.note("the code changed since this was computed; differences may come from that")
    if result.differences:
        rows: list[list[Any]] = [
            [one.data_set, one.segment, one.figure, repr(one.stored), repr(one.computed)] for one in result.differences
        ]
        console.table(f"{len(rows)} of {result.compared} figures differ", ["data set", "segment", "figure", "stored", "computed"], rows)
    else:
        console.text(f"evaluation {result.evaluation}: all {result.compared} figures are identical to the last digit")
    if not math.isnan(result.reference):
        where = f" ({result.reference_at})" if result.reference > 0 else ""
        console.text(f"reference simulator: largest relative difference {result.reference:.2g}{where}")
