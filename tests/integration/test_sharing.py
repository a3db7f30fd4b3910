"""Larger jobs of one service share a cluster: one job of Ray, workers that last, and a process that has it and may die."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from cluster import bootstrap, machine
from cluster.machine import MachineSettings
from tests.integration.cancel_world import KERNELS
from tests.integration.evolve_world import World
from tests.integration.test_control_service import hash_of, own_settings, submissions

__all__ = ["own_settings"]


@contextmanager
def service(settings: MachineSettings) -> Iterator[psutil.Process]:
    """A driver service that runs three jobs at one time, on a cluster of two processors."""
    environment = {**machine.inherited(settings.model_copy(update={"workers": 2})), "NUMBA_CACHE_DIR": str(KERNELS)}
    process = subprocess.Popen([*bootstrap.COMMAND, "serve", "--driver-only", "--slots", "3"], env=environment, stdin=subprocess.DEVNULL)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(60)


def hosts(of: psutil.Process) -> list[psutil.Process]:
    return [child for child in of.children() if bootstrap.HOST[-1] in child.cmdline()]


def workers(of: psutil.Process) -> set[int]:
    """Processes of the cluster that compute."""
    return {child.pid for host in hosts(of) for child in host.children(recursive=True) if "scoring.score" in child.name()}


def test_two_searches_share_one_cluster_and_outlive_the_process_that_has_it(own_settings: MachineSettings, small_world: World) -> None:
    large = [submissions(own_settings, small_world, 1, population=1000, generations=60, seed=seed)[0] for seed in (1, 2)]
    jobs = [*large, *submissions(own_settings, small_world, 1, seed=3)]
    computed, killed = set[int](), list[psutil.Process]()
    with bootstrap.open_queue(own_settings) as (queue, _), bootstrap.open_store(own_settings) as store:
        for job in jobs:
            queue.submit(job)
        with service(own_settings) as running:
            while not all(store.status(job.job.id) == "done" for job in jobs):
                begun = [len(store.generations(job.job.id)) for job in large]
                if not killed:
                    computed |= workers(running)
                if not killed and min(begun) >= 5:
                    killed = hosts(running)
                    killed[0].kill()
                time.sleep(0.1)
        found = {job.job.id: store.job(job.job.id).result_hash for job in jobs}
    assert len(killed) == 1
    assert len(computed) <= 3, "workers of the cluster were ended and started"
    assert found == {job.job.id: hash_of(job, small_world) for job in jobs}
