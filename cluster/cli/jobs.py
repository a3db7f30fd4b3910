"""`coinswarm jobs`: list, show, watch, cancel, terminate, resume, verify and prune jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster import bootstrap
from cluster.cli import client, console, following, job_commands, prune, reports, usage, verify
from cluster.jobs import brief
from coinswarm import codec
from coinswarm.printable import counted
from coinswarm.report import wording

if TYPE_CHECKING:
    from coinswarm.ledger.records import Job

app = usage.App(
    help="List, show, watch, cancel, resume, verify and prune jobs.",
    examples=["coinswarm jobs list", "coinswarm jobs watch evolve-20250131"],
)

OfJob = Annotated[str, typer.Argument(metavar="JOB", help="Its id, or the beginning of it.")]
Interval = Annotated[float | None, typer.Option(help="Seconds between two looks. A server tells by itself.", min=0.1, max=3600)]
_LOOK_S = 1.0
_LEFT_OUT = ("config", "result", "queue", "play_hashes", "data_hash", "config_hash", "lease_expires")
_IN_TITLE = ("job", "synthetic")


@app.command("list")
def list_jobs(
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many rows.", min=1, max=10_000)] = 20,
    server: client.Server = None,
    as_json: console.AsJson = False,
) -> None:
    """List jobs, newest first."""
    remote = client.wanted(console.settings(), server)
    if remote is not None:
        _list(remote.get("/api/v1/jobs", limit=min(limit, 1000))["rows"], as_json=as_json)
        return
    with bootstrap.open_store(console.settings()) as store:
        found = store.jobs(limit=limit)
    _list([brief.brief(job) for job in found], as_json=as_json)


def _list(found: Iterable[Mapping[str, Any]], *, as_json: bool) -> None:
    shown = [_row(job) for job in found]
    if as_json:
        console.emit_json(shown)
        return
    if not shown:
        console.text("no jobs yet: `coinswarm demo` runs a complete example, `coinswarm evolve PLAY --symbol MARKET` a search of your own")
        return
    console.table(
        f"{counted(len(shown), 'job')}, newest first", ["job", "status", "plays", "bars", "variants"], [_cells(job) for job in shown]
    )


def _cells(job: Mapping[str, Any]) -> list[Any]:
    """A job as a line of a table; its id says its kind and when it was made."""
    variants = f"{job['population']} {_TIMES} {job['generations']}" if job["population"] else None
    several = counted(len(job["markets"]), "market") if job["markets"] else ""
    markets = job["markets"][0].partition(":")[2] if len(job["markets"]) == 1 else several
    return [job["job"], job["status"], ", ".join(job["plays"]), f"{markets}{' SYNTHETIC' if job['synthetic'] else ''}", variants]


_TIMES = "\N{MULTIPLICATION SIGN}"


@app.command("show")
def show_job(job: OfJob, server: client.Server = None, as_json: console.AsJson = False) -> None:
    """Show what a job was asked to do and how far it is."""
    remote = client.wanted(console.settings(), server)
    if remote is not None:
        _show_remote(remote, job, as_json=as_json)
        return
    with bootstrap.open_store(console.settings()) as store:
        found = store.job(job)
        done = [record for record in store.generations(found.id) if record.island >= 0]
    if as_json:
        console.emit_json({**codec.plain(found), "generations": [following.generation(record) for record in done]})
        return
    console.facts(f"job {found.id}", _told(found).items(), synthetic=found.synthetic)
    rows: list[list[Any]] = [[_read(value) for value in following.generation(record).values()] for record in done[-20:]]
    if rows:
        headings = ["island", "generation", "best", "median", "diversity", "variants", "failures", "seconds"]
        console.table("last generations", headings, rows)


def _show_remote(remote: client.Client, job: str, *, as_json: bool) -> None:
    found = remote.get(f"/api/v1/jobs/{job}")
    if as_json:
        console.emit_json({**found, "generations": remote.get(f"/api/v1/jobs/{found['id']}/generations")})
    else:
        console.facts(f"job {found['id']}", _facts(found), synthetic=found["synthetic"])


@app.command("watch")
def watch_job(
    job: OfJob,
    interval: Interval = None,
    server: client.Server = None,
    as_json: console.AsJson = False,
) -> None:
    """Follow a job until it ends. Exit code 1 when it failed or was cancelled."""
    settings = console.settings()
    remote = client.wanted(settings, server)
    if remote is not None:
        client.refuse_idle(interval=interval)
        found = _follow(remote, job)
    else:
        with bootstrap.open_store(settings) as store, bootstrap.open_queue(settings) as (queue, _):
            name = store.job(job).id
            found = codec.plain(following.followed(store, name, interval or _LOOK_S, served=queue.entry(name) is not None))
    if as_json:
        console.emit_json({"job": found["id"], **{name: found[name] for name in ("status", "error", "result")}})
    else:
        console.text(f"job {found['id']} is {found['status']}{f': {error}' if (error := found['error']) else ''}")
        if found["status"] == "done":
            console.note(f"`coinswarm jobs report {found['id']}` shows what it found")
    if found["status"] != "done":
        raise typer.Exit(1)


@app.command("cancel")
def cancel_job(job: OfJob, server: client.Server = None, as_json: console.AsJson = False) -> None:
    """Cancel a queued or running job. What is done is kept, and it can be resumed."""
    remote = client.wanted(console.settings(), server)
    if remote is not None:
        answer = remote.post(f"/api/v1/jobs/{job}/cancel")
        name, status = answer["job"], answer["status"]
    else:
        with bootstrap.open_store(console.settings()) as store:
            name = store.job(job).id
            status = store.cancel(name)
    said = f"job {name} is {status}{'; its process stops within seconds' if status == 'cancelled' else ''}"
    console.answer({"job": name, "status": status}, said, as_json=as_json)


@app.command("terminate")
def terminate_job(job: OfJob, server: client.Server = None, as_json: console.AsJson = False) -> None:
    """Cancel a job that does not react: take its lease and end its process. A server asks for an admin's token."""
    remote = client.wanted(console.settings(), server)
    if remote is not None:
        found = remote.post(f"/api/v1/jobs/{job}/terminate")
    else:
        from cluster.run import terminate

        with bootstrap.open_store(console.settings()) as store, bootstrap.open_queue(console.settings()) as (queue, _):
            found = codec.plain(terminate.terminate(queue, store.job(job).id, by=""))
    console.answer(found, f"job {found['job']} is {found['status']}; {_FATES[found['process']].format(found['owner'])}", as_json=as_json)


