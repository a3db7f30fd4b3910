"""Runs every workload on one core and writes docs/benchmarks.md: `python -m tests.benchmarks.run`, with the extras group `peers`.

What is timed is first compared, trade for trade. Nothing here belongs to the tests: numbers depend on the machine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS"), "1"
)
QUIET = {"TQDM_DISABLE": "1", "RAPTORBT_NO_VERSION_CHECK": "1"}
ALONE = "COINSWARM_BENCH_ALONE"
DOCS = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


def alone() -> int:
    """Start over with one thread for every library, which they read when they are imported, and with nothing compiled before."""
    with tempfile.TemporaryDirectory(prefix="coinswarm-bench-") as compiled:
        settings = os.environ | ONE_THREAD | QUIET | {ALONE: "1", "NUMBA_CACHE_DIR": compiled}
        return subprocess.run([sys.executable, "-m", "tests.benchmarks.run", *sys.argv[1:]], env=settings, check=False).returncode


def main() -> int:
    """Measure, write, and say where."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--out", type=Path, default=DOCS)
    arguments.add_argument("--repeats", type=int, default=4)
    asked = arguments.parse_args()
    if ALONE not in os.environ:
        return alone()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    from tests.benchmarks import measuring, page

    asked.out.write_text(page.written(measuring.everything(asked.repeats, say=lambda line: sys.stderr.write(line + "\n"))))
    sys.stderr.write(f"{asked.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
