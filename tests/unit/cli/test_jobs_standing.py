"""A job whose driver died is shown as lost, and one that is driven is not resumed a second time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cluster.jobs import brief
from cluster.run import runner
from coinswarm import errors
from coinswarm.ledger.memory import MemoryStore
from tests.laws import ledger_world


def driven(seconds_left: float) -> Any:
    job = ledger_world.queued(MemoryStore())
    return replace(job, status="running", lease_owner="host:1", lease_expires=datetime.now(UTC) + timedelta(seconds=seconds_left))


def test_a_running_job_with_a_lapsed_lease_is_lost() -> None:
    assert brief.standing(driven(-5)) == brief.LOST
    assert brief.standing(driven(20)) == "running"


def test_a_driven_job_is_refused_before_a_cluster_is_started() -> None:
    with pytest.raises(errors.Conflict, match="driven by host:1"):
        runner.refuse_driven(driven(20), datetime.now(UTC))
    runner.refuse_driven(driven(-5), datetime.now(UTC))
    assert brief.standing(replace(driven(20), status="queued")) == "queued"
