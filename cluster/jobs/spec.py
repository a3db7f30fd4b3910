"""Handing a job to the store, and taking one up again: refused, with the difference, when it would no longer be the same job."""

from __future__ import annotations

import difflib
import os
import socket
from pathlib import Path

from cluster import version
from cluster.jobs.evolve import plan as planning
from cluster.jobs.evolve.plan import Plan
from coinswarm import errors
from coinswarm.ledger.records import Job, Lease, PlayRecord, new_owner
from coinswarm.ledger.store import Store


def submit(store: Store, plan: Plan) -> None:
    """Queue a planned job with all that it refers to."""
    store.save_data_sets(plan.data_sets)
    for play in plan.plays:
        store.save_play(play)
    store.create_job(plan.job)


def claim(store: Store, job: str, *, lease_s: float) -> Lease:
    """The right to drive a job, for this process."""
    return store.claim(job, new_owner(socket.gethostname(), os.getpid()), lease_s=lease_s)


def resumed(store: Store, name: str, catalog_path: Path) -> Plan:
    """The plan of a stored job, ready to be driven on.

    Args:
        store: where it is remembered.
        name: its id, or a prefix of it.
        catalog_path: the bars of this machine.

    Raises:
        Refused: plays, costs or code changed since; the message shows how. Changed bars are refused by whoever loads them.
        Conflict: the job is done.
    """
    job = store.job(name)
    if job.status == "done":
        raise errors.Conflict(f"job {job.id} is done", hint=f"`coinswarm top {job.id}` shows what it found")
    plays = tuple(store.play(sha256) for sha256 in job.plays)
    plan = planning.plan_again(job, plays, store.data_sets(job.data_hashes), catalog_path)
    refuse_changed(job, *_changed_costs(job, plan), *_changed_plays(job, plays))
    return plan


def require_name(campaign: str) -> None:
    """Raise `InvalidArgument` where a campaign has no name: nobody could ask for it again."""
    if not campaign.strip():
        raise errors.InvalidArgument("a campaign has a name", found=repr(campaign), hint="without --campaign it is `default`")


ANY_CODE = ("fetch",)
"""Kinds that other code may go on with: what an exchange answers does not depend on ours."""


def refuse_changed(job: Job, *more: str) -> None:
    """Refuse to go on with a job of any kind whose code, config or data is no longer what it was made with.

    Args:
        job: the job as it is stored.
        more: what else has changed, as lines.

    Raises:
        Refused: something has; the message shows how.
    """
    compared = {
        "code": (job.code_version, job.code_version if job.kind in ANY_CODE else version.code_version()),
        "config hash": (job.config_hash, planning.config_hash(job.config)),
        "data hash": (job.data_hash, planning.data_hash(job.data_hashes)),
    }
    changes = [line for name, (before, now) in compared.items() if now != before for line in (f"{name}:", f"- {before}", f"+ {now}")]
    if changes or more:
        raise errors.Refused(
            f"job {job.id} cannot go on as the same job:\n" + "\n".join([*changes, *more]), hint="start a new job, or undo the change"
        )


def _changed_costs(job: Job, plan: Plan) -> list[str]:
    """What the plays cost now against what the job was made with: defaults of the program may have changed."""
    changes: list[str] = []
    for described, setup in zip(job.config["plays"], plan.task.setups, strict=True):
        for kind, settings in (("costs", setup.costs), ("account", setup.account)):
            before, now = described[kind], settings.model_dump(mode="json")
            changes += [
                f"{described['name']}.{kind}.{key}: {before.get(key)} -> {now.get(key)}"
                for key in sorted({*before, *now})
                if before.get(key) != now.get(key)
            ]
    return changes


def _changed_plays(job: Job, plays: tuple[PlayRecord, ...]) -> list[str]:
    """How the files that the plays came from differ from what is stored; a file that is gone has not changed."""
    changes: list[str] = []
    for name, play in zip(job.config["files"], plays, strict=True):
        if name and Path(name).is_file():
            now = Path(name).read_text("utf-8-sig")
            changes += difflib.unified_diff(play.text.splitlines(), now.splitlines(), f"{name} as stored", f"{name} now", lineterm="")
    return changes
