"""What an answer needs to be computed: plans, checks, reports and simulated runs. Called in processes of their own, never in the API's.

Each function takes what it may look at first, then plain values, and gives back something that can be sent between processes.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from cluster.driver.kinds import JobRequest
from cluster.driver.requests import Supplies
from coinswarm import errors
from coinswarm.ledger.patterns import PatternRecord
from coinswarm.ledger.queue import Submission

Form: TypeAlias = Literal["json", "parquet"]


def ready(supplies: Supplies) -> str:
    """Import what the other functions need, so that the first answer is as fast as the next; the answer is the code's version."""
    from cluster.driver import revisit, version  # noqa: F401 - imported to be there

    return version.code_version() if supplies else ""


def plan(supplies: Supplies, request: JobRequest, texts: tuple[str, ...]) -> Submission:
    """The job of a request with all that is stored for it.

    Raises:
        BadPlay, BadSetting, NotFound, SpanTooShort, InvalidArgument: what is asked for cannot be done.
    """
    found = request.planned(texts, supplies)
    return Submission(job=found.job, plays=found.plays, data_sets=found.data_sets)


def check_play(supplies: Supplies, text: str) -> dict[str, Any]:  # noqa: ARG001 - every function takes them
    """What a play's text says: its name, how many variants it spans, what a run must supply.

    Raises:
        BadPlay: every mistake, with line, rule and the nearest names.
    """
    from coinswarm import play
    from coinswarm.play import describe

    found = play.loads(text)
    return {
        "name": found.name,
        "size": None if math.isinf(found.space.size) else int(found.space.size),
        "dimensions": {dimension.path: dimension.text() for dimension in found.space.dimensions},
        "markets": list(found.symbols),
        "notes": [str(note) for note in found.notes],
        "text": describe.play(found),
    }


def data_sets(supplies: Supplies) -> list[dict[str, Any]]:
    """The bars that jobs can be run on."""
    from coinswarm.market.catalog import Catalog

    if not supplies.bars_file.exists():
        return []
    with Catalog.open(supplies.bars_file, read_only=True) as catalog:
        found = catalog.list()
    return [
        {
            "key": entry.key, "exchange": entry.exchange, "symbol": entry.symbol, "timeframe": str(entry.timeframe),
            "first_ts": entry.first_ts, "last_ts": entry.last_ts, "n_bars": entry.n_bars, "n_funding": entry.n_funding,
            "content_hash": entry.content_hash, "synthetic": entry.synthetic,
        }
        for entry in found
    ]  # fmt: skip


def report(supplies: Supplies, evaluation: str) -> str:
    """The report of an evaluation as one HTML page.

    Raises:
        NotFound: there is no such evaluation, or it failed and has nothing to show.
    """
    from cluster.driver import revisit
    from coinswarm.report import page

    found = scored(supplies, evaluation)
    trials = supplies.store.count_trials(found.job.campaign).trials
    return page.render(list(revisit.markets(found)), context=revisit.context(found, trials))


def job_report(supplies: Supplies, job: str, patterns: tuple[PatternRecord, ...]) -> str:
    """What a job found as one HTML page: the report card of a variant, or the patterns of a search.

    Raises:
        NotFound: there is no such job, or its kind has no report, or it has not ended.
    """
    known = supplies.store.job(job)
    if known.kind == "validate":
        from cluster.driver import validate
        from coinswarm.report import cards
        from coinswarm.validate import names

        return cards.render(validate.card_of(known), meanings=names.FIGURES)
    if known.kind == "discover":
        from cluster.driver import discover
        from coinswarm.report import patterns as page

        return page.render(discover.found_by(supplies.store, known.id)[1], patterns, job=known.id, synthetic=known.synthetic)
    raise errors.NotFound(f"a job of kind {known.kind} has no report of its own", hint="its evaluations have one each")


def pattern_play(supplies: Supplies, record: PatternRecord, hold_bars: int | None, side: str | None) -> str:  # noqa: ARG001 - see `check_play`
    """A pattern as a play.

    Raises:
        InvalidArgument: the hold or the side is not the pattern's, or it is not one of random trades.
    """
    from cluster.driver import discover

    return discover.play_of(record, hold_bars=hold_bars, side=None if side is None else (1 if side == "long" else -1))


def archive(supplies: Supplies, job: str) -> list[dict[str, Any]]:
    """The best variant of each kind that a job found, an entry a play.

    Raises:
        NotFound: there is no such job, or it has no archive.
    """
    from cluster.driver import checkpoint
    from coinswarm.evolve.archive import coverage
    from coinswarm.evolve.behaviour import TRADING
    from coinswarm.ledger.records import WHOLE_JOB, evaluation_id

    known = supplies.store.job(job)
    newest = next((record for record in supplies.store.last_generations(known.id) if record.island == WHOLE_JOB), None)
    if known.kind != "evolve" or newest is None or not newest.state:
        raise errors.NotFound(f"job {known.id} has no archive", hint="it has not told a generation yet, or it was pruned")
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


def trades(supplies: Supplies, evaluation: str, market: str | None, form: Form) -> bytes:
    """The trades of an evaluation on one market of its job, as JSON records or a Parquet file."""
    return _laid_out(_run(supplies, evaluation, market).trades, form)


def equity(supplies: Supplies, evaluation: str, market: str | None, form: Form) -> bytes:
    """The account value at the close of each bar, as JSON records with `close_ts` and `equity` or a Parquet file."""
    import polars as pl

    run = _run(supplies, evaluation, market)
    return _laid_out(pl.DataFrame({"close_ts": run.bars.close_ts, "equity": run.equity}), form)


def bars(supplies: Supplies, evaluation: str, market: str | None, form: Form) -> bytes:
    """The bars an evaluation was made on, with their open times in ms."""
    import polars as pl

    found = _run(supplies, evaluation, market).bars
    columns: Mapping[str, Any] = {name: getattr(found, name) for name in ("ts", "open", "high", "low", "close", "volume")}
    return _laid_out(pl.DataFrame(columns), form)


def scored(supplies: Supplies, evaluation: str) -> Any:
    """A stored evaluation with all that made it.

    Raises:
        NotFound: there is no such evaluation, or it failed and has nothing to show.
    """
    from cluster.driver import revisit

    found = revisit.visit(supplies.store, evaluation, supplies.bars_file)
    if not revisit.is_scored(found.record):
        raise errors.NotFound(
            f"evaluation {found.record.id} has nothing to show", hint=f"it is {found.record.status}: {found.record.reason}"
        )
    return found


def _run(supplies: Supplies, evaluation: str, market: str | None) -> Any:
    from cluster.driver import revisit

    found = scored(supplies, evaluation)
    keys = [source.key for source in found.plan.task.sources]
    return revisit.simulated(found, place(keys, market))


def place(keys: Sequence[str], market: str | None) -> int:
    """Which of the markets of a job is meant; the first when none is named.

    Raises:
        NotFound: it is none of them.
    """
    if market is not None and market not in keys:
        raise errors.not_found("market of this job", market, list(keys))
    return 0 if market is None else keys.index(market)


def _laid_out(frame: Any, form: Form) -> bytes:
    if form == "json":
        return str(frame.write_json()).encode()
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()
