"""Runs every workload on one core and writes docs/benchmarks.md: `python -m tests.benchmarks.run`, with the extras group `peers`.

What is timed is first compared, trade for trade. Nothing here belongs to the tests: numbers depend on the machine.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS"), "1"
)
QUIET = {"TQDM_DISABLE": "1", "RAPTORBT_NO_VERSION_CHECK": "1"}
DOCS = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


def on_one_core() -> None:
    """Start over with one thread for every library, which they read when they are imported, and stay on one core."""
    if "NUMBA_NUM_THREADS" not in os.environ or os.environ["NUMBA_NUM_THREADS"] != "1":
        os.execve(sys.executable, [sys.executable, "-m", "tests.benchmarks.run", *sys.argv[1:]], os.environ | ONE_THREAD | QUIET)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def main() -> None:
    """Measure, write, and say where."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--out", type=Path, default=DOCS)
    arguments.add_argument("--repeats", type=int, default=4)
    asked = arguments.parse_args()
    on_one_core()
    from tests.benchmarks import measuring, page

    asked.out.write_text(page.written(measuring.everything(asked.repeats, say=lambda line: sys.stderr.write(line + "\n"))))
    sys.stderr.write(f"{asked.out}\n")


if __name__ == "__main__":
    main()
