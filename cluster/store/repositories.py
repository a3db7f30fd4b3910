"""All repositories of one database."""

from __future__ import annotations

from dataclasses import dataclass

from cluster.store.access import PostgresAccess
from cluster.store.browse import PostgresBrowse
from cluster.store.campaigns import PostgresCampaigns
from cluster.store.chaos import PostgresChaosStore
from cluster.store.database import Database
from cluster.store.patterns import PostgresPatternStore
from cluster.store.postgres import PostgresStore
from cluster.store.queue import PostgresQueue
from cluster.store.quotas import PostgresQuotas
from coinswarm.ledger.access import Access
from coinswarm.ledger.browse import Browse
from coinswarm.ledger.campaigns import Campaigns
from coinswarm.ledger.chaos import ChaosStore
from coinswarm.ledger.patterns import PatternStore
from coinswarm.ledger.queue import Queue
from coinswarm.ledger.quotas import Quotas
from coinswarm.ledger.store import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class Repositories:
    """Where records are kept, all of them in the same place.

    Attributes:
        store: jobs and what they found.
        chaos: chaos trades.
        patterns: the library of patterns and the stream of its tests.
        campaigns: decisions about campaigns.
        queue: jobs that wait for a driver.
        access: tokens and the audit log.
        quotas: of tokens and campaigns.
        browse: pages of all of these.
    """

    store: Store
    chaos: ChaosStore
    patterns: PatternStore
    campaigns: Campaigns
    queue: Queue
    access: Access
    quotas: Quotas
    browse: Browse


def of(database: Database) -> Repositories:
    """The repositories of a database; they share its connections."""
    return Repositories(
        store=PostgresStore(database),
        chaos=PostgresChaosStore(database),
        patterns=PostgresPatternStore(database),
        campaigns=PostgresCampaigns(database),
        queue=PostgresQueue(database),
        access=PostgresAccess(database),
        quotas=PostgresQuotas(database),
        browse=PostgresBrowse(database),
    )
