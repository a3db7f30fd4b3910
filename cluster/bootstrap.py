"""The one place that sees everything: builds stores, clusters and drivers from the settings of this machine and joins them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from cluster import machine, private
from cluster.machine import MachineSettings

if TYPE_CHECKING:
    from cluster.api.context import ApiContext, Limits
    from cluster.compute.evaluator import Evaluator
    from cluster.compute.executor import Executor
    from cluster.compute.ray.nodes import ClusterNode
    from cluster.compute.ray.session import RaySession
    from cluster.jobs.kind import PlanContext
    from cluster.run.runner import Runner
    from cluster.run.service import Service
    from cluster.store.clients import Role
    from cluster.store.database import Database
    from cluster.store.repositories import Repositories
    from coinswarm.ledger.access import Access
    from coinswarm.ledger.campaigns import Campaigns
    from coinswarm.ledger.chaos import ChaosStore
    from coinswarm.ledger.patterns import PatternStore
    from coinswarm.ledger.queue import Queue
    from coinswarm.ledger.store import Store

COMMAND = (sys.executable, "-P", "-c", "from cluster.cli.app import main; main()")
"""Starts the command line of this installation in a process of its own. `-P`: modules of the working directory are not imported."""

WORKER = (sys.executable, "-P", "-m", "cluster.run.worker")
"""Starts a process that runs jobs. `-P`: modules of the working directory are not imported."""
DRIVER = (sys.executable, "-P", "-m", "cluster.run.driver")
"""Starts a process that takes jobs from the queue."""
_HERE = "this process"
_STORE_PATIENCE_S = 2.0
"""How long the store itself waits for its server; beyond that the driver waits, and says so."""


def prepare(settings: MachineSettings) -> dict[str, str]:
    """Set what libraries read when they are imported: where compiled kernels are kept, one thread a process, nothing reported home.

    Ray takes the loopback address on systems where it may not form clusters, which is what is wanted of a local one everywhere.

    Returns:
        What workers need set as well.
    """
    machine.announce({"RAY_USAGE_STATS_ENABLED": "0"})
    if not settings.ray_address:
        machine.announce({"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"})
    return prepare_libraries(settings)


def prepare_libraries(settings: MachineSettings) -> dict[str, str]:
    """Set where compiled kernels are kept, and one thread a process; Numba reads the folder when it is first imported and never again."""
    folder = {"NUMBA_CACHE_DIR": str(settings.numba_folder)}
    return machine.announce({**folder, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})


def database_url(settings: MachineSettings) -> str:
    """Address of the configured PostgreSQL, or of the embedded one, started when it is not running."""
    if (address := settings.database_address) is not None:
        return address
    from cluster.store import embedded

    machine.ensure_home(settings)
    return embedded.ensure(settings.postgres_folder)


def client_url(settings: MachineSettings, *, role: Role, password: bool) -> str:
    """Address of the database for a person's programs; the password is in it only when it is asked for.

    Args:
        settings: of this machine.
        role: for the embedded database, as `cluster.store.clients` has it; a configured one has the role of its address.
        password: whether it may be seen.
    """
    from cluster.store import clients, connect

    if (address := settings.database_address) is not None:
        return address if password else connect.split(address)[0]
    return clients.address(settings.postgres_folder, database_url(settings), role=role, password=password)


@contextmanager
def open_database(settings: MachineSettings) -> Iterator[Database]:
    """The database of this machine, closed at the end; blocks of one process share it and its connections.

    Raises:
        Unavailable: the database does not answer.
    """
    from cluster.store import database

    with database.shared(database_url(settings), patience_s=_STORE_PATIENCE_S) as opened:
        yield opened


@contextmanager
def open_repositories(settings: MachineSettings) -> Iterator[Repositories]:
    """All repositories of this machine's database. A command that needs few of them opens those: all of them take longer to import.

    Raises:
        Unavailable: the database does not answer.
    """
    from cluster.store import repositories

    with open_database(settings) as database:
        yield repositories.of(database)


@contextmanager
def open_store(settings: MachineSettings) -> Iterator[Store]:
    """The store of this machine.

    Raises:
        Unavailable: the database does not answer.
    """
    from cluster.store.postgres import PostgresStore

    with open_database(settings) as database:
        yield PostgresStore(database)


@contextmanager
def open_chaos(settings: MachineSettings) -> Iterator[ChaosStore]:
    """The chaos trades of this machine's store.

    Raises:
        Unavailable: the database does not answer.
    """
    from cluster.store.chaos import PostgresChaosStore

    with open_database(settings) as database:
        yield PostgresChaosStore(database)


@contextmanager
def open_campaigns(settings: MachineSettings) -> Iterator[Campaigns]:
    """What this machine has decided about campaigns.

    Raises:
        Unavailable: the database does not answer.
    """
    from cluster.store.campaigns import PostgresCampaigns

    with open_database(settings) as database:
        yield PostgresCampaigns(database)


@contextmanager
def open_queue(settings: MachineSettings) -> Iterator[tuple[Queue, Access]]:
    """The queue of jobs and the tokens of this machine.

    Raises:
        Unavailable: the database does not answer.
    """
    from cluster.store.access import PostgresAccess
    from cluster.store.queue import PostgresQueue

    with open_database(settings) as database:
        yield PostgresQueue(database), PostgresAccess(database)


@contextmanager
def open_plan_context(settings: MachineSettings) -> Iterator[PlanContext]:
    """What planning and reports read, closed at the end."""
    prepare(settings)
    with open_repositories(settings) as kept:
        yield _plan_context(settings, kept)


def _plan_context(settings: MachineSettings, kept: Repositories) -> PlanContext:
    from cluster.jobs.kind import PlanContext

    return PlanContext(
        store=kept.store, campaigns=kept.campaigns, chaos=kept.chaos, patterns=kept.patterns, bars_file=settings.bars_file
    )  # fmt: skip


@contextmanager
def open_runner(
    settings: MachineSettings, *, workers: int | None = None, note: Callable[[str], None] | None = None, alone: bool | None = None
) -> Iterator[Runner]:
    """Plans, submits and runs jobs of every kind with what this machine has.

    Args:
        settings: of this machine.
        workers: processes of a local cluster; None: one a core.
        note: hears what the person who watches should know.
        alone: compute in this process, whatever a job costs; None: where the settings or the kind of a job say so.
    """
    prepare(settings)
    from cluster.run.runner import Runner

    pinned = settings.model_copy(update={"database_url": SecretStr(database_url(settings))})
    tell = note or _silent
    here = True if settings.compute == "process" else alone
    if here is None and (settings.ray_address or (workers is not None and workers > 1)):
        here = False
    with open_repositories(pinned) as kept:
        yield Runner(
            context=_plan_context(pinned, kept), queue=kept.queue, compute=OpenCompute(pinned, workers, tell),
            fetch_timeout_s=settings.fetch_timeout_s,
            alone=here, note=tell, free_bytes=partial(_free_bytes, settings),
        )  # fmt: skip


class OpenCompute:
    """Keeps `cluster.run.runner.Compute` on this machine.

    Args:
        settings: of this machine.
        workers: processes of a local cluster; None: one a core.
        tell: hears where the work is computed, and what keeps it waiting.
    """

    def __init__(self, settings: MachineSettings, workers: int | None, tell: Callable[[str], None]) -> None:
        self._settings = settings
        self._workers = workers
        self._tell = tell
        self.dashboard: str | None = None

    @contextmanager
    def executor(self, *, alone: bool) -> Iterator[Executor]:
        """An executor; `alone`: in this process."""
        settings = self._here(alone=alone)
        with open_executor(settings, workers=self._workers, tell=self._tell) as (executor, session):
            self._announce(session)
            yield executor

    @contextmanager
    def evaluator(self, *, alone: bool) -> Iterator[Evaluator]:
        """An evaluator; `alone`: in this process."""
        settings = self._here(alone=alone)
        with open_cluster(settings, workers=self._workers, tell=self._tell) as (evaluator, session):
            self._announce(session)
            yield evaluator

    def _here(self, *, alone: bool) -> MachineSettings:
        return self._settings.model_copy(update={"compute": "process"}) if alone else self._settings

    def _announce(self, session: RaySession) -> None:
        self.dashboard = session.dashboard
        if session.address == _HERE:
            return
        where = "a local Ray cluster" if session.local else f"the Ray cluster at {session.address}"
        self._tell(f"{where} computes with {session.cpus} processors; dashboard: {session.dashboard or 'could not be started'}")


def _silent(_text: str) -> None:
    """Ignore a message."""


def _free_bytes(settings: MachineSettings) -> int | None:
    """Room on the disk of the embedded database; None when the database is on another machine."""
    if settings.database_address is not None:
        return None
    place = settings.postgres_folder
    return shutil.disk_usage(next(folder for folder in (place, *place.parents) if folder.exists())).free


@contextmanager
def open_control(settings: MachineSettings, limits: Limits) -> Iterator[ApiContext]:
    """All that the control plane works with, its computing processes included."""
    prepare(settings)
    machine.ensure_home(settings)
    from cluster.api.context import ApiContext
    from cluster.api.pool import ProcessQueryPool

    pinned = settings.model_copy(update={"database_url": SecretStr(database_url(settings))})
    with open_repositories(pinned) as kept:
        queries = ProcessQueryPool(partial(open_plan_context, pinned))
        try:
            yield ApiContext(
                store=kept.store, queue=kept.queue, access=kept.access, browse=kept.browse, library=kept.patterns, campaigns=kept.campaigns,
                queries=queries, limits=limits, dashboard=partial(machine.dashboard, pinned),
            )  # fmt: skip
        finally:
            queries.close()


@contextmanager
def open_patterns(settings: MachineSettings) -> Iterator[PatternStore]:
    """The library of patterns of this machine's store.

    Raises:
        Unavailable: the database does not answer.
    """
    from cluster.store.patterns import PostgresPatternStore

    with open_database(settings) as database:
        yield PostgresPatternStore(database)


@contextmanager
def open_cluster(
    settings: MachineSettings, *, workers: int | None = None, tell: Callable[[str], None] | None = None
) -> Iterator[tuple[Evaluator, RaySession]]:
    """An evaluator on the configured Ray cluster, or on a local one that ends with the block; `tell` hears what keeps it waiting."""
    if settings.compute == "process":
        with local_evaluator(settings) as evaluator:
            yield evaluator, _this_process()
        return
    connected = _connected(settings, workers, tell)
    from cluster.compute.batching import BatchEvaluator
    from cluster.compute.ray import session, startup
    from cluster.compute.ray.executor import RayExecutor

    on_ray = BatchEvaluator(RayExecutor(tell=tell or startup.silent, room_s=startup.ROOM_S))
    try:
        yield on_ray, connected
    finally:
        on_ray.close()
        session.disconnect()


@contextmanager
def open_executor(
    settings: MachineSettings, *, workers: int | None = None, tell: Callable[[str], None] | None = None
) -> Iterator[tuple[Executor, RaySession]]:
    """An executor on the configured Ray cluster, or on a local one that ends with the block; `tell` hears what keeps it waiting."""
    if settings.compute == "process":
        with local_executor(settings) as executor:
            yield executor, _this_process()
        return
    connected = _connected(settings, workers, tell)
    from cluster.compute.ray import session, startup
    from cluster.compute.ray.executor import RayExecutor

    on_ray = RayExecutor(tell=tell or startup.silent)
    try:
        yield on_ray, connected
    finally:
        on_ray.close()
        session.disconnect()


def require_cluster(settings: MachineSettings) -> None:
    """Raise unless the configured Ray cluster, if there is one, can be joined.

    Raises:
        Unavailable: no cluster answers there, or one with another Ray.
        Unauthenticated: it asks for a token that this user does not have.
    """
    if settings.ray_address:
        from cluster.compute.ray import joining, session

        joining.require(session.resolved(settings.ray_address))


def look_at_nodes(settings: MachineSettings) -> tuple[ClusterNode, ...]:
    """What is installed on every node of the configured Ray cluster, or on a local one.

    Raises:
        Unavailable: no cluster answers.
    """
    variables, home = prepare(settings), machine.ensure_home(settings)
    from cluster.compute.ray import nodes, session

    session.connect(settings.ray_address, workers=settings.workers, variables=variables, home=home)
    try:
        return nodes.look()
    finally:
        session.disconnect()


def _connected(settings: MachineSettings, workers: int | None, tell: Callable[[str], None] | None) -> RaySession:
    """A session on the configured cluster, which leaves word of its dashboard, or on a local one that ends with us."""
    variables, home = prepare(settings), machine.ensure_home(settings)
    from cluster.compute.ray import session, startup

    if not settings.ray_address:
        startup.compile_here(tell or startup.silent)
    connected = session.connect(settings.ray_address, workers=workers or settings.workers, variables=variables, home=home)
    if connected.dashboard and not connected.local:
        machine.dashboard_file(settings).write_text(connected.dashboard)
    return connected


def _this_process() -> RaySession:
    from cluster.compute.ray.session import RaySession

    return RaySession(address=_HERE, dashboard=None, cpus=1, local=True)


@contextmanager
def local_executor(settings: MachineSettings) -> Iterator[Executor]:
    """An executor in this process."""
    prepare(settings)
    from cluster.compute.local import LocalExecutor

    yield LocalExecutor()


@contextmanager
def local_evaluator(settings: MachineSettings) -> Iterator[Evaluator]:
    """An evaluator in this process."""
    prepare(settings)
    from cluster.compute.batching import BatchEvaluator
    from cluster.compute.local import LocalExecutor

    evaluator = BatchEvaluator(LocalExecutor())
    try:
        yield evaluator
    finally:
        evaluator.close()


def warm(settings: MachineSettings) -> float:
    """Compile the kernels into this machine's cache; the answer is how many seconds it took, few when they were there."""
    prepare(settings)
    machine.ensure_home(settings)
    from cluster.compute import warmup

    return warmup.warm()