_FATES = {
    "none": "no process worked on it", "ended": "the process of {} was ended",
    "elsewhere": "{} lost it: what it still computes is not stored",
}  # fmt: skip
"""What became of the process of a job that was terminated, by the owner of its lease."""


@app.command("resume")
def resume_job(
    job: OfJob,
    workers: job_commands.Workers = None,
    address: job_commands.Address = None,
    server: client.Server = None,
    as_json: console.AsJson = False,
) -> None:
    """Resume a job from its last commit. The result is as if it had never stopped."""
    settings = console.settings()
    remote = client.wanted(settings, server)
    if remote is not None:
        client.refuse_idle(workers=workers, address=address)
        resumed = remote.post(f"/api/v1/jobs/{job}/resume")
        job, status = resumed["id"], resumed["status"]
        console.answer({"job": job, "status": status}, f"job {job} is queued again", as_json=as_json)
        return
    if address:
        settings = settings.model_copy(update={"ray_address": address})
    job_commands.resume(settings, job, workers=workers, as_json=as_json)


@app.command("report")
def report_job(
    job: OfJob,
    out: Annotated[Path | None, typer.Option("--out", help="Write it as this HTML file as well.")] = None,
    server: client.Server = None,
    as_json: console.AsJson = False,
) -> None:
    """Show the result of a job of any kind, and write it as one HTML file with --out."""
    settings = console.settings()
    remote = client.wanted(settings, server)
    if remote is not None:
        name, path = reports.fetched(settings, remote, f"/api/v1/jobs/{job}", out)
        console.answer({"job": name, "path": str(path)}, str(path), as_json=as_json)
        return
    with bootstrap.open_runner(settings, note=console.note) as runner:
        found = runner.context.store.job(job)
        report = runner.report(found)
        written = None if out is None else reports.write(settings, report, found, out)
    if as_json:
        console.emit_json(report.data)
        return
    if found.status != "done":
        console.text(_standing(found))
    reports.show(report, written)


