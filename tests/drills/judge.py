"""What must hold when a drill is over: every job done, recounted without a difference, no lease and no process left."""

from __future__ import annotations

import time
from dataclasses import dataclass

from cluster import bootstrap
from tests.drills.processes import Home
from tests.drills.world import Unit, World

_LEFT_S = 30.0
_VERIFY_S = 900.0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was found when a drill was over.

    Attributes:
        jobs: how many there are.
        trials: of all of them, as many as rows, different variants and sums of generations.
        not_done: jobs that are not done.
        differing: jobs of which a recount differs.
        leased: jobs that are still under a lease.
        left: processes that ran on after everything was stopped.
        restarts: how often the server had to be started again from outside.
        exit_code: of the server when it was stopped.
    """

    jobs: int
    trials: int
    not_done: tuple[str, ...]
    differing: tuple[str, ...]
    leased: tuple[str, ...]
    left: tuple[str, ...]
    restarts: int
    exit_code: int | None

    @property
    def wrong(self) -> list[str]:
        """A sentence for each thing that does not hold."""
        named = {
            "jobs are not done": self.not_done, "jobs differ when they are recounted": self.differing,
            "jobs are under a lease": self.leased, "processes were left": self.left,
        }  # fmt: skip
        found = [f"{len(names)} {what}: {', '.join(names)}" for what, names in named.items() if names]
        return found + ([] if self.exit_code == 0 else [f"the server ended with exit code {self.exit_code} when it was stopped"])


def judged(there: World, unit: Unit, home: Home) -> Verdict:
    """Look at what is stored while the server runs, then stop everything and look at what is left."""
    _code, recounts = there.says("jobs", "verify", "--all")
    with bootstrap.open_store(there.pinned) as store:
        found = store.jobs(limit=10_000)
    restarts = unit.restarts
    exit_code, left = _stopped(there, unit, home)
    return Verdict(
        jobs=len(found), trials=sum(int((job.result or {}).get("evaluations") or 0) for job in found),
        not_done=tuple(f"{job.id} ({job.status})" for job in found if job.status != "done"),
        differing=tuple(each["job"] for each in recounts if not each["ok"]) if recounts else ("none was recounted",),
        leased=tuple(job.id for job in found if job.lease_owner), left=left, restarts=restarts, exit_code=exit_code,
    )  # fmt: skip


def _stopped(there: World, unit: Unit, home: Home) -> tuple[int | None, tuple[str, ...]]:
    """Stop the server and the database; the answer is the server's exit code, and what still runs half a minute later."""
    code = unit.stop()
    with there.popen("db", "stop", "--force", side="look") as process:
        process.wait(60.0)
    until = time.monotonic() + _LEFT_S
    while (left := home.running()) and time.monotonic() < until:
        time.sleep(0.5)
    return code, tuple(f"{each.kind} {each.process.pid} ({each.words[:100]})" for each in left)
