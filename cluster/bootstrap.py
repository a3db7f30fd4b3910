"""The one place that sees everything: builds stores, clusters and drivers from the settings of this machine and joins them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cluster import settings as machine
from cluster.settings import Settings

if TYPE_CHECKING:
    from cluster.driver.crew import Crew
    from cluster.driver.evaluator import Evaluator
    from cluster.driver.evolve import Ending
    from cluster.driver.plan import Plan
    from cluster.driver.progress import Watcher
    from cluster.driver.steps import Stages
    from cluster.workers.session import Session
    from coinswarm.ledger.store import Store

_STORE_PATIENCE_S = 2.0
"""How long the store itself waits for its server; beyond that the driver waits, and says so."""


def prepare(settings: Settings) -> dict[str, str]:
    """Set what libraries read when they are imported: where compiled kernels are kept, one thread a process, nothing reported home.

    Ray takes the loopback address on systems where it may not form clusters, which is what is wanted of a local one everywhere.

    Returns:
        What workers need set as well.
    """
    shared = {"NUMBA_CACHE_DIR": str(settings.numba_folder), "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    machine.announce({"RAY_USAGE_STATS_ENABLED": "0"})
    if not settings.ray_address:
        machine.announce({"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"})
    return machine.announce(shared)


def database_url(settings: Settings) -> str:
    """Address of the configured PostgreSQL, or of the embedded one, started when it is not running."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    from cluster.store import embedded

    machine.ensure_home(settings)
    return embedded.ensure(settings.postgres_folder)


@contextmanager
def open_store(settings: Settings) -> Iterator[Store]:
    """The store of this machine, closed at the end.

    Raises:
        Unavailable: the database does not answer.
    """
    from cluster.store.postgres import PostgresStore

    store = PostgresStore(database_url(settings), patience_s=_STORE_PATIENCE_S)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def open_cluster(settings: Settings, *, workers: int | None = None) -> Iterator[tuple[Evaluator, Session]]:
    """An evaluator on the configured Ray cluster, or on a local one that ends with the block."""
    variables = prepare(settings)
    machine.ensure_home(settings)
    from cluster.workers import session
    from cluster.workers.pool import RayEvaluator

    connected = session.connect(settings.ray_address, workers=workers or settings.workers, variables=variables)
    evaluator = RayEvaluator()
    try:
        yield evaluator, connected
    finally:
        evaluator.close()
        session.disconnect()


@contextmanager
def open_crew(settings: Settings, *, workers: int | None = None) -> Iterator[tuple[Crew, Session]]:
    """A crew on the configured Ray cluster, or on a local one that ends with the block."""
    variables = prepare(settings)
    machine.ensure_home(settings)
    from cluster.workers import session
    from cluster.workers.crew import RayCrew

    connected = session.connect(settings.ray_address, workers=workers or settings.workers, variables=variables)
    crew = RayCrew()
    try:
        yield crew, connected
    finally:
        crew.close()
        session.disconnect()


@contextmanager
def local_crew(settings: Settings) -> Iterator[Crew]:
    """A crew in this process."""
    prepare(settings)
    from cluster.workers.local_crew import LocalCrew

    yield LocalCrew()


@contextmanager
def local_evaluator(settings: Settings) -> Iterator[Evaluator]:
    """An evaluator in this process."""
    prepare(settings)
    from cluster.workers.local import LocalEvaluator

    evaluator = LocalEvaluator()
    try:
        yield evaluator
    finally:
        evaluator.close()


def warm(settings: Settings) -> float:
    """Compile the kernels into this machine's cache; the answer is how many seconds it took, few when they were there."""
    prepare(settings)
    machine.ensure_home(settings)
    from cluster.workers import warmup

    return warmup.warm()


def drive(store: Store, evaluator: Evaluator, plan: Plan, *, watcher: Watcher, stopped: Callable[[], bool]) -> Ending:
    """Claim a planned job and drive it to its end.

    Raises:
        Conflict: somebody else drives it.
    """
    from cluster.driver import patience, submit
    from cluster.driver.evolve import EvolveDriver

    lease = submit.claim(store, plan.job.id, lease_s=patience.LEASE_S)
    return EvolveDriver(store, evaluator, watcher=watcher, stopped=stopped).run(plan, lease)


def drive_steps(
    store: Store, job: str, stages: Stages, *, watcher: Watcher, stopped: Callable[[], bool], workers: Callable[[], int]
) -> Ending:
    """Claim a stored job that is made of steps and drive it to its end.

    Raises:
        Conflict: somebody else drives it.
    """
    from cluster.driver import patience, submit
    from cluster.driver.steps import StepDriver

    lease = submit.claim(store, job, lease_s=patience.LEASE_S)
    return StepDriver(store, watcher=watcher, stopped=stopped, workers=workers).run(job, lease, stages)


def detach(settings: Settings, job: str) -> int:
    """Drive a stored job in a process of its own that outlives this one; the answer is its process id.

    What it says goes to `logs/JOB.log` in the home folder.
    """
    folder = machine.ensure_home(settings) / "logs"
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-c", "from cluster.cli.app import main; main()", "jobs", "resume", job]
    with (folder / f"{job}.log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    return process.pid
