"""What runs on the cluster: loading a market's bars, and calling a function with them.

Both are tasks and not actors: the bars of a lost node are loaded again by lineage, and workers may join and leave at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import ray

from cluster.compute import columns
from cluster.compute.columns import Columns
from cluster.compute.evaluator import BarSource, TimeSegment
from cluster.compute.ray import code, overtime, startup

LOAD_RETRIES = 5


@ray.remote(num_cpus=0, max_retries=LOAD_RETRIES, num_returns=2)
def load_bars(driver_code: str, source: BarSource, segment: TimeSegment) -> tuple[Columns, int]:
    """Columns of a market, cut to what the segment may see before they leave this task; and how many bars, to wait for without them."""
    code.refuse_other(driver_code)
    bars = segment.load(source)
    return columns.columns(bars), len(bars)


@ray.remote(num_cpus=1, max_retries=0)
def call(driver_code: str, function: Callable[..., Any], limit_s: float | None, item: Any, *markets: Columns) -> Any:
    """Call a function with an item and bars, within `limit_s`. A death of the process is the executor's business: Ray does not retry."""
    startup.ready(driver_code)
    with overtime.watched(limit_s):
        return function(item, *(columns.rebuilt(market) for market in markets))


@lru_cache
def titled(title: str) -> Any:
    """`call` under the name of what is called: the processes and Ray's dashboard show it."""
    return call.options(name=title)
