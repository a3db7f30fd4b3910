"""What drills are planned and judged by: every kind of process has its turn, and growth is told from noise."""

from __future__ import annotations

from itertools import islice

import numpy as np
import psutil
import pytest

from tests.drills import faults, processes, steady
from tests.drills.processes import Found
from tests.drills.steady import Sample, Trend

DRILLED = [kind for kind in processes.KINDS if kind.drilled]
EVERY = sum(len(kind.sides) * (3 if kind.twice else 2) for kind in DRILLED)


def test_a_plan_does_everything_to_every_kind_before_it_does_anything_twice() -> None:
    done = [(fault.kind, fault.side, fault.action) for fault in islice(faults.plan(seed=3), EVERY)]
    assert len(set(done)) == EVERY
    assert {kind for kind, _, _ in done} == {kind.name for kind in DRILLED}


def test_a_plan_is_drawn_from_its_seed() -> None:
    first, again, other = (list(islice(faults.plan(seed=seed), 30)) for seed in (3, 3, 4))
    assert first == again != other


def test_what_needs_a_cluster_is_hit_while_a_job_of_that_size_runs() -> None:
    drawn = [fault for fault in islice(faults.plan(seed=0), 2 * EVERY) if fault.side == "serve" and fault.kind == "raylet"]
    assert {fault.example.size for fault in drawn} == {"cluster"}


def test_everything_that_is_started_twice_is_known() -> None:
    assert {kind.twice for kind in DRILLED} - {""} == set(faults.SECONDS)


@pytest.mark.parametrize(
    ("words", "job", "kind"),
    [
        ("python -P -c from cluster.cli.app import main; main() serve --port 1", "", "API server"),
        ("python -P -m cluster.run.worker", "evolve-1", "worker process at work"),
        ("python -P -m cluster.run.worker", "", "idle worker process"),
        ("postgres: coinswarm coinswarm 127.0.0.1(1) idle", "", "PostgreSQL backend"),
        ("postgres: checkpointer ", "", "PostgreSQL background process"),
        ("ray::DashboardAgent", "", "Ray dashboard agent"),
        ("ray::IDLE", "", "Ray worker"),
        ("python somewhere.py", "", processes.UNKNOWN),
    ],
)
def test_a_process_is_told_by_its_command_line(words: str, job: str, kind: str) -> None:
    assert Found(process=psutil.Process(), words=words, side="serve", job=job).kind == kind


def looks(memory: np.ndarray) -> list[Sample]:
    """A look every ten seconds of a server with so many bytes of memory."""
    return [
        Sample(
            at_s=10.0 * place, pss={"API server": int(size)}, shared={}, rss={}, count={"API server": 1}, handles={"API server": 20},
            most_handles=20, connections=5, log_bytes=1000 * place, log_files=3, jobs=place,
        )
        for place, size in enumerate(memory)
    ]  # fmt: skip


def of_memory(memory: np.ndarray) -> Trend:
    return next(trend for trend in steady.trends(looks(memory)) if trend.what.startswith("memory of serve"))


def test_memory_that_wavers_is_flat() -> None:
    noise = np.random.default_rng(0).normal(0.0, 3e7, 360)
    trend = of_memory(4e8 + noise)
    assert (trend.is_flat, trend.holds) == (True, True)


def test_memory_that_grows_by_100_mb_an_hour_is_not_flat() -> None:
    trend = of_memory(4e8 + np.linspace(0.0, 1e8, 360))
    assert (trend.is_flat, trend.holds) == (False, False)
    assert trend.in_a_day == pytest.approx(2800, rel=0.1)


def test_what_grows_only_while_it_warms_up_is_flat() -> None:
    memory = np.full(360, 4e8)
    memory[:50] = np.linspace(1e8, 4e8, 50)
    assert of_memory(memory).is_flat
