"""The one place that sees everything: builds stores, clusters and drivers from the settings of this machine and joins them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from cluster import logs, machine
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
    from coinswarm.ledger.quotas import Quotas
    from coinswarm.ledger.store import Store

COMMAND = (sys.executable, "-P", "-c", "from cluster.cli.app import main; main()")
"""Starts the command line of this installation in a process of its own. `-P`: modules of the working directory are not imported."""

WORKER = (sys.executable, "-P", "-m", "cluster.run.worker")
"""Starts a process that runs jobs. `-P`: modules of the working directory are not imported."""
DRIVER = (sys.executable, "-P", "-m", "cluster.run.driver")
"""Starts a process that takes jobs from the queue."""
HOST = (sys.executable, "-P", "-m", "cluster.run.host")
"""Starts a process that shares a cluster."""
CLUSTER_START_S, PROCESS_START_S = 12.0, 2.0
"""Seconds until a local Ray cluster and its worker processes compute, and until this process does: docs/benchmarks-cluster.md."""
_ANSWER_S = 30.0
"""How long one statement of a server may take; those of drivers take as long as they take."""
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
def open_database(settings: MachineSettings, *, answer_s: float | None = None) -> Iterator[Database]:
    """The database of this machine, closed at the end; blocks of one process share it and its connections.

    Args:
        settings: of this machine.
        answer_s: seconds that one statement may take, for those who answer others; None: any, for those who compute.

    Raises:
        Unavailable: the database does not answer.
    """
    from cluster.store import database

    with database.shared(database_url(settings), patience_s=_STORE_PATIENCE_S, answer_s=answer_s) as opened:
        yield opened


@contextmanager
def open_repositories(settings: MachineSettings) -> Iterator[Repositories]:
    """All repositories of this machine's database. A command that needs few of them opens those: all of them take longer to import."""
    from cluster.store import repositories

    with open_database(settings) as database:
        yield repositories.of(database)


@contextmanager
def open_store(settings: MachineSettings) -> Iterator[Store]:
    """The store of this machine. Raises as `open_database`."""
    from cluster.store.postgres import PostgresStore

    with open_database(settings) as database:
        yield PostgresStore(database)


@contextmanager
def open_chaos(settings: MachineSettings) -> Iterator[ChaosStore]:
    """The chaos trades of this machine's store. Raises as `open_database`."""
    from cluster.store.chaos import PostgresChaosStore

    with open_database(settings) as database:
        yield PostgresChaosStore(database)


@contextmanager
def open_patterns(settings: MachineSettings) -> Iterator[PatternStore]:
    """The library of patterns of this machine's store. Raises as `open_database`."""
    from cluster.store.patterns import PostgresPatternStore

    with open_database(settings) as database:
        yield PostgresPatternStore(database)


@contextmanager
def open_campaigns(settings: MachineSettings) -> Iterator[Campaigns]:
    """What this machine has decided about campaigns. Raises as `open_database`."""
    from cluster.store.campaigns import PostgresCampaigns

    with open_database(settings) as database:
        yield PostgresCampaigns(database)


@contextmanager
def open_queue(settings: MachineSettings) -> Iterator[tuple[Queue, Access]]:
    """The queue of jobs and the tokens of this machine. Raises as `open_database`."""
    from cluster.store.access import PostgresAccess
    from cluster.store.queue import PostgresQueue

    with open_database(settings) as database:
        yield PostgresQueue(database), PostgresAccess(database)


@contextmanager
def open_quotas(settings: MachineSettings) -> Iterator[tuple[Quotas, Access]]:
    """The quotas of this machine, and its tokens. Raises as `open_database`."""
    from cluster.store.access import PostgresAccess
    from cluster.store.quotas import PostgresQuotas

    with open_database(settings) as database:
        yield PostgresQuotas(database), PostgresAccess(database)


def pinned(settings: MachineSettings) -> MachineSettings:
    """The settings with the address of the database in them, for processes that are not to start one."""
    return settings.model_copy(update={"database_url": SecretStr(database_url(settings))})


@contextmanager
def kept_database(settings: MachineSettings, *, tell: Callable[[str], None]) -> Iterator[MachineSettings]:
    """The settings with the address of the database in them, for what lasts; an embedded server that dies meanwhile is started again.

    Args:
        settings: of this machine.
        tell: hears that it was.
    """
    fixed = pinned(settings)
    if settings.database_address is not None:
        yield fixed
        return
    from cluster.store.keeper import Keeper

    with Keeper(settings.postgres_folder, tell):
        yield fixed


