"""Planning a fetch: exchange, markets and span are settled; the exchange is asked for nothing yet."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from cluster.jobs.fetch.settings import FetchRequest
from cluster.jobs.kind import JobSpec, PlanContext
from coinswarm import errors
from coinswarm.market import providers, symbols
from coinswarm.market.timeframe import DAY_MS, Timeframe


def plan(request: FetchRequest, _context: PlanContext) -> JobSpec:
    """Settle what is fetched.

    Raises:
        NotFound: there is no such exchange. InvalidArgument: a market or timeframe that is none, or a span without time.
    """
    providers.connect(request.exchange)
    now = int(time.time() * 1000)
    until = now if request.until_ts is None else request.until_ts
    since = max(0, until - request.days * DAY_MS) if request.since_ts is None else request.since_ts
    if since >= now:
        raise errors.InvalidArgument("--from must lie in the past", found=f"{since} ms")
    if since >= until:
        raise errors.InvalidArgument("a fetch needs a span of time", found=f"from {since} to {until} ms")
    settled = {
        "exchange": request.exchange.strip().lower(),
        "fetched": list(dict.fromkeys(map(symbols.canonical, request.markets))),
        "timeframe": str(Timeframe.parse(request.timeframe)),
        "from": since,
        "to": until,
        "patience_s": request.patience_s,
    }
    return JobSpec(settled=settled, campaign=request.campaign)


def cost(_settled: Mapping[str, Any]) -> float:
    """Nothing is computed."""
    return 0.0
