"""What an answer needs to be computed: plans, checks, reports and simulated runs. Called in processes of their own, never in the API's.

Each function takes what it may look at first, then plain values, and gives back something that can be sent between processes.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from cluster.jobs import evolve, registry, spec
from cluster.jobs.kind import PlanContext, Planned
from cluster.jobs.report import html
from cluster.jobs.settings import JobSettings
from coinswarm import errors
from coinswarm.ledger.patterns import PatternRecord
from coinswarm.play.runs import Side

if TYPE_CHECKING:
    from cluster.queries.replay import Visit
    from coinswarm.ledger.campaigns import VaultOpening
    from coinswarm.market import export
    from coinswarm.play.model import Play

Form: TypeAlias = Literal["json", "parquet", "csv"]


def ready(context: PlanContext) -> str:
    """Import what the other functions need, so that the first answer is as fast as the next; the answer is the code's version."""
    from cluster import version
    from cluster.queries import replay  # noqa: F401 - imported to be there

    return version.code_version() if context else ""


def plan(context: PlanContext, request: JobSettings) -> Planned:
    """The job of a request with all that is stored for it.

    Raises:
        BadPlay, BadSetting, NotFound, SpanTooShort, InvalidArgument, Refused: what is asked for cannot be done.
        Conflict: another job has done the same, or is doing it.
    """
    made = spec.planned(request, context, datetime.now(UTC))
    spec.refuse_repeated(registry.of(made.job).repeated(made, context))
    return made


def check_play(context: PlanContext, text: str) -> dict[str, Any]:  # noqa: ARG001 - every function takes them
    """What a play's text says: its name, how many variants it spans, what a run must supply.

    Raises:
        BadPlay: every mistake, with line, rule and the nearest names.
    """
    from coinswarm import play
    from coinswarm.play import describe

    found = play.loads(text)
    return {
        "name": found.name,
        **_size(found),
        "dimensions": {dimension.path: dimension.text() for dimension in found.space.dimensions},
        "markets": list(found.symbols),
        "notes": [str(note) for note in found.notes],
        "text": describe.play(found),
    }


def _size(found: Play) -> dict[str, Any]:
    """How many variants a play spans, None for infinitely many, and whether that is all of them or a bound."""
    return {
        "size": None if math.isinf(found.space.size) else int(found.space.size),
        "size_is_exact": not found.space.size_is_bound,
    }


@lru_cache(maxsize=10_000)
def _size_of(text: str) -> dict[str, Any]:
    from coinswarm import play

    try:
        return {**_size(play.loads(text)), "problem": ""}
    except errors.BadPlay as problem:
        return {"size": None, "size_is_exact": False, "problem": str(problem)}


def play_sizes(context: PlanContext, hashes: Sequence[str]) -> list[dict[str, Any]]:
    """How many variants each stored play spans; `problem` says why one cannot be read by this version of the language."""
    return [_size_of(context.store.play(sha256).text) for sha256 in hashes]


def data_sets(context: PlanContext) -> list[dict[str, Any]]:
    """The bars that jobs can be run on."""
    from coinswarm.market.catalog import Catalog

    if not context.bars_file.exists():
        return []
    with Catalog.open(context.bars_file, read_only=True) as catalog:
        found = catalog.list()
    return [
        {
            "key": entry.key, "exchange": entry.exchange, "symbol": entry.symbol, "timeframe": str(entry.timeframe),
            "first_ts": entry.first_ts, "last_ts": entry.last_ts, "n_bars": entry.n_bars, "n_funding": entry.n_funding,
            "content_hash": entry.content_hash, "synthetic": entry.synthetic,
        }
        for entry in found
    ]  # fmt: skip


def export_bars(context: PlanContext, key: str, form: export.Form, part: export.Part) -> tuple[str, bytes]:
    """A data set, or the funding of it, as a file, with a name that tells the market.

    Raises:
        NotFound: there is no such data set, or it has no funding.
    """
    from coinswarm.market import export
    from coinswarm.market.catalog import Catalog

    with Catalog.open(context.bars_file, read_only=True) as catalog:
        found = catalog.read(key)
    if part == "funding" and not found.funding_ts.size:
        raise errors.NotFound(f"{found.key} has no funding", hint="only perpetuals have")
    return export.file_name(found, form, part), export.content(found, form, part)


def remove_bars(context: PlanContext, key: str, anyway: bool) -> dict[str, Any]:
    """Take a data set away; the answer says which jobs can no longer be replayed.

    Raises:
        NotFound: there is none. Conflict: a job that has not ended needs it, or others used it and `anyway` is not said.
    """
    from cluster.queries import data_sets

    return data_sets.removed(context.store, context.campaigns, context.bars_file, key, anyway=anyway)


def report(context: PlanContext, evaluation: str) -> str:
    """The report of an evaluation as one HTML page.

    Raises:
        NotFound: there is no such evaluation, or it failed and has nothing to show.
    """
    from cluster.queries import replay
    from coinswarm.report import page

    found = scored(context, evaluation)
    trials = context.store.count_trials(found.job.campaign).trials
    return page.render(list(replay.markets(found)), context=replay.context(found, trials))


def job_report(context: PlanContext, job: str) -> str:
    """What a job came to as one HTML page.

    Raises:
        NotFound: there is no such job, or it has found nothing yet.
    """
    known = context.store.job(job)
    found = registry.report(known, context)
    if not found.parts and found.page is None:
        raise errors.NotFound(f"job {known.id} has nothing to report yet", found=known.status)
    return html(found, known.id)


def pattern_play(context: PlanContext, record: PatternRecord, hold_bars: int | None, side: str | None) -> str:  # noqa: ARG001 - see `check_play`
    """A pattern as a play.

    Raises:
        InvalidArgument: the hold or the side is not the pattern's, or it is not one of random trades.
    """
    from cluster.queries import patterns

    return patterns.play_of(record, hold_bars=hold_bars, side=None if side is None else (1 if side == "long" else -1))


