"""`coinswarm show`: one evaluation with its parameters, its figures in and out of sample, and its equity curve."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster import bootstrap
from cluster.cli import client, console

if TYPE_CHECKING:
    from cluster.driver.revisit import Visit


def command(
    evaluation: Annotated[str, typer.Argument(help="An evaluation's id or the beginning of it.")],
    server: client.Server = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """One evaluation: parameters, figures, equity curve."""
    settings = console.settings()
    remote = client.wanted(settings, server)
    if remote is not None:
        _remote(remote, evaluation, as_json=as_json)
        return
    bootstrap.prepare(settings)
    from cluster.driver import revisit

    with bootstrap.open_store(settings) as store:
        found = revisit.visit(store, evaluation, settings.bars_file)
        ancestors = store.lineage(found.record.id)
    if as_json:
        console.emit_json({"evaluation": found.record, "seed": found.job.seed, "ancestors": ancestors})
        return
    _origin(found, len(ancestors) - 1)
    _figures(found)
    if revisit.is_scored(found.record):
        _curves(found)


def _origin(found: Visit, ancestors: int) -> None:
    record = found.record
    facts: list[list[Any]] = [
        ["job", f"{record.job}  (campaign {record.campaign}, seed {record.seed})"],
        ["variant", record.variant],
        ["status", f"{record.status} {record.reason}".strip()],
        ["born", f"island {record.island}, generation {record.generation}, by {record.operator}, {ancestors} ancestors"],
        ["code", record.code_version],
        *([name, value] for name, value in record.params.items()),
    ]
    console.table(f"evaluation {record.id}", ["what", "value"], facts, synthetic=record.synthetic)


def _figures(found: Visit) -> None:
    from coinswarm.metrics.figures import FIGURES

    scores = found.record.scores
    headings = ["figure", *(f"{score.data_set} {score.segment.replace('_', ' ')}" for score in scores)]
    rows: list[list[Any]] = [[name, *(f"{score.figures[name]:.6g}" for score in scores)] for name in FIGURES]
    console.table("figures", headings, rows, synthetic=found.record.synthetic)


def _curves(found: Visit) -> None:
    from cluster.driver import revisit
    from coinswarm.report import terminal

    width = min(shutil.get_terminal_size((100, 24)).columns, 120)
    for number, source in enumerate(found.plan.task.sources):
        run = revisit.simulated(found, number)
        console.text(
            f"\n{source.key}: equity over all bars; the part held out begins {console.moment(found.plan.task.split_ts) or 'nowhere'}"
        )
        console.text(terminal.equity_curve(run.bars.close_ts, run.equity, run.account.starting_equity, width=width))


def _remote(remote: client.Client, evaluation: str, *, as_json: bool) -> None:
    """What a control plane tells of an evaluation; its curve is in the report."""
    from coinswarm.metrics.figures import FIGURES

    found = remote.get(f"/api/v1/evaluations/{evaluation}")
    ancestors = remote.get(f"/api/v1/evaluations/{found['id']}/lineage")
    if as_json:
        console.emit_json({"evaluation": found, "seed": found["seed"], "ancestors": ancestors})
        return
    names = ("job", "variant", "status", "reason", "island", "generation", "operator", "code_version")
    facts: list[list[Any]] = [*([name, found[name]] for name in names), ["ancestors", len(ancestors) - 1], *found["params"].items()]
    console.table(f"evaluation {found['id']}", ["what", "value"], facts, synthetic=found["synthetic"])
    headings = ["figure", *(f"{score['data_set']} {score['segment'].replace('_', ' ')}" for score in found["scores"])]
    rows: list[list[Any]] = [[name, *(_figure(score["figures"][name]) for score in found["scores"])] for name in FIGURES]
    console.table("figures", headings, rows, synthetic=found["synthetic"])


def _figure(value: float | None) -> str:
    return "nan" if value is None else f"{value:.6g}"
