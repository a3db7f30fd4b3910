"""A hand of the driver service: `coinswarm serve --hand` reads jobs from standard input and drives each that may be driven."""

from __future__ import annotations

import json
import os
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cluster import bootstrap, logs, private
from cluster import settings as machine
from coinswarm import errors

if TYPE_CHECKING:
    from cluster.settings import Settings
    from coinswarm.ledger.store import Store

_PASSING = (errors.Unavailable, errors.Conflict, errors.StorageFull)
"""Whatever may be over when the job is tried again."""


def serve(settings: Settings) -> None:
    """Run jobs until standard input ends; the one that runs then is given back."""
    bootstrap.prepare(settings)
    answers = os.fdopen(os.dup(1), "w")
    with bootstrap.open_store(settings) as store:
        for line in sys.stdin:
            asked = json.loads(line)
            if asked.get("warm"):
                threading.Thread(target=_warm, args=(settings,), daemon=True).start()
                continue
            _current["job"] = asked["job"]
            work = threading.Thread(target=_work, args=(settings, store, asked, answers), daemon=True)
            work.start()
        _give_back(store, _current["job"])
    os._exit(0)


_current = {"job": ""}


def _warm(settings: Settings) -> None:
    """Compile the kernels; a job that comes meanwhile shares what is done. Without them jobs are slower at first, and no worse."""
    with suppress(errors.CoinswarmError):
        bootstrap.warm(settings)


def _work(settings: Settings, store: Store, asked: dict[str, str], answers: Any) -> None:
    """Run one job in a thread: signals belong to the main one, and its standard input is heard meanwhile."""
    job = asked["job"]
    logs.of_process(job=job)
    with _written_to(settings, job):
        ending, error = _run(settings, store, job, asked["address"])
    _current["job"] = ""
    answers.write(json.dumps({"job": job, "ending": ending, "error": error}) + "\n")
    answers.flush()


def _run(settings: Settings, store: Store, name: str, address: str) -> tuple[str, str]:
    from cluster.cli import jobs

    changed = {"ray_address": address or None, "compute": "cluster" if address else "process"}
    try:
        job = store.job(name)
        jobs.start(settings.model_copy(update=changed), store, job, workers=None, as_json=True)
    except errors.Cancelled:
        return "ended", ""
    except _PASSING as problem:
        return "interrupted", str(problem)
    except errors.CoinswarmError as problem:
        return "refused", str(problem)
    except Exception as problem:  # noqa: BLE001 - whatever it is, the service decides how often it is tried again
        return "interrupted", f"{type(problem).__name__}: {problem}"
    return "ended", ""


class _written_to:  # noqa: N801 - reads as a phrase
    """Send what is printed inside, by this process and its libraries, to the log of a job."""

    def __init__(self, settings: Settings, job: str) -> None:
        folder = private.folder(machine.ensure_home(settings) / "logs")
        self._path = folder / f"{job}.log"

    def __enter__(self) -> None:
        self._before = [os.dup(number) for number in (1, 2)]
        with self._path.open("ab") as log:
            for number in (1, 2):
                os.dup2(log.fileno(), number)

    def __exit__(self, *_error: object) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, before in zip((1, 2), self._before, strict=True):
            os.dup2(before, number)
            os.close(before)


def _give_back(store: Store, name: str) -> None:
    """Release a job that this process drives."""
    from coinswarm.ledger.records import Lease

    if not name:
        return
    with suppress(errors.CoinswarmError):
        job = store.job(name)
        if job.lease_expires is not None and f":{os.getpid()}:" in job.lease_owner:
            store.release(Lease(job=job.id, owner=job.lease_owner, expires=job.lease_expires))
