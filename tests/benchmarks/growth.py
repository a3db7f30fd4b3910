"""W6: how time and memory grow with bars and variants; and what a start costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass

from tests.benchmarks import clock, workloads
from tests.benchmarks.workloads import Workload

BARS, VARIANTS = (1, 2, 4, 8), (256, 1024, 4096)


@dataclass(frozen=True, kw_only=True)
class Size:
    """One size of W6: its cold time, the share of trades whose outcome another variant had paid for, and the memory it took."""

    bars: int
    variants: int
    time: clock.Timing
    reused: float
    peak_bytes: int
    bars_bytes: int
    variant_trades: int

    @property
    def allowed_bytes(self) -> int:
        """Four times the bars plus 100 bytes a variant-trade."""
        return 4 * self.bars_bytes + 100 * self.variant_trades


def measure(*arguments: str, **environment: str) -> dict[str, float]:
    """What one process of `tests.benchmarks.process` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.process", *arguments],
        env=os.environ | environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def starts() -> tuple[dict[str, float], dict[str, float]]:
    """The first process of a machine, which compiles, and the best of three later ones."""
    with tempfile.TemporaryDirectory(prefix="coinswarm-bench-") as folder:
        first = measure("start", NUMBA_CACHE_DIR=folder)
        later = [measure("start", NUMBA_CACHE_DIR=folder) for _ in range(3)]
    return first, {name: min(one[name] for one in later) for name in first}


def sizes(workload: Workload, repeats: int) -> list[Size]:
    """Bars x1 .. x8 at the most variants, then variants x1 .. x16 at bars x1."""
    wanted = [(times, VARIANTS[-1]) for times in BARS] + [(1, n) for n in VARIANTS]
    return [_size(workload, times, n, repeats) for times, n in wanted]


def _size(workload: Workload, times: int, n_variants: int, repeats: int) -> Size:
    part = workload.of(n_variants=n_variants, bars=workloads.repeated(workload.bars, times))
    timing = clock.in_turn({"cold": part.cold}, repeats)["cold"]
    memory = measure("memory", str(times), str(n_variants))
    counts = {name: int(memory[name]) for name in ("peak_bytes", "bars_bytes", "variant_trades")}
    return Size(bars=len(part.bars), variants=n_variants, time=timing, reused=memory["reused"], **counts)
