"""Planning a count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster.jobs.count.settings import CountRequest

from cluster.jobs import markets
from cluster.jobs.kind import JobSpec, PlanContext
from cluster.jobs.markets import TimeSpan
from coinswarm.market.catalog import Catalog


def plan(request: CountRequest, context: PlanContext) -> JobSpec:
    """Settle a request: find the bars and write down which they are."""
    when = TimeSpan(split=context.campaigns.split(request.campaign)).fenced()
    with Catalog.open(context.bars_file, read_only=True) as catalog:
        bars = [when.read(catalog, key) for key in markets.keys(catalog, request.markets, None)]
    settled = {"markets": [markets.span(one) for one in bars], "pause_s": request.pause_s, "from": None, "to": when.end_ts}
    return JobSpec(settled=settled, campaign=request.campaign, data_sets=markets.records(bars))


def cost(settled: Mapping[str, Any]) -> float:
    """What is computed, in variant-bars."""
    return float(markets.n_bars(settled))