app.command("prune")(prune.command)
app.command("verify")(verify.command)

"""What becomes of a queued job that no one drives."""


def _standing(job: Job) -> str:
    """How a job stands that is not done, and what to do about it."""
    standing = brief.standing(job)
    follow = {"queued": "`coinswarm serve` runs what is queued", "running": f"`coinswarm watch {job.id}` follows it"}
    why = f": {job.error}" if job.error else ""
    return f"job {job.id} is {standing}{why}; {follow.get(standing, f'`coinswarm jobs resume {job.id}` resumes it')}"


def _row(job: Mapping[str, Any]) -> dict[str, Any]:
    """A job as it stands in a list, from the ledger or from a server."""
    created = job["created"] if isinstance(job["created"], datetime) else datetime.fromisoformat(job["created"])
    return {
        "job": job["id"], "kind": job["kind"], "status": job["status"], "created": created.astimezone(UTC),
        "plays": list(job["plays"]), "markets": list(job["markets"]), "population": job["population"],
        "generations": job["generations"], "seed": job["seed"], "synthetic": job["synthetic"],
    }  # fmt: skip


def _facts(job: Mapping[str, Any]) -> list[list[Any]]:
    """What a job from a server is, a line each."""
    more = {name: value for name, value in job.items() if name not in (*_LEFT_OUT, "id", "plays", "markets", "columns")}
    shown = {**_row(job), **more, **job.get("columns", {})}
    return [[name.replace("_", " "), _read(value)] for name, value in shown.items() if name not in _IN_TITLE]


def _follow(remote: client.Client, job: str) -> dict[str, Any]:
    """Say what a job at a server tells until it ends; the answer is the job as it is then."""
    for name, data in remote.events(job):
        if name == "job":
            console.note(f"job {data['id']} is {data['status']}")
        for record in data.get("generations", []) if name == "commit" else []:
            if record["island"] >= 0:
                console.note("  ".join(f"{key} {_short(value)}" for key, value in record.items() if key != "figures"))
    found: dict[str, Any] = remote.get(f"/api/v1/jobs/{job}")
    return found


def _short(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def _read(value: Any) -> Any:
    """A value as it is read: lists with commas, times to the second, numbers in a few digits."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, float):
        return wording.number(value, digits=3)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else value


def _told(job: Job) -> dict[str, Any]:
    """What a job of the ledger is, a line each."""
    known, result = brief.brief(job), job.result or {}
    return {
        **{name: _read(value) for name, value in _row(known).items() if name not in _IN_TITLE}, **known["columns"], **_bars_of(job.config),
        "evaluations": _read(result.get("evaluations")), "failures": _read(result.get("failures")),
        "failed for": "; ".join(f"{n:,} times {reason}" for reason, n in (result.get("failed_for") or {}).items()) or None,
        "raced out": _raced_out(result), "ended by": result.get("reason"),
        "result hash": (job.result_hash or "")[:16], "code version": job.code_version, "driver": job.lease_owner, "error": job.error,
    }  # fmt: skip


def _bars_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """The bars that a job's config names, as far as this program can read it."""
    try:
        data = ", ".join(f"{span['key']} ({span['n_bars']:,} bars)" for span in config.get("markets", ()))
        return {"bars": data, "held out from": console.moment(config.get("split_ts"))}
    except (KeyError, TypeError, AttributeError, ValueError):
        return {"bars": "the config cannot be read"}


def _raced_out(result: Mapping[str, Any]) -> str | None:
    """How many variants lost their race on a part of the bars; None when there was no race."""
    raced = result.get("racing")
    return None if raced is None else f"{raced['dropped']:,}; {raced['share']:.0%} of the variant-bars were gone over"
