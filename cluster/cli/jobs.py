"""`coinswarm jobs`: list, show, watch, cancel, resume and prune jobs."""

from __future__ import annotations

import importlib
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster import bootstrap
from cluster.cli import client, console, handing, prune
from coinswarm import errors

if TYPE_CHECKING:
    from cluster.settings import Settings
    from coinswarm.ledger.records import GenerationRecord, Job
    from coinswarm.ledger.store import Store

app = typer.Typer(help="List, show, watch, cancel, resume and prune jobs.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
OfJob = Annotated[str, typer.Argument(help="A job's id or the beginning of it.")]
LOST = "lost"
"""Shown for a running job whose driver let its lease run out; `resume` goes on."""
KINDS = {
    "evolve": "cluster.cli.evolve",
    "chaos": "cluster.cli.chaos",
    "discover": "cluster.cli.patterns",
    "honesty": "cluster.cli.honesty",
    "test": "cluster.cli.rules",
    "validate": "cluster.cli.validate",
    "fetch": "cluster.cli.bars",
}
"""The command that drives jobs of each kind, by its functions `plan_again` and `go_on`; imported only when such a job is driven."""
_ENDED = ("done", "failed", "cancelled")


@app.callback()
def jobs() -> None:
    """List, show, watch, cancel, resume and prune jobs."""


@app.command("list")
def list_jobs(
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many, newest first.", min=1, max=10_000)] = 20,
    server: client.Server = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Jobs, newest first."""
    remote = client.wanted(console.settings(), server)
    if remote is not None:
        _list([handing.brief(each) for each in remote.get("/api/v1/jobs", limit=min(limit, 1000))["rows"]], as_json=as_json)
        return
    with bootstrap.open_store(console.settings()) as store:
        found = store.jobs(limit=limit)
    _list([_brief(job) for job in found], as_json=as_json)


def _list(found: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        console.emit_json(found)
        return
    rows: list[list[Any]] = [[*job.values()] for job in found]
    headings = ["job", "kind", "status", "created", "plays", "markets", "population", "generations", "seed", "synthetic"]
    console.table(f"{len(rows)} job(s)", headings, rows)


@app.command("show")
def show_job(job: OfJob, server: client.Server = None, *, as_json: AsJson = False) -> None:
    """What a job was asked to do and how far it is."""
    remote = client.wanted(console.settings(), server)
    if remote is not None:
        _show_remote(remote, job, as_json=as_json)
        return
    with bootstrap.open_store(console.settings()) as store:
        found = store.job(job)
        done = [record for record in store.generations(found.id) if record.island >= 0]
    if as_json:
        console.emit_json({**console.plain(found), "generations": [_generation(record) for record in done]})
        return
    facts: list[list[Any]] = [[name, value] for name, value in (_brief(found) | _more(found)).items()]
    console.table(f"job {found.id}", ["what", "value"], facts, synthetic=found.synthetic)
    rows: list[list[Any]] = [[*_generation(record).values()] for record in done[-20:]]
    console.table("last generations", ["island", "generation", "best", "median", "diversity", "evaluations", "failures", "seconds"], rows)


def _show_remote(remote: client.Client, job: str, *, as_json: bool) -> None:
    found = remote.get(f"/api/v1/jobs/{job}")
    if as_json:
        console.emit_json({**found, "generations": remote.get(f"/api/v1/jobs/{found['id']}/generations")})
    else:
        console.table(f"job {found['id']}", ["what", "value"], handing.facts(found), synthetic=found["synthetic"])


@app.command("watch")
def watch_job(
    job: OfJob,
    interval: Annotated[float, typer.Option(help="Seconds between looks.", min=0.1, max=3600)] = 1.0,
    server: client.Server = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Follow a job from any terminal or machine until it ends; exit code 1 when it failed or was cancelled."""
    settings = console.settings()
    remote = client.wanted(settings, server)
    if remote is not None:
        handing.present_remote(handing.follow(remote, job), as_json=as_json)
        return
    with bootstrap.open_store(settings) as store, bootstrap.open_queue(settings) as (queue, _):
        name = store.job(job).id
        found = _followed(store, name, interval, served=queue.entry(name) is not None)
    if as_json:
        console.emit_json({"job": found.id, "status": found.status, "error": found.error, "result": found.result})
    else:
        console.text(f"job {found.id} is {found.status}{f': {found.error}' if found.error else ''}")
        if found.kind == "evolve" and found.status == "done":
            console.note(f"`coinswarm top {found.id}` shows what it found")
    if found.status != "done":
        raise typer.Exit(1)


@app.command("cancel")
def cancel_job(job: OfJob, server: client.Server = None, *, as_json: AsJson = False) -> None:
    """Cancel a job, whether it waits or runs; what was evaluated is kept and it can be resumed."""
    remote = client.wanted(console.settings(), server)
    if remote is not None:
        answer = remote.post(f"/api/v1/jobs/{job}/cancel")
        name, status = answer["job"], answer["status"]
    else:
        with bootstrap.open_store(console.settings()) as store:
            name = store.job(job).id
            status = store.cancel(name)
    if as_json:
        console.emit_json({"job": name, "status": status})
    else:
        console.text(f"job {name} is {status}{'; what drives it ends in a moment' if status == 'cancelled' else ''}")


@app.command("resume")
def resume_job(
    job: OfJob,
    workers: Annotated[int | None, typer.Option("--workers", "-w", help="Processes of the local cluster; else one a core.", min=1)] = None,
    address: Annotated[str | None, typer.Option(help="A running Ray cluster; else RAY_ADDRESS, else a local one.")] = None,
    server: client.Server = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Go on from the last committed generation; the result is the same as if the job had never stopped."""
    settings = console.settings()
    remote = client.wanted(settings, server)
    if remote is not None:
        console.text(f"job {remote.post(f'/api/v1/jobs/{job}/resume')['id']} is in the line again")
        return
    if address:
        settings = settings.model_copy(update={"ray_address": address})
    bootstrap.prepare(settings)
    with bootstrap.open_store(settings) as store:
        found = store.job(job)
        _refuse_driven(found)
        driver, plan = planned_again(settings, store, found)
        store.resume(found.id)
        driver.go_on(settings, store, plan, workers=workers, as_json=as_json)


@app.command("start", hidden=True)
def start_job(job: OfJob) -> None:
    """Drive a job that is queued, as a process of its own does for `--detach`; unlike `resume` it takes no cancel back."""
    settings = console.settings()
    bootstrap.prepare(settings)
    with bootstrap.open_store(settings) as store:
        start(settings, store, store.job(job), workers=None, as_json=False)


def start(settings: Settings, store: Store, job: Job, *, workers: int | None, as_json: bool) -> None:
    """Drive a job that is queued, or whose driver died, from its last commit to its end.

    Raises:
        Cancelled: it is. Conflict: it ended, or another drives it. Refused: it would no longer be the same job.
    """
    from coinswarm.ledger import transitions

    transitions.refuse_ended(job)
    driver, plan = planned_again(settings, store, job)
    driver.go_on(settings, store, plan, workers=workers, as_json=as_json)


def planned_again(settings: Settings, store: Store, job: Job) -> tuple[Any, Any]:
    """The module that drives a stored job, and the job's plan: the way of every kind, whoever asks for the job to go on.

    Raises:
        Conflict: the job is done. Refused: it would no longer be the same job.
    """
    from cluster.jobs import spec as submit
    from cluster.run import steps

    steps.refuse_ended(job.status, job.id)
    submit.refuse_changed(job)
    driver = driver_of(job)
    return driver, driver.plan_again(settings, store, job)


def driver_of(job: Job) -> Any:
    """The module whose `plan_again` and `go_on` drive jobs of this kind.

    Raises:
        Refused: this program does not know the kind.
    """
    if job.kind not in KINDS:
        raise errors.Refused(f"job {job.id} must be of a kind that this program knows", found=job.kind, hint=", ".join(KINDS))
    return importlib.import_module(KINDS[job.kind])


app.command("prune")(prune.command)

_NEXT = {"queued": "; `coinswarm serve` runs what is in the line", LOST: "; a driver service takes it up again"}
"""What becomes of a job of the line that nobody drives."""


def _followed(store: Store, job: str, interval_s: float, *, served: bool) -> Job:
    """Print generations as they are committed, until the job ends or nobody drives it; one that is `served` is taken up again by itself."""
    seen: set[tuple[int, int]] = set()
    told = ""
    while True:
        found = store.job(job)
        for record in store.generations(job):
            if record.island >= 0 and (record.island, record.generation) not in seen:
                seen.add((record.island, record.generation))
                console.note("  ".join(f"{name} {value}" for name, value in _generation(record).items()))
        if found.status in _ENDED:
            return found
        standing = _standing(found)
        if standing == LOST and not served:
            raise errors.Unavailable(f"nobody drives job {job}", hint=f"`coinswarm jobs resume {job}` goes on")
        if standing != told:
            told = standing
            console.note(f"job {job} is {standing}{_NEXT.get(standing, '') if served else ''}")
        time.sleep(interval_s)


def _standing(job: Job) -> str:
    """A job's status; a running one whose driver has not been heard of is lost."""
    if job.status == "running" and job.lease_expires is not None and job.lease_expires < datetime.now(UTC):
        return LOST
    return str(job.status)


def _refuse_driven(job: Job) -> None:
    """Say who drives a job before a cluster is started in vain."""
    if job.status == "running" and _standing(job) != LOST and job.lease_expires is not None:
        left_s = max(0.0, (job.lease_expires - datetime.now(UTC)).total_seconds())
        raise errors.Conflict(
            f"job {job.id} is driven by {job.lease_owner}",
            hint=f"if that driver is dead, its lease runs out in {left_s:.0f} s; then resume again",
        )


def _brief(job: Job) -> dict[str, Any]:
    search = job.config.get("search", {})
    names = [entry["name"] for entry in job.config.get("plays", [])]
    markets: Sequence[Any] = job.config.get("markets", [])
    return {
        "job": job.id, "kind": job.kind, "status": _standing(job), "created": f"{job.created:%Y-%m-%d %H:%M:%S}", "plays": ", ".join(names),
        "markets": len(markets), "population": search.get("population"), "generations": search.get("generations"),
        "seed": job.seed, "synthetic": job.synthetic,
    }  # fmt: skip


def _more(job: Job) -> dict[str, Any]:
    result = job.result or {}
    return {
        "data": ", ".join(f"{span['key']} ({span['n_bars']:,} bars)" for span in job.config.get("markets", [])),
        "held out from": console.moment(job.config.get("split_ts")),
        "evaluations": result.get("evaluations"), "failures": result.get("failures"),
        "failed for": "; ".join(f"{n:,} times {reason}" for reason, n in (result.get("failed_for") or {}).items()) or None,
        "raced out": _raced_out(result), "ended because of": result.get("reason"),
        "result hash": job.result_hash, "code": job.code_version, "driver": job.lease_owner, "error": job.error,
    }  # fmt: skip


def _raced_out(result: Mapping[str, Any]) -> str | None:
    """How many variants lost their race on a part of the bars; None when there was no race."""
    raced = result.get("racing")
    return None if raced is None else f"{raced['dropped']:,}; {raced['share']:.0%} of the variant-bars were gone over"


def _generation(record: GenerationRecord) -> dict[str, Any]:
    return {
        "island": record.island, "generation": record.generation, "best": _rounded(record.best), "median": _rounded(record.median),
        "diversity": _rounded(record.diversity), "evaluations": record.evaluations, "failures": record.failures,
        "seconds": _rounded(record.seconds),
    }  # fmt: skip


def _rounded(value: float) -> float:
    return round(value, 4)