@contextmanager
def open_plan_context(
    settings: MachineSettings, *, free_bytes: Callable[[], int | None] | None = None, answer_s: float | None = None
) -> Iterator[PlanContext]:
    """What planning and reports read, closed at the end.

    Args:
        settings: of this machine.
        free_bytes: room on the disk of the database, for settings that are pinned; None: as the settings say where it is.
        answer_s: as for `open_database`.
    """
    prepare(settings)
    from cluster.jobs.kind import PlanContext
    from cluster.store import repositories

    with open_database(settings, answer_s=answer_s) as database:
        kept = repositories.of(database)
        yield PlanContext(
            store=kept.store, campaigns=kept.campaigns, chaos=kept.chaos, patterns=kept.patterns, bars_file=settings.bars_file,
            free_bytes=free_bytes or partial(_free_bytes, settings), limits=settings.job_limits,
        )  # fmt: skip


@contextmanager
def open_runner(
    settings: MachineSettings, *, workers: int | None = None, note: Callable[[str], None] | None = None, alone: bool | None = None,
    shared: str = "",
) -> Iterator[Runner]:  # fmt: skip
    """Plans, submits and runs jobs of every kind with what this machine has.

    Args:
        settings: of this machine.
        workers: processes of a local cluster; None: one a core.
        note: hears what the person who watches should know.
        alone: compute in this process, whatever a job costs; None: where the settings or the kind of a job say so.
        shared: socket of the process that shares a cluster; "": a job has the configured cluster, or a local one, for itself.
    """
    prepare(settings)
    from cluster.run.runner import Runner

    tell = note or _silent
    here = True if settings.compute == "process" else alone
    if here is None and (settings.ray_address or (workers is not None and workers > 1)):
        here = False
    room = partial(_free_bytes, settings)
    with kept_database(settings, tell=tell) as fixed, open_plan_context(fixed, free_bytes=room) as context, open_queue(fixed) as (queue, _):
        yield Runner(
            context=context, queue=queue, compute=OpenCompute(fixed, workers, tell, shared), fetch_timeout_s=settings.fetch_timeout_s,
            alone=here, note=tell,
        )  # fmt: skip


class OpenCompute:
    """Keeps `cluster.run.runner.Compute` on this machine.

    Args:
        settings: of this machine.
        workers: processes of a local cluster; None: one a core.
        tell: hears where the work is computed, and what keeps it waiting.
        shared: socket of the process that shares a cluster; "": there is none.
    """

    def __init__(self, settings: MachineSettings, workers: int | None, tell: Callable[[str], None], shared: str) -> None:
        self._settings = settings
        self._workers = workers
        self._tell = tell
        self._shared = shared
        self.dashboard: str | None = None
        self.renewable = bool(shared) or not settings.ray_address

    def processors(self, *, alone: bool) -> int | None:
        """See `Compute`."""
        if alone:
            return 1
        if self._shared or self._settings.ray_address:
            return None
        return self._workers or self._settings.workers or len(os.sched_getaffinity(0))

    def start_s(self, *, alone: bool) -> float:
        """See `Compute`."""
        return PROCESS_START_S if alone or self._shared or self._settings.ray_address else CLUSTER_START_S

    @contextmanager
    def executor(self, *, alone: bool, bounded: bool = False) -> Iterator[Executor]:
        """An executor; `alone`: in this process; `bounded`: as for `open_executor`."""
        if self._shared and not alone:
            with _shared_executor(self._shared, self._tell) as sharing:
                yield sharing
            return
        settings = self._settings.model_copy(update={"compute": "process"}) if alone else self._settings
        with open_executor(settings, workers=self._workers, tell=self._tell, bounded=bounded) as (executor, session):
            if session is not None:
                self.dashboard = session.dashboard
                self._tell(session.description)
            yield executor

    @contextmanager
    def evaluator(self, *, alone: bool) -> Iterator[Evaluator]:
        """An evaluator; `alone`: in this process."""
        with self.executor(alone=alone, bounded=True) as executor:
            yield _evaluator(executor)


def _silent(_text: str) -> None:
    """Ignore a message."""


def _free_bytes(settings: MachineSettings) -> int | None:
    """Room on the disk of the embedded database; None when the database is on another machine."""
    if settings.database_address is not None:
        return None
    place = settings.postgres_folder
    return shutil.disk_usage(next(folder for folder in (place, *place.parents) if folder.exists())).free


@contextmanager
def open_control(settings: MachineSettings, limits: Limits, *, children: Callable[[], Sequence[str]] = lambda: ()) -> Iterator[ApiContext]:
    """All that the control plane works with, its computing processes included; `children` says what is wrong with others that it keeps."""
    prepare(settings)
    machine.ensure_home(settings)
    from cluster.api.context import ApiContext
    from cluster.api.pool import ProcessQueryPool
    from cluster.store import repositories, state

    with kept_database(settings, tell=_silent) as fixed, open_database(fixed, answer_s=_ANSWER_S) as database:
        kept = repositories.of(database)
        pool = ProcessQueryPool(partial(open_plan_context, fixed, free_bytes=partial(_free_bytes, settings), answer_s=_ANSWER_S))
        try:
            yield ApiContext(
                store=kept.store, queue=kept.queue, access=kept.access, quotas=kept.quotas, browse=kept.browse,
                library=kept.patterns, campaigns=kept.campaigns, pool=pool, limits=limits, dashboard=partial(machine.dashboard, fixed),
                faults=lambda: (*state.faults(database, _free_bytes(settings)), *children()),
            )  # fmt: skip
        finally:
            pool.close()


