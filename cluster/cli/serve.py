"""`coinswarm serve`: a server on this machine, its API and its driver service."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster import bootstrap, logs, machine, private
from cluster.cli import console
from coinswarm import errors
from coinswarm.ledger.records import LEASE_S

if TYPE_CHECKING:
    from cluster.machine import MachineSettings
    from coinswarm.ledger.access import Access

LOCAL = "local"
"""Name of the admin's token that a server makes for its own machine; its page has a second one that only reads."""
_PAGE = f"{LOCAL}-page"
"""The token of the page on this machine."""
_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0
_STOP_S = 20.0


def command(
    host: Annotated[str | None, typer.Option(help="Address to listen on; else COINSWARM_API_HOST, else the loopback address.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; else COINSWARM_API_PORT.", min=0, max=65_535)] = None,
    slots: Annotated[int, typer.Option(help="Jobs that run at a time.", min=1, max=1000)] = 2,
    workers: Annotated[int | None, typer.Option("--workers", "-w", help="Processes of the local cluster; else one a core.", min=1)] = None,
    address: Annotated[str | None, typer.Option(help="A running Ray cluster; else RAY_ADDRESS, else a local one.")] = None,
    max_trials: Annotated[int, typer.Option(help="Most variants that one job may evaluate; others: COINSWARM_MAX_…", min=1)] = 10_000_000,
    api_only: Annotated[bool, typer.Option("--api-only", help="Only the API and the page; no jobs are run.")] = False,
    driver_only: Annotated[bool, typer.Option("--driver-only", help="Only run queued jobs, without API and page.")] = False,
    lease: Annotated[float, typer.Option(help="Seconds after which jobs of a dead process are taken over.", min=1, max=3600)] = LEASE_S,
) -> None:
    """Start a server: API, web page, and a queue whose jobs it runs, until Ctrl-C."""
    if api_only and driver_only:
        raise errors.InvalidArgument("a server without API and without driver does nothing", found="--api-only --driver-only")
    settings = console.settings().model_copy(update={"ray_address": address} if address else {})
    settings = settings.model_copy(update={"workers": workers} if workers else {})
    logs.begin("driver" if driver_only else "serve", machine.ensure_logs(settings), level=settings.log)
    if driver_only:
        from cluster.run import driver

        driver.drive(settings, slots=slots, lease_s=lease, stopped=threading.Event(), tell=console.note)
    else:
        _serve(
            settings,
            host or settings.api_host,
            settings.api_port if port is None else port,
            max_trials,
            None if api_only else (slots, lease),
        )


def _serve(settings: MachineSettings, host: str, port: int, max_trials: int, driver: tuple[int, float] | None) -> None:
    from cluster.api import app, security, server
    from cluster.api.context import Limits

    limits = Limits(job=settings.job_limits.model_copy(update={"trials": max_trials}))
    if settings.database_address is None and not settings.postgres_folder.exists():
        console.note("first start on this machine: a database is created, and the first job compiles for about a minute")
    _refuse_taken(host, port)
    signal.signal(signal.SIGTERM, _end_in_turn)
    gone = threading.Event()
    with bootstrap.open_control(settings, limits, children=lambda: [_NO_DRIVER] if gone.is_set() else []) as context:
        security.refuse_open_server(host, context.access.tokens(), LOCAL)
        secret = _local_tokens(settings, context.access) if security.is_loopback(host) else ""
        made = server.server(app.create(context), host, port, limits)
        stopped = threading.Event()
        keeper = threading.Thread(target=_keep_driver, args=(settings, driver, stopped, gone), daemon=True) if driver else None
        threading.Thread(target=_tell, args=(made, host, secret, machine.token_file(settings, _PAGE)), daemon=True).start()
        if keeper is not None:
            keeper.start()
        try:
            made.run()
        finally:
            stopped.set()
            if keeper is not None:
                keeper.join(_STOP_S + _PAUSE_S)
        if not made.started:
            raise errors.Unavailable("the server did not start", hint=f"{settings.logs_folder / 'serve.jsonl'} says why")


def _end_in_turn(number: int, _frame: object) -> None:
    """Let SIGTERM end what this process has begun before the process: uvicorn stops by it first, and then raises it again."""
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(0)


def _refuse_taken(host: str, port: int) -> None:
    """Raise `Conflict` for an address that cannot be listened at, before a database and processes are started for nothing."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise errors.Conflict(
            f"{host}:{port} must be free to listen at",
            found=error.strerror or error,
            hint="another `coinswarm serve` may run; else say --port",
        ) from error


def _tell(made: object, host: str, secret: str, kept: Path) -> None:
    """Say where the server is, once it is there; a token is shown to a person, and named by its file in a log."""
    while not getattr(made, "started", False):
        time.sleep(0.05)
    port = made.servers[0].sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    place = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    shown = f"#token={secret}" if secret and console.err().is_terminal else ""
    console.note(f"coinswarm serves at {place}/{shown}")
    if secret and not shown:
        console.note(f"the page asks for a token: {kept} holds one that may submit jobs")
    console.text(place)
    sys.stdout.flush()


def _local_tokens(settings: MachineSettings, access: Access) -> str:
    """Make the tokens of this machine at the first start, in files that only their owner reads: one for commands, one for the page."""
    _kept(settings, access, LOCAL, "admin")
    return _kept(settings, access, _PAGE, "submit")


def _kept(settings: MachineSettings, access: Access, name: str, role: str) -> str:
    from coinswarm.ledger.access import new_secret, new_token

    path = machine.token_file(settings, name)
    with suppress(errors.Unauthenticated, FileNotFoundError):
        secret = path.read_text().strip()
        if access.token(secret).role == role:  # an earlier release gave the page one that only reads
            return secret
    secret = new_secret()
    if any(token.name == name and token.revoked is None for token in access.tokens()):
        access.revoke(name, by="serve")
    access.create_token(new_token(name, role, secret, created=datetime.now(UTC)), by="serve")  # type: ignore[arg-type]
    private.write_secret(path, secret)
    return secret


_NO_DRIVER = "its driver service ended and is about to be started again"


def _keep_driver(settings: MachineSettings, driver: tuple[int, float], stopped: threading.Event, gone: threading.Event) -> None:
    """Run the driver service as a child, and again when it dies; meanwhile `gone` is set."""
    pause_s = _PAUSE_S
    while not stopped.is_set():
        began = time.monotonic()
        process = subprocess.Popen(_child_command(driver), stdin=subprocess.PIPE, start_new_session=True, env=machine.inherited(settings))
        gone.clear()
        while process.poll() is None and not stopped.wait(0.2):
            pass
        if stopped.is_set():
            _end(process)
            return
        gone.set()
        pause_s = _PAUSE_S if time.monotonic() - began > _LONGEST_PAUSE_S else min(2 * pause_s, _LONGEST_PAUSE_S)
        console.note(f"the driver service ended with code {process.returncode}; it is started again in {pause_s:.0f} s")
        stopped.wait(pause_s)


def _child_command(driver: tuple[int, float]) -> list[str]:
    slots, lease = driver
    return [*bootstrap.DRIVER, "--slots", str(slots), "--lease", str(lease)]


def _end(process: subprocess.Popen[bytes]) -> None:
    """A child stops when its input ends."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
