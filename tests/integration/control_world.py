"""A control plane for tests: real PostgreSQL, real bars, real HTTP on the loopback address, and a client with a token of each role."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
from pydantic import SecretStr

from cluster import bootstrap
from cluster.api import app as application
from cluster.api import server
from cluster.api.context import ApiContext, Limits
from cluster.machine import MachineSettings
from cluster.run.service import Service
from coinswarm.ledger import access
from coinswarm.ledger.access import Role
from coinswarm.ledger.quotas import Quota
from coinswarm.ledger.records import FINAL_STATUSES
from tests.integration.evolve_world import PLAY, World

LIMITS = Limits(
    body_bytes=2_000_000, body_s=1.5, header_s=1.5, requests_per_s=2000, burst=4000, refusals_per_min=5000,
    job=Quota(trials=100_000, chaos_trades=1_000_000, generations=10_000, fetched_bars=1_000_000),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Plane:
    """A running control plane."""

    url: str
    context: ApiContext
    settings: MachineSettings
    world: World

    def client(self, role: Role | None) -> httpx.Client:
        """A client with a fresh token; None: without."""
        headers = {} if role is None else {"Authorization": f"Bearer {self.secret(role)}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)

    def secret(self, role: Role, **changes: Any) -> str:
        """The secret of a fresh token."""
        secret = access.new_secret()
        self.context.access.create_token(access.new_token(secret[-8:], role, secret, created=datetime.now(UTC), **changes), by="test")
        return secret

    def request(self, **changes: Any) -> dict[str, Any]:
        """A small search, as it is sent."""
        search = {"population": 8, "generations": 2, "constraints": []}
        return {
            "kind": "evolve",
            "plays": [{"text": PLAY}],
            "markets": [self.world.markets[0]],
            "baselines": False,
            "search": search,
        } | changes

    def rows(self) -> dict[str, int]:
        """How many rows each table that a client can write to has."""
        assert self.settings.database_url is not None
        with psycopg.connect(self.settings.database_url.get_secret_value()) as connection:
            names = ("jobs", "plays", "queue", "idempotency_keys", "audit", "tokens")
            return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}  # type: ignore[index]

    @contextmanager
    def served(self, slots: int = 1) -> Iterator[Service]:
        """A driver service with real workers, in a thread."""
        stopped = threading.Event()
        with bootstrap.open_service(self.settings, slots=slots, lease_s=5.0, stopped=stopped.is_set) as service:
            thread = threading.Thread(target=service.run)
            thread.start()
            try:
                yield service
            finally:
                stopped.set()
                thread.join()

    def ended(self, client: httpx.Client, job: str) -> dict[str, Any]:
        """The job once it has ended."""
        while True:
            found: dict[str, Any] = client.get(f"/api/v1/jobs/{job}").json()
            if found["status"] in FINAL_STATUSES:
                return found
            time.sleep(0.1)


@contextmanager
def plane(url: str, home: Path, world: World, limits: Limits = LIMITS) -> Iterator[Plane]:
    """A control plane on a free port of the loopback address."""
    settings = MachineSettings(home=home, bars_path=world.catalog, database_url=SecretStr(url))
    with bootstrap.open_control(settings, limits) as context:
        made = server.server(application.create(context), "127.0.0.1", 0, limits)
        thread = threading.Thread(target=made.run)
        thread.start()
        try:
            while not made.started:
                time.sleep(0.02)
            port = made.servers[0].sockets[0].getsockname()[1]
            yield Plane(url=f"http://127.0.0.1:{port}", context=context, settings=settings, world=world)
        finally:
            made.should_exit = True
            thread.join()