@contextmanager
def open_executor(
    settings: MachineSettings, *, workers: int | None = None, tell: Callable[[str], None] | None = None, bounded: bool = False
) -> Iterator[tuple[Executor, RaySession | None]]:
    """An executor on the configured Ray cluster, on a local one that ends with the block, or in this process, which needs no session.

    Args:
        settings: of this machine.
        workers: processes of a local cluster; None: one a core.
        tell: hears what keeps it waiting.
        bounded: whether the wait for a first process of the cluster ends with `Unavailable`.
    """
    if settings.compute == "process":
        prepare(settings)
        from cluster.compute import compiling
        from cluster.compute.local import LocalExecutor

        compiling.compile_here(tell or _silent)
        yield LocalExecutor(), None
        return
    connected = _connected(settings, workers, tell or _silent)
    from cluster.compute.ray import session, startup
    from cluster.compute.ray.executor import RayExecutor
    from cluster.compute.ray.liveness import Liveness

    on_ray = RayExecutor(tell=tell or _silent, room_s=startup.ROOM_S if bounded else None, liveness=Liveness(connected))
    try:
        yield on_ray, connected
    finally:
        on_ray.close()
        session.disconnect()


@contextmanager
def _shared_executor(socket: str, tell: Callable[[str], None]) -> Iterator[Executor]:
    """An executor on the cluster that another process shares."""
    from cluster.compute.shared.client import SharedExecutor

    executor = SharedExecutor(Path(socket), tell=tell)
    try:
        yield executor
    finally:
        executor.disconnect()


@contextmanager
def local_evaluator(settings: MachineSettings) -> Iterator[Evaluator]:
    """An evaluator in this process."""
    with open_executor(settings.model_copy(update={"compute": "process"})) as (executor, _):
        yield _evaluator(executor)


def _evaluator(executor: Executor) -> Evaluator:
    from cluster.compute.batching import BatchEvaluator

    return BatchEvaluator(executor)


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


def _connected(settings: MachineSettings, workers: int | None, tell: Callable[[str], None]) -> RaySession:
    """A session on the configured cluster, or on a local one."""
    variables, home = prepare(settings), machine.ensure_home(settings)
    from cluster.compute import compiling

    if not settings.ray_address:
        compiling.compile_here(tell)
        tell(f"starting a local Ray cluster, which takes about {CLUSTER_START_S:.0f} s")
    from cluster.compute.ray import session

    return session.connect(settings.ray_address, workers=workers or settings.workers, variables=variables, home=home)


def warm(settings: MachineSettings) -> float:
    """Compile the kernels into this machine's cache; the answer is how many seconds it took, few when they were there."""
    prepare(settings)
    machine.ensure_home(settings)
    from cluster.compute import warmup

    return warmup.warm()


@contextmanager
def open_service(settings: MachineSettings, *, slots: int, lease_s: float, stopped: Callable[[], bool]) -> Iterator[Service]:
    """The driver service of this machine, which ends the cluster that it has started."""
    prepare(settings)
    folder = machine.ensure_logs(settings)
    from cluster.run.processes import ChildWorker
    from cluster.run.service import Service
    from cluster.run.shared_cluster import SharedCluster

    me = os.getpid()

    def spawn(number: int, inbox: Any) -> ChildWorker:
        return ChildWorker(number, inbox, WORKER, folder / f"worker-{me}-{number}.log", machine.inherited(fixed))

    with kept_database(settings, tell=_silent) as fixed, open_repositories(fixed) as kept:
        shared = SharedCluster(HOST, machine.host_socket(settings, me), folder / f"host-{me}.log", machine.inherited(fixed))
        try:
            yield Service(
                kept.store, kept.queue, spawn=spawn, slots=slots, cluster=shared, stopped=stopped, lease_s=lease_s, pid=me, warm=True,
                tidy=lambda: logs.prune(folder, now=time.time()),
            )  # fmt: skip
        finally:
            shared.close()


def detach(settings: MachineSettings, job: str, *, workers: int | None = None) -> int:
    """Drive a stored job in a process of its own that outlives this one; the answer is its process id.

    It has these settings and, where it is given, this number of `workers`. It prints to `logs/JOB.log` in the home folder.
    """
    command = [*WORKER, "--job", job, *([] if workers is None else ["--workers", str(workers)])]
    folder = machine.ensure_logs(settings)
    logs.prune(folder, now=time.time())
    with (folder / f"{job}.log").open("ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=machine.inherited(settings)
        )
    return process.pid
