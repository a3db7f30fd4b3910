"""Shares one executor among the processes that connect to a socket: their calls run in fair turns, their bars are held once.

One thread owns the executor. Each client has a thread that reads and one that writes, so that a client which stops, or reads nothing, costs
the others nothing; what it left is dropped when its connection ends.
"""

from __future__ import annotations

import hashlib
import logging
import os
import queue
import socket
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from types import TracebackType
from typing import Self

from cluster.compute.executor import Call, Executor, Finished, Handle
from cluster.compute.shared import messages
from cluster.compute.shared.messages import Capacity, Drop, Ended, Failed, Load, Loaded, Note, Release, Reply, Request, Submit
from cluster.compute.shared.shares import FairShares
from coinswarm import errors

_log = logging.getLogger(__name__)
_GLANCE_S = 0.01
"""How long a request waits at most while the executor is asked for answers."""
_IDLE_S = 0.5
_LAST_WORDS_S = 2.0
_BACKLOG = 1024


class ConnectedClient:
    """One client: what it says goes to `heard`, with None at its end, and `say` never waits.

    Attributes:
        waiting: its calls that no worker has, by number, the oldest first.
        under_way: its calls that one has.
        bars: what it holds, by number: the key that the server has it under.
    """

    def __init__(self, connection: Connection, heard: Callable[[ConnectedClient, Request | None], None]) -> None:
        self._connection, self._heard = connection, heard
        self._replies: queue.SimpleQueue[Reply | None] = queue.SimpleQueue()
        self.waiting: OrderedDict[int, Submit] = OrderedDict()
        self.under_way: dict[int, Call] = {}
        self.bars: dict[int, str] = {}
        self._writer = threading.Thread(target=self._write, name="to a client", daemon=True)
        self._reader = threading.Thread(target=self._read, name="from a client", daemon=True)
        self._writer.start()
        self._reader.start()

    def say(self, reply: Reply) -> None:
        """Send something as soon as the client takes it."""
        self._replies.put(reply)

    def end(self) -> None:
        """Send what is left, for a moment, and close."""
        self._replies.put(None)
        self._writer.join(_LAST_WORDS_S)
        with suppress(OSError), socket.socket(fileno=os.dup(self._connection.fileno())) as end:
            end.shutdown(socket.SHUT_RDWR)  # a thread that reads does not wake when the file is closed
        self._reader.join(_LAST_WORDS_S)
        self._connection.close()

    def _read(self) -> None:
        with suppress(EOFError, OSError):
            while True:
                self._heard(self, self._connection.recv())
        self._heard(self, None)

    def _write(self) -> None:
        with suppress(OSError):
            while (reply := self._replies.get()) is not None:
                self._connection.send(reply)