@contextmanager
def open_service(
    settings: MachineSettings, *, slots: int, lease_s: float, stopped: Callable[[], bool], warm: bool = False
) -> Iterator[Service]:
    """The driver service of this machine. Larger jobs share one local Ray cluster, started for the first of them, or the configured one."""
    variables, home = prepare(settings), machine.ensure_home(settings)
    logs = private.folder(home / "logs")
    from cluster.run.processes import ChildWorker
    from cluster.run.service import Service

    url = database_url(settings)
    shared: list[RaySession] = []

    def cluster() -> str:
        from cluster.compute.ray import session

        if settings.ray_address:
            return settings.ray_address
        if not shared:
            shared.append(session.connect(None, workers=settings.workers, variables=variables, home=home))
        return shared[0].address

    pinned = settings.model_copy(update={"database_url": SecretStr(url)})

    def spawn(number: int, address: str, inbox: Any) -> ChildWorker:
        log = logs / f"worker-{os.getpid()}-{number}.log"
        return ChildWorker(number, address, inbox, WORKER, log, machine.inherited(pinned))

    with open_repositories(pinned) as kept:
        yield Service(
            kept.store, kept.queue, spawn=spawn, slots=slots, cluster=cluster, stopped=stopped, lease_s=lease_s, pid=os.getpid(), warm=warm
        )
    if shared:
        from cluster.compute.ray import session

        session.disconnect()
        machine.dashboard_file(settings).unlink(missing_ok=True)


def detach(settings: MachineSettings, job: str) -> int:
    """Drive a stored job in a process of its own that outlives this one; the answer is its process id.

    What it says goes to `logs/JOB.log` in the home folder.
    """
    folder = private.folder(machine.ensure_home(settings) / "logs")
    command = [*WORKER, "--job", job]
    with (folder / f"{job}.log").open("ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=machine.inherited(settings)
        )
    return process.pid
