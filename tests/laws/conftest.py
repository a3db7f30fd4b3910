"""The stores every law of the ledger is held against."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from coinswarm.ledger.memory import MemoryStore
from coinswarm.ledger.store import Store


@pytest.fixture(scope="session")
def database(database_url: str) -> Iterator[Database]:
    with Database(database_url, patience_s=5.0) as opened:
        yield opened


@pytest.fixture(scope="session")
def postgres(database: Database) -> PostgresStore:
    return PostgresStore(database)


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> Store:
    return MemoryStore() if request.param == "memory" else request.getfixturevalue("postgres")