class ExecutorServer:
    """Listens at a socket for the length of a `with`; what clients ask for is done by `serve`.

    Args:
        path: of the socket, in a folder that only its owner enters: who may connect may run anything.

    Raises:
        Conflict: another process listens there.
    """

    def __init__(self, path: Path) -> None:
        _refuse_taken(path)
        path.unlink(missing_ok=True)
        self._path, self._listener = path, Listener(str(path), family="AF_UNIX", backlog=_BACKLOG)
        self._heard: queue.SimpleQueue[tuple[ConnectedClient, Request | None]] = queue.SimpleQueue()
        self._clients: list[ConnectedClient] = []
        self._greeting: Note | None = None
        self._capacity: Capacity | None = None
        self._lock, self._closed = threading.Lock(), threading.Event()
        self._shares: FairShares[ConnectedClient] = FairShares()
        self._calls: dict[Call, tuple[ConnectedClient, int]] = {}
        self._bars: dict[str, Future[Handle]] = {}
        self._holders: Counter[str] = Counter()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, name="accepts clients", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closed.set()
        self._listener.close()
        self._path.unlink(missing_ok=True)
        with self._lock:
            left, self._clients = self._clients, []
        if isinstance(error, errors.CoinswarmError):
            for client in left:
                client.say(Failed(error=error))
        for client in left:
            client.end()

    def tell(self, text: str) -> None:
        """Send a note to every client."""
        self._say(Note(text=text))

    def serve(self, executor: Executor, *, greeting: str, stopped: Callable[[], bool]) -> None:
        """Compute what clients ask for until `stopped`, which is asked about every half second.

        Args:
            executor: computes; it stays its owner's to close.
            greeting: what each client is told of it.
            stopped: whether to end.

        Raises:
            ClusterLost: the cluster died. Unavailable: no worker has begun in time.
        """
        with self._lock:
            self._greeting = Note(text=greeting)
        self.tell(greeting)
        try:
            while not stopped():
                self._turn(executor)
        except errors.CoinswarmError as problem:  # told at once, for it takes a while to leave a dead cluster
            self._say(Failed(error=problem))
            raise

    def _turn(self, executor: Executor) -> None:
        self._measure(executor)
        self._hear(executor)
        self._send(executor)
        if self._calls and (finished := executor.collect(self._calls, _GLANCE_S)) is not None:
            self._answer(finished)

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                self._welcome(self._listener.accept())
            except OSError as problem:  # no file handle is left; or the listener is closed
                _log.warning("a job cannot connect: %s", problem)
                self._closed.wait(_IDLE_S)

    def _welcome(self, connection: Connection) -> None:
        with self._lock:
            client = ConnectedClient(connection, lambda client, request: self._heard.put((client, request)))
            self._clients.append(client)
            for reply in (self._greeting, self._capacity):
                if reply is not None:
                    client.say(reply)

    def _say(self, reply: Reply) -> None:
        with self._lock:
            for client in self._clients:
                client.say(reply)

    def _measure(self, executor: Executor) -> None:
        """Tell clients when there are more processes, or fewer."""
        found = Capacity(workers=executor.workers, slots=executor.slots)
        if found != self._capacity:
            with self._lock:
                self._capacity = found
            self._say(found)

    def _hear(self, executor: Executor) -> None:
        """Do what was asked; where nothing is computed, wait for it."""
        with suppress(queue.Empty):
            client, request = self._heard.get(timeout=0.0 if self._calls else _IDLE_S)
            while True:
                self._do(executor, client, request)
                client, request = self._heard.get_nowait()

    def _do(self, executor: Executor, client: ConnectedClient, request: Request | None) -> None:
        match request:
            case Submit():
                client.waiting[request.number] = request
            case Drop():
                self._drop(executor, client, request.numbers)
            case Load():
                self._load(executor, client, request)
            case Release():
                self._release(client)
            case None:
                self._leave(executor, client)

    def _send(self, executor: Executor) -> None:
        """Keep all workers busy, each client with its share of them."""
        while len(self._calls) < executor.slots and (waiting := [client for client in self._clients if client.waiting]):
            client = self._shares.next(waiting)
            number, asked = client.waiting.popitem(last=False)
            bars = tuple(self._bars[client.bars[each]].result() for each in asked.bars)
            call = Call(
                function=messages.compute, item=asked.packed, markets=bars, limit_s=asked.limit_s, attempts=asked.attempts, title=asked.name
            )
            self._calls[call] = (client, number)
            client.under_way[number] = call
            self._shares.begin(client)
            executor.submit(call)

    def _answer(self, finished: Finished) -> None:
        client, number = self._calls.pop(finished.call)
        del client.under_way[number]
        packed, seconds = finished.answer or (b"", 0.0)
        self._shares.end(client, seconds, waits=bool(client.waiting))
        client.say(Ended(number=number, packed=packed, error=_portable(finished.error), loss=finished.loss))

    def _drop(self, executor: Executor, client: ConnectedClient, numbers: tuple[int, ...]) -> None:
        for number in numbers:
            client.waiting.pop(number, None)
        dropped = [client.under_way.pop(number) for number in numbers if number in client.under_way]
        executor.drop(dropped)
        for call in dropped:
            del self._calls[call]
            self._shares.end(client, 0.0, waits=bool(client.waiting))

    def _load(self, executor: Executor, client: ConnectedClient, asked: Load) -> None:
        """Load bars in a thread of their own, unless another client has them."""
        key = hashlib.sha256(asked.packed).hexdigest()
        client.bars[asked.number] = key
        self._holders[key] += 1
        held = self._bars.get(key)
        if held is None or (held.done() and held.exception() is not None):
            held = self._bars[key] = Future()
            threading.Thread(target=_read, args=(executor, asked.packed, held), name="loads bars", daemon=True).start()
        held.add_done_callback(partial(_say_loaded, client, asked.number))

    def _release(self, client: ConnectedClient) -> None:
        """Let go of the bars of a client; those that no other one holds are forgotten."""
        self._holders.subtract(client.bars.values())
        for key in client.bars.values():
            if self._holders[key] <= 0:
                del self._holders[key]
                self._bars.pop(key, None)
        client.bars.clear()

    def _leave(self, executor: Executor, client: ConnectedClient) -> None:
        self._drop(executor, client, (*client.waiting, *client.under_way))
        self._release(client)
        self._shares.leave(client)
        with self._lock:
            if client in self._clients:
                self._clients.remove(client)
        threading.Thread(target=client.end, daemon=True).start()


def _refuse_taken(path: Path) -> None:
    """Raise `Conflict` when another process listens at a socket; one that died has left its file only."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return
    raise errors.Conflict("one process shares the cluster of a service", found=f"another one that listens at {path}")


def _read(executor: Executor, packed: bytes, held: Future[Handle]) -> None:
    try:
        source, segment = messages.unpack_bars(packed)
        (handle,) = executor.read((source,), segment)
        held.set_result(handle)
    except Exception as error:  # noqa: BLE001 - told to those who asked
        held.set_exception(error)


def _say_loaded(client: ConnectedClient, number: int, held: Future[Handle]) -> None:
    client.say(Loaded(number=number, error=_portable(held.exception())))


def _portable(error: BaseException | None) -> errors.CoinswarmError | None:
    """An error that any client can read."""
    if error is None or isinstance(error, errors.CoinswarmError):
        return error
    return errors.Unavailable("a call must come back from the cluster", found=f"{type(error).__name__}: {error}")
