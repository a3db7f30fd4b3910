"""What runs on the cluster: loading a market's bars, and scoring a batch of variants on them.

Both are tasks and not actors: the bars of a lost node are loaded again by lineage, and workers may join and leave at any time.
"""

from __future__ import annotations

from typing import Any

import ray

from cluster.compute import overtime, scoring
from cluster.compute.evaluator import Segment, Source, refuse_changed
from cluster.compute.ray import code
from cluster.compute.ray import startup as beginning

LOAD_RETRIES = 5


@ray.remote(num_cpus=0, max_retries=LOAD_RETRIES, num_returns=2)
def load_bars(driver_code: str, source: Source, segment: Segment) -> tuple[scoring.Columns, dict[str, Any]]:
    """Columns of a market, cut to what the segment may see before they leave this task, and how many bars that is."""
    code.refuse_other(driver_code)
    bars = segment.cut(refuse_changed(source, source.load()))
    return scoring.columns(bars), {"n_bars": len(bars), "symbol": bars.symbol, "synthetic": bars.synthetic}


@ray.remote(num_cpus=1, max_retries=0)
def score_batch(driver_code: str, limit_s: float, batch: scoring.Batch, *markets: scoring.Columns) -> scoring.Answer:
    """Score a batch on the first of `markets`, within `limit_s`. A death of the process is the evaluator's business: Ray does not retry."""
    beginning.ready(driver_code)
    with overtime.watched(limit_s):
        return scoring.score(batch, markets)
