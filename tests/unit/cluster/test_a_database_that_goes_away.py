"""A command whose database goes away while its job reads from it waits, and goes on in the same run from the last commit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cluster.jobs.progress import Silent
from cluster.run.runner import Runner
from coinswarm import errors
from coinswarm.ledger.memory import MemoryAccess, MemoryQueue, MemoryStore
from coinswarm.ledger.records import LeaderboardRow, Lease
from tests import jobs_world, kinds_world
from tests.unit.cluster.test_where_a_job_is_computed import PLAY, Counted


class Away(MemoryStore):
    """A store whose server dies when winners are asked for, and is away for a few calls more."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times, self._gone = times, 0

    def leaderboard(self, job: str, *, by: str = "fitness", limit: int = 20) -> tuple[LeaderboardRow, ...]:
        if self.times:
            self.times -= 1
            self._gone = 2
        self._require()
        return super().leaderboard(job, by=by, limit=limit)

    def release(self, lease: Lease) -> None:
        self._require()
        super().release(lease)

    def job(self, name: str) -> Any:
        self._require()
        return super().job(name)

    def _require(self) -> None:
        if self._gone:
            self._gone -= 1
            raise errors.DatabaseAway("the database must answer")


def search(folder: Path, times: int, owner: str = "") -> tuple[str, str, list[str]]:
    """Status and hash of a search whose database went away so often, and what was said."""
    here, store, notes = kinds_world.world(folder), Away(times), list[str]()
    context = replace(here.context, store=store)
    queue = MemoryQueue(store, MemoryAccess())
    runner = Runner(context=context, queue=queue, compute=Counted(1), fetch_timeout_s=1.0, note=notes.append)
    wanted = {"population": 8, "generations": 3, "constraints": []}
    asked = jobs_world.request("evolve", plays=[{"text": PLAY}], markets=here.markets[:1], search=wanted, baselines=False)
    made = runner.plan(asked)
    job = runner.run(made, new=True, watcher=Silent(), stopped=lambda: False, owner=owner)
    return job.status, job.result_hash, notes


def test_a_search_ends_as_if_the_database_had_stayed(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    undisturbed = search(tmp_path / "one", 0)
    status, result_hash, notes = search(tmp_path / "other", 2)
    assert (status, result_hash) == undisturbed[:2] == ("done", undisturbed[1])
    assert sum("continues from its last commit" in note for note in notes) == 2


def test_a_database_that_never_stays_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(errors.DatabaseAway):
        search(tmp_path, 100)


def test_whoever_lends_a_lease_begins_again(tmp_path: Path) -> None:
    with pytest.raises(errors.DatabaseAway):
        search(tmp_path, 1, owner="service")