def archive(context: PlanContext, job: str) -> list[dict[str, Any]]:
    """The best variant of each kind that a job found, an entry a play.

    Raises:
        NotFound: there is no such job, or it has no archive.
    """
    from cluster.jobs.evolve import checkpoint
    from coinswarm.evolve.archive import coverage
    from coinswarm.evolve.behaviour import TRADING
    from coinswarm.ledger.records import WHOLE_JOB, evaluation_id

    known = context.store.job(job)
    newest = next((record for record in context.store.last_generations(known.id) if record.island == WHOLE_JOB), None)
    if known.kind != evolve.NAME or newest is None or not newest.state:
        raise errors.NotFound(f"job {known.id} has no archive", hint="it has committed no generation yet, or it was pruned")
    axes = [axis.name for axis in TRADING.descriptors]
    return [
        {
            "play": described["name"], "coverage": coverage(each, TRADING), "cells": TRADING.cells, "axes": axes,
            "grid": [axis.model_dump() for axis in TRADING.descriptors],
            "kinds": [
                {"evaluation": evaluation_id(known.id, name), "cell": cell, "quality": quality, "behaviour": place}
                for name, cell, quality, place in zip(
                    each.identities.astype("U64").tolist(), each.cells.tolist(), each.quality.tolist(), each.descriptors.tolist(),
                    strict=True,
                )
            ],
        }
        for described, each in zip(known.config["plays"], checkpoint.archives(newest.state), strict=True)
    ]  # fmt: skip


def play_of(context: PlanContext, evaluation: str) -> str:
    """An evaluation as a play in YAML in which nothing varies; it says where it comes from, and that no gate has passed it.

    Raises:
        NotFound: there is no such evaluation. Refused: it cannot be written so that it reads back as itself.
    """
    from cluster.queries import replay

    found = replay.visit(context.store, evaluation, context.bars_file)
    return replay.exported(found, context.store.count_trials(found.job.campaign).trials)


def rules_of(context: PlanContext, evaluation: str) -> str:
    """The rules of an evaluation in words, with every number fixed.

    Raises:
        NotFound: there is no such evaluation.
    """
    from cluster.queries import replay
    from coinswarm.play import describe, variants

    found = replay.visit(context.store, evaluation, context.bars_file)
    return describe.play(variants.fix(found.setup.play, found.genome))


def open_vault(context: PlanContext, evaluation: str, who: str, why: str, anyway: bool) -> VaultOpening:
    """Judge an evaluation on its campaign's vault, in this process.

    Raises:
        NotFound, Refused, Conflict: as `cluster.queries.vaults.look`.
    """
    from cluster.compute.batching import BatchEvaluator
    from cluster.compute.local import LocalExecutor
    from cluster.queries import vaults

    evaluator = BatchEvaluator(LocalExecutor())
    return vaults.look(
        context.store, context.campaigns, evaluator, evaluation, context.bars_file, who=who, why=why, anyway=anyway
    )  # fmt: skip


def trades(context: PlanContext, evaluation: str, market: str | None, form: Form, side: Side | None = None) -> bytes:
    """The trades of an evaluation on one market of its job; with a `side`, those of its play trading that side alone."""
    return laid_out(_run(context, evaluation, market, side).trades, form)


def equity(context: PlanContext, evaluation: str, market: str | None, form: Form, side: Side | None = None) -> bytes:
    """The account at the close of each bar: `close_ts` in ms, `equity` and `position`; `side` as in `trades`."""
    import polars as pl

    run = _run(context, evaluation, market, side)
    return laid_out(pl.DataFrame({"close_ts": run.bars.close_ts, "equity": run.equity, "position": run.position}), form)


def bars(context: PlanContext, evaluation: str, market: str | None, form: Form) -> bytes:
    """The bars an evaluation was made on, with their open times in ms."""
    import polars as pl

    found = _run(context, evaluation, market).bars
    columns: Mapping[str, Any] = {name: getattr(found, name) for name in ("ts", "open", "high", "low", "close", "volume")}
    return laid_out(pl.DataFrame(columns), form)


def scored(context: PlanContext, evaluation: str) -> Any:
    """A stored evaluation with all that made it.

    Raises:
        NotFound: there is no such evaluation, or it failed and has nothing to show.
    """
    from cluster.queries import replay

    found = replay.visit(context.store, evaluation, context.bars_file)
    require_scored(found)
    return found


def require_scored(found: Visit) -> None:
    """Raise `NotFound` for an evaluation that failed and has nothing to show."""
    from cluster.queries import replay

    if not replay.is_scored(found.record):
        raise errors.NotFound(
            f"evaluation {found.record.id} has nothing to show", hint=f"it is {found.record.status}: {found.record.reason}"
        )


def _run(context: PlanContext, evaluation: str, market: str | None, side: Side | None = None) -> Any:
    from cluster.queries import replay

    found = scored(context, evaluation)
    keys = [source.key for source in found.plan.task.sources]
    return replay.simulated(found, place(keys, market), side=side)


def place(keys: Sequence[str], market: str | None) -> int:
    """Which of the markets of a job is meant; the first when none is named.

    Raises:
        NotFound: it is none of them.
    """
    if market is not None and market not in keys:
        raise errors.not_found("market of this job", market, list(keys))
    return 0 if market is None else keys.index(market)


def laid_out(frame: Any, form: Form) -> bytes:
    """A table as JSON records, a Parquet file or CSV."""
    if form == "json":
        return str(frame.write_json()).encode()
    if form == "csv":
        return str(frame.write_csv()).encode()
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()
