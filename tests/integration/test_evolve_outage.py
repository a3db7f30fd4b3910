"""A real PostgreSQL behind a wire that is cut in the middle of a job and mended later."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from urllib.parse import urlsplit, urlunsplit

import pytest

from cluster.compute.batching import BatchEvaluator
from cluster.compute.local import LocalExecutor
from cluster.jobs.evolve.loop import SearchLoop
from cluster.jobs.progress import SearchProgress
from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from coinswarm.ledger.memory import MemoryStore
from tests import jobs_world
from tests.integration import evolve_world
from tests.integration.evolve_world import Witness, World, driven


class Wire:
    """Forwards connections on a loopback port to a server, until it is cut."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._ends: list[socket.socket] = []
        self._listen(0)

    def _listen(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self._target)
                self._ends += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)

    def cut(self) -> None:
        """Break every connection and take no new one."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.clear()

    def mend(self) -> None:
        """Take connections on the same port again."""
        self._listen(self.port)


class Cutter(Witness):
    """Cuts the wire after the second commit and has it mended later."""

    def __init__(self, wire: Wire, seconds: float) -> None:
        super().__init__()
        self._wire, self._seconds = wire, seconds

    def on_progress(self, progress: SearchProgress) -> None:
        super().on_progress(progress)
        if len(self.seen) == 2:
            self._wire.cut()
            threading.Timer(self._seconds, self._wire.mend).start()


@pytest.mark.parametrize("seconds", [2.0, pytest.param(30.0, marks=pytest.mark.slow)])
def test_a_database_that_is_away_in_the_middle_of_a_job_is_waited_for(small_world: World, database_url: str, seconds: float) -> None:
    parts = urlsplit(database_url)
    wire = Wire(str(parts.hostname), int(parts.port or 5432))
    login = parts.netloc.rpartition("@")[0]
    store = PostgresStore(Database(urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{wire.port}")), patience_s=0.5))
    planned, witness = small_world.plan(baselines=False), Cutter(wire, seconds)
    evolve_world.submit(store, planned)
    began, loop = time.monotonic(), SearchLoop(planned, store, BatchEvaluator(LocalExecutor()))
    ending = jobs_world.driven(store, planned.job.id, loop, watcher=witness, lease_s=60.0)
    assert time.monotonic() - began > seconds
    assert [note.split(":")[0] for note in witness.notes] == ["waiting for the database", "the database is back"]
    assert ending.result_hash == driven(MemoryStore(), BatchEvaluator(LocalExecutor()), small_world.plan(baselines=False)).result_hash
    variants = [variant for batch in store.evaluations(ending.job) for variant in batch.variants]
    assert len(variants) == len(set(variants)) == ending.result["distinct"]
    store.database.close()
    wire.cut()
