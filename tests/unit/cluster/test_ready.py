"""`/ready` says that a server can work, or what keeps it from that."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.api import health
from cluster.api.context import ApiContext
from coinswarm import errors
from coinswarm.ledger.memory import MemoryAccess, MemoryQueue, MemoryStore


def server(*faults: str) -> ApiContext:
    rest: dict[str, Any] = dict.fromkeys(("store", "browse", "access", "library", "campaigns", "pool", "quotas"))
    return ApiContext(queue=MemoryQueue(MemoryStore(), MemoryAccess()), faults=lambda: faults, **rest)


def test_a_sound_server_is_ready() -> None:
    assert health.ready(server()) == health.Ready(queued=0, running=0)


@pytest.mark.parametrize("faults", [("its driver service ended",), ("another schema", "the clocks differ")])
def test_a_server_with_a_fault_is_not_and_names_it(faults: tuple[str, ...]) -> None:
    with pytest.raises(errors.Unavailable) as told:
        health.ready(server(*faults))
    assert all(fault in str(told.value) for fault in faults)
