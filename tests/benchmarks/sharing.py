"""Two jobs on the cluster of one service, beside one alone.

    python -m tests.benchmarks.sharing [--population 1000] [--generations 100] [--repeats 3] [--rest 30]

Starts the API and the driver service on a fresh database. After a first search, which waits for the cluster to start, and a rest of half a
minute, in which the service starts the worker processes that wait for jobs, searches run one alone and two at once with four small ones
beside them, in turns. Prints the seconds of each and the ratio, a line of JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from cluster.store import embedded
from tests.benchmarks.load_control import PLAY, Plane, finished, plane

SLOTS = 6
SMALL = {"population": 20, "generations": 2}


def submitted(there: Plane, search: dict[str, int], seed: int) -> str:
    """A search of its own campaign."""
    body = {
        "kind": "evolve", "plays": [{"text": PLAY}], "markets": [there.market], "baselines": False, "campaign": f"sharing-{seed}",
        "search": {**search, "constraints": [], "seed": seed},
    }  # fmt: skip
    with there.client as client:
        answer = client.post("/api/v1/jobs", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def seconds(there: Plane, searches: list[dict[str, int]], seeds: list[int]) -> tuple[float, set[str]]:
    """How long searches take that are submitted at once, and how they end."""
    began = time.perf_counter()
    jobs = [submitted(there, search, seed) for search, seed in zip(searches, seeds, strict=True)]
    ends = {finished(there, job)["status"] for job in jobs}
    return time.perf_counter() - began, ends


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--population", type=int, default=1000)
    parser.add_argument("--generations", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rest", type=float, default=30.0, help="seconds between the first search and the measured ones")
    asked = parser.parse_args()
    large = {"population": asked.population, "generations": asked.generations}
    alone, together, ends = list[float](), list[float](), set[str]()
    with tempfile.TemporaryDirectory(prefix="coinswarm-bench-") as name:
        folder = Path(name)
        url = embedded.ensure(folder / "pg")
        try:
            with plane(url, folder / "home", slots=SLOTS) as there:
                first, _ = seconds(there, [large], [0])
                time.sleep(asked.rest)
                for turn in range(asked.repeats):
                    took, seen = seconds(there, [large], [10 * turn + 1])
                    alone.append(took)
                    both, seen_too = seconds(there, [large, large, *[SMALL] * 4], [10 * turn + n for n in range(2, 8)])
                    together.append(both)
                    ends |= seen | seen_too
        finally:
            embedded.stop(folder / "pg", force=True)
    ratio = statistics.median(together) / statistics.median(alone)
    print(json.dumps({"first_s": first, "alone_s": alone, "together_s": together, "ratio": ratio, "ends": sorted(ends)}))  # noqa: T201


if __name__ == "__main__":
    main()
