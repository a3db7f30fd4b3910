"""The ledger in memory: the real contracts without a database, for notebooks and tests. All is lost when the process ends."""

from coinswarm.ledger.memory.access import MemoryAccess
from coinswarm.ledger.memory.campaigns import MemoryCampaigns
from coinswarm.ledger.memory.chaos import MemoryChaosStore
from coinswarm.ledger.memory.patterns import MemoryPatternStore
from coinswarm.ledger.memory.queue import MemoryQueue
from coinswarm.ledger.memory.store import MemoryStore

__all__ = ["MemoryAccess", "MemoryCampaigns", "MemoryChaosStore", "MemoryPatternStore", "MemoryQueue", "MemoryStore"]
