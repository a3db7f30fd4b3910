"""One measurement in a process of its own: a start, or the memory of one batch. Prints one line of JSON."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

BEGAN, BEGAN_CPU = time.perf_counter(), time.process_time()


def start() -> dict[str, float]:
    """Import to the first score."""
    from tests.benchmarks import workloads

    workload = workloads.load("W1").of(n_variants=1)
    workload.fresh().score(workload.genomes)
    return {"wall_s": time.perf_counter() - BEGAN, "cpu_s": time.process_time() - BEGAN_CPU}


def memory(times: int, n_variants: int) -> dict[str, float]:
    """Peak resident memory of scoring W1 on repeated bars, above what the process holds with its bars and compiled code."""
    from tests.benchmarks import workloads

    workload = workloads.load("W1").of(n_variants=n_variants)
    workload.of(n_variants=2, bars=workload.bars[:2000]).fresh().score(workload.genomes[:2])
    workload = workload.of(bars=workloads.repeated(workload.bars, times))
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before = _status("VmRSS")
    scorer = workload.fresh()
    scores = scorer.score(workload.genomes)
    bars = workload.bars
    return {
        "reused": scorer.outcomes_reused,
        "peak_bytes": _status("VmHWM") - before,
        "bars_bytes": sum(column.nbytes for column in (bars.ts, bars.open, bars.high, bars.low, bars.close, bars.volume)),
        "variant_trades": float((scores["n_trades"] + scores["n_open"]).sum()),
    }


def _status(name: str) -> int:
    return 1024 * int(re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text()).group(1))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(start() if sys.argv[1] == "start" else memory(int(sys.argv[2]), int(sys.argv[3]))) + "\n")
