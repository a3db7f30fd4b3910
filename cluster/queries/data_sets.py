"""Data sets as a whole: what depends on one, taking it away, calling it otherwise.

A job names its bars and their hash, and the hash covers the name. So bars that are gone or renamed are no longer those of the job: what it
found stays, but it cannot be replayed, reported or resumed until bars of that name and hash are back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coinswarm import errors
from coinswarm.ledger.campaigns import Campaigns
from coinswarm.ledger.records import FINAL_STATUSES, Job
from coinswarm.ledger.store import Store
from coinswarm.market.catalog import Catalog, DataSet

_ALL = 1_000_000
_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class Uses:
    """What depends on a data set.

    Attributes:
        data_set: what is stored.
        jobs: those that used bars of this name, newest first.
        campaigns: those whose vault was declared on it.
    """

    data_set: DataSet
    jobs: tuple[Job, ...] = ()
    campaigns: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What would no longer be possible; empty when nothing depends on it."""
        lost = []
        if self.jobs:
            names = [f"{job.id} ({job.kind})" for job in self.jobs[:_NAMED]]
            more = f" and {len(self.jobs) - _NAMED} more" if len(self.jobs) > _NAMED else ""
            count = "a job" if len(self.jobs) == 1 else f"{len(self.jobs)} jobs"
            lost.append(f"{count} can no longer be replayed, reported or resumed: {', '.join(names)}{more}")
        if self.campaigns:
            lost.append(f"the vault of {', '.join(self.campaigns)} can no longer be opened")
        return "; ".join(lost)

    @property
    def ids(self) -> list[str]:
        """The jobs by id."""
        return [job.id for job in self.jobs]


def stored(catalog_path: Path, names: Sequence[str]) -> list[DataSet]:
    """The data sets that are meant, each once.

    Raises:
        NotFound, InvalidArgument: one is not stored, or a name fits several.
    """
    with Catalog.open(catalog_path, read_only=True) as catalog:
        found = [catalog.find(name) for name in names]
    return list({entry.key: entry for entry in found}.values())


def uses(store: Store, kept: Campaigns, found: Sequence[DataSet]) -> list[Uses]:
    """What depends on each data set."""
    jobs = store.jobs(limit=_ALL)
    hashes = list(dict.fromkeys(name for job in jobs for name in job.data_hashes))
    keys = {record.content_hash: record.key for record in store.data_sets(hashes)}
    vaults = {split.campaign: {market.key for market in split.markets} for split in kept.splits()}
    return [
        Uses(
            data_set=entry,
            jobs=tuple(job for job in jobs if entry.key in {keys[name] for name in job.data_hashes}),
            campaigns=tuple(campaign for campaign, markets in vaults.items() if entry.key in markets),
        )
        for entry in found
    ]


def refuse_busy(found: Sequence[Uses]) -> None:
    """Raise `Conflict` while a job that has not ended needs one of the data sets."""
    for each in found:
        busy = [job for job in each.jobs if job.status not in FINAL_STATUSES]
        if busy:
            raise errors.Conflict(
                f"{each.data_set.key} is needed by a job that has not ended", found=f"{busy[0].id}, {busy[0].status}",
                hint=f"`coinswarm jobs cancel {busy[0].id}`, or wait for it",
            )  # fmt: skip


def remove(catalog_path: Path, found: Sequence[DataSet]) -> None:
    """Take data sets away, all or none.

    Raises:
        NotFound: one is gone already. Conflict: another process uses the bars.
    """
    with Catalog.open(catalog_path) as catalog, catalog.transaction():
        for entry in found:
            catalog.remove(entry.key)


def removed(store: Store, kept: Campaigns, catalog_path: Path, name: str, *, anyway: bool) -> dict[str, Any]:
    """Take one data set away; what depended on it is the answer.

    Raises:
        NotFound: there is none. Conflict: a job that has not ended needs it, or others used it and `anyway` is not said.
    """
    used = uses(store, kept, stored(catalog_path, [name]))
    refuse_busy(used)
    if used[0].text and not anyway:
        raise errors.Conflict(f"without {used[0].data_set.key} {used[0].text}", hint="`anyway=true` removes it all the same")
    remove(catalog_path, [used[0].data_set])
    return {"removed": used[0].data_set.key, "jobs": used[0].ids, "campaigns": list(used[0].campaigns)}
