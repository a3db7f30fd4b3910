"""Planning the calibration benchmark: the bars that worlds are made like, the play that is searched, the gates that judge."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cluster.compute.evaluator import BarSource
from cluster.compute.sources import CatalogSource, MemorySource
from cluster.jobs import markets
from cluster.jobs.honesty import NAME
from cluster.jobs.honesty.settings import SYNTHETIC, HonestyRequest
from cluster.jobs.kind import JobSpec, PlanContext
from coinswarm import errors
from coinswarm.chaos.settings import make
from coinswarm.market import symbols, synthetic
from coinswarm.market.bars import Bars
from coinswarm.market.catalog import Catalog
from coinswarm.market.timeframe import Timeframe
from coinswarm.validate import gates, worlds

TEMPLATE_SEED = 1
_TRADE_COST = 2000
"""A trade that is drawn and searched costs as much as this number of variant-bars."""


def plan(request: HonestyRequest, context: PlanContext) -> JobSpec:
    """Settle a run.

    Raises:
        InvalidArgument: a play is missing, or is given where none is evolved; a hold is none; or the markets do not fit together.
        NotFound: a market is not there.
    """
    check(request)
    settings = request.settings
    text = "".join(given.yaml for given in request.plays)
    template, spans = _template(context.bars_file, request.like, request.n_bars, request.markets)
    worlds.make("N0", [bars[:2] for bars in template], seed=0)
    return JobSpec(
        settled={
            "honesty": settings.model_dump(mode="json"), "play": text, "gates": gates.load().text if text else "", "like": spans,
            "n_bars": request.n_bars,
        },
        campaign=NAME,
        seed=settings.seed,
        data_sets=markets.records(template),
        synthetic=True,
    )  # fmt: skip


def check(request: HonestyRequest) -> None:
    """Refuse a play where none is evolved, or none where one is, and a hold that is none.

    Raises:
        InvalidArgument: it is.
    """
    if bool(request.plays) != (request.settings.pipeline == "evolve"):
        found = f"{len(request.plays)} plays for {request.settings.pipeline}"
        raise errors.InvalidArgument("the pipeline `evolve` needs a play, and `patterns` has none", found=found)
    make(hold=request.settings.patterns.hold)


def cost(settled: Mapping[str, Any]) -> float:
    """What is computed, in variant-bars."""
    asked = settled["honesty"]
    if asked["pipeline"] != "patterns":
        return math.inf
    return float(asked["worlds"] * len(asked["cells"]) * asked["patterns"]["trades"] * _TRADE_COST)


def sources(spans: Sequence[Mapping[str, Any]], bars_file: Path, n_bars: int) -> tuple[BarSource, ...]:
    """Where the bars are that worlds are made like: stored ones, or synthetic ones that are made again."""
    return tuple(
        CatalogSource(path=bars_file, key=span["key"], content_hash=span["content_hash"], end_ts=span["end_ts"])
        if span["stored"]
        else _synthetic(span["symbol"], n_bars)
        for span in spans
    )


def _template(catalog_path: Path, like: Sequence[str], n_bars: int, synthetics: int) -> tuple[list[Bars], list[Mapping[str, Any]]]:
    """The first bars of the markets, and how they are found again."""
    if like:
        with Catalog.open(catalog_path, read_only=True) as catalog:
            bars = [catalog.read(name)[:n_bars] for name in like]
    else:
        bars = [_synthetic(symbol, n_bars).bars for symbol in SYNTHETIC[:synthetics]]
    return bars, [_span(one, stored=bool(like)) for one in bars]


def _synthetic(symbol: str, n_bars: int) -> MemorySource:
    return MemorySource(bars=synthetic.market(symbols.canonical(symbol), Timeframe.parse("5m"), n_bars, seed=TEMPLATE_SEED))


def _span(bars: Bars, *, stored: bool) -> dict[str, Any]:
    end = int(bars.close_ts[-1])
    return {"key": bars.key, "symbol": bars.symbol, "content_hash": bars.content_hash, "end_ts": end, "n_bars": len(bars), "stored": stored}
