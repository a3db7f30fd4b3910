"""The command of each kind of job: run here, estimate, leave to the background, queue for the service, or submit to a server elsewhere."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster import bootstrap, machine
from cluster.cli import client, console, job_options
from cluster.jobs import registry
from coinswarm import errors

if TYPE_CHECKING:
    from cluster.jobs.kind import Estimate, JobKind, Planned
    from cluster.jobs.settings import JobSettings, PlayGiven
    from cluster.machine import MachineSettings
    from cluster.run.runner import Runner
    from coinswarm.ledger.records import Job

Workers = Annotated[int | None, typer.Option("--workers", "-w", help="Processes of the local cluster; else one a core.", min=1)]
Address = Annotated[str | None, typer.Option(help="A running Ray cluster; else RAY_ADDRESS, else a local one.")]
IfEstimate = Annotated[bool, typer.Option("--estimate", help="Say what it would take, and stop.")]
IfDetach = Annotated[bool, typer.Option("--detach", help="Run on in the background; watch it with `coinswarm jobs watch`.")]
IfQueue = Annotated[bool, typer.Option("--queue", help="Leave it to the driver service of this machine (`coinswarm serve`).")]
Priority = Annotated[int, typer.Option(help="In the queue of a driver service: greater is sooner.", min=-100, max=100)]
Key = Annotated[str | None, typer.Option(help="Submitting again with the same key changes nothing.")]
Out = Annotated[Path | None, typer.Option("--out", help="The HTML file of the report; else in `reports` of the home folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]

_COMMON: dict[str, tuple[Any, Any]] = {
    "workers": (Workers, None), "address": (Address, None), "estimate": (IfEstimate, False), "detach": (IfDetach, False),
    "queue": (IfQueue, False), "server": (client.Server, None), "priority": (Priority, 0), "key": (Key, None), "as_json": (AsJson, False),
}  # fmt: skip
_OF_A_SUBMISSION = ("server", "priority", "key", "as_json")


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOptions:
    """What is to become of requests: the options that are of a run and not of a kind."""

    workers: int | None = None
    address: str | None = None
    estimate: bool = False
    detach: bool = False
    queue: bool = False
    server: str | None = None
    priority: int = 0
    key: str | None = None
    out: Path | None = None
    as_json: bool = False


class ThisMachine:
    """Keeps `cluster.jobs.options.Machine`: files are imported into the catalog of this machine."""

    def __init__(self, settings: MachineSettings) -> None:
        self._settings = settings

    def imported(self, files: Sequence[Path]) -> list[str]:
        """Names of the data sets that files were imported into; importing a file again changes nothing."""
        from coinswarm.market.catalog import Catalog
        from coinswarm.market.files import file_hash, read

        markets = [read(path, tell=console.note) for path in files]
        machine.ensure_home(self._settings)
        with Catalog.open(self._settings.bars_file) as catalog, catalog.transaction():
            for path, bars in zip(files, markets, strict=True):
                stored = catalog.put(bars, source=str(path), source_hash=file_hash(path))
                console.note(f"{stored.key}: {stored.added:,} bars imported, {stored.unchanged:,} were there")
        return [bars.key for bars in markets]

    def plays(self, files: Sequence[Path]) -> list[PlayGiven]:
        """The plays of files; raises `BadPlay` or `NotFound` before anything is fetched or stored for them."""
        from cluster.jobs.settings import PlayGiven
        from coinswarm import play

        return [PlayGiven.read_from(path, play.load(path).text) for path in files]


def command(name: str, *, group: bool = False) -> Callable[..., None]:
    """The command that runs jobs of a kind, as typer takes it.

    Args:
        name: of the kind.
        group: the command has subcommands, and does nothing when one of them is called.
    """
    kind = registry.kind(name)

    def run(**given: Any) -> None:
        context = given.pop("context", None)
        if context is None or context.invoked_subcommand is None:
            _run(kind, given)

    common = {**_COMMON, "out": (Out, None)} if kind.writes_page else _COMMON
    run.__signature__ = _signature(kind, common, group=group)  # type: ignore[attr-defined]
    run.__annotations__ = {}
    run.__doc__ = kind.summary
    return run


def submission(name: str, more: dict[str, tuple[Any, Any]], submit: Callable[..., None]) -> Callable[..., None]:
    """A command with the options of a kind that hands `submit` what was typed, and `more` options of its own."""
    kind = registry.kind(name)

    def run(**given: Any) -> None:
        submit(kind, given)

    common = {**{each: _COMMON[each] for each in _OF_A_SUBMISSION}, **more}
    run.__signature__ = _signature(kind, common, optional=True)  # type: ignore[attr-defined]
    run.__annotations__ = {}
    run.__doc__ = submit.__doc__
    return run


def requests(kind: JobKind[Any], given: dict[str, Any], settings: MachineSettings) -> list[JobSettings]:
    """The requests of what was typed."""
    return job_options.requests(kind, given, ThisMachine(settings))


def execute(asked: Sequence[JobSettings], wanted: RunOptions, settings: MachineSettings) -> None:
    """Do with requests what is wanted: submit them elsewhere, queue them, estimate them or run them one after the other."""
    remote = client.wanted(settings, wanted.server)
    if remote is not None:
        _refuse_here(wanted)
        _submit_all(asked, lambda each: _posted(remote, each, wanted), wanted, place=f" --server {remote.server}")
        return
    settings = settings.model_copy(update={"ray_address": wanted.address}) if wanted.address else settings
    with bootstrap.open_runner(settings, workers=wanted.workers, note=console.note) as runner:
        if wanted.queue:
            _submit_all(asked, lambda each: runner.enqueue(each, priority=wanted.priority, key=wanted.key or ""), wanted, place="")
            return
        planned = [runner.plan(each) for each in asked]
        if wanted.estimate:
            _estimated(runner, planned, as_json=wanted.as_json)
        elif wanted.detach:
            _detached(settings, runner, planned, wanted)
        else:
            present(settings, runner, [_done(runner, each) for each in planned], wanted)


def resume(settings: MachineSettings, name: str, *, workers: int | None, as_json: bool) -> None:
    """Take a job that failed, was cancelled or lost its driver on from its last commit, and print what it came to."""
    from cluster.cli import live
    from cluster.run import stopping

    with bootstrap.open_runner(settings, workers=workers, note=console.note) as runner:
        with live.Display() as display, stopping.stop_requests(display.on_note) as stopped:
            job = runner.resume(name, watcher=display, stopped=stopped)
        present(settings, runner, [job], RunOptions(as_json=as_json))


def present(settings: MachineSettings, runner: Runner, jobs: Sequence[Job], wanted: RunOptions) -> None:
    """Print what jobs came to; one that is cancelled raises `Cancelled` after that."""
    from cluster.cli import reports

    written = [reports.write_if_wanted(settings, runner, job, wanted.out, several=len(jobs) > 1) for job in jobs]
    made = [runner.report(job) for job in jobs]
    if wanted.as_json:
        console.emit_json(made[0].data if len(made) == 1 else [each.data for each in made])
    else:
        for report, path in zip(made, written, strict=True):
            reports.show(report, path)
    for job in jobs:
        refuse_cancelled(job)


def refuse_cancelled(job: Job) -> None:
    """Raise `Cancelled` for a job that is: the command did not do what was asked of it."""
    if job.status == "cancelled":
        hint = f"`coinswarm jobs resume {job.id}` goes on"
        raise errors.Cancelled(f"job {job.id} is cancelled, what is done is kept", hint=hint)


def _run(kind: JobKind[Any], given: dict[str, Any]) -> None:
    settings = console.settings()
    bootstrap.prepare(settings)
    wanted = RunOptions(**{name: given.pop(name) for name in (*_COMMON, "out") if name in given})
    refuse_files(kind, settings, wanted, given)
    execute(requests(kind, given, settings), wanted, settings)


def refuse_files(kind: JobKind[Any], settings: MachineSettings, wanted: RunOptions, given: dict[str, Any]) -> None:
    """Raise `InvalidArgument` for files of candles that a server elsewhere would have to import."""
    names = [option.names[0] for option in kind.options.options if option.late and given.get(option.key)]
    if (wanted.server or settings.server) and names:
        raise errors.InvalidArgument(
            "a server has its own bars", found=f"{names[0]} with --server", hint="name a market that `coinswarm bars list` shows over there"
        )


def _signature(kind: JobKind[Any], common: dict[str, tuple[Any, Any]], *, group: bool = False, optional: bool = False) -> inspect.Signature:
    word = inspect.Parameter.KEYWORD_ONLY
    own = []
    for option in job_options.options(kind):
        required = option.required and not optional
        default = inspect.Parameter.empty if required else None
        own.append(inspect.Parameter(option.key, word, default=default, annotation=job_options.annotation(option, kind, optional=optional)))
    shared = [inspect.Parameter(name, word, default=default, annotation=type_) for name, (type_, default) in common.items()]
    context = [inspect.Parameter("context", word, annotation=typer.Context)] if group else []
    return inspect.Signature([*context, *own, *shared])


def _refuse_here(wanted: RunOptions) -> None:
    """Options of a run on this machine say nothing to a server."""
    for name in ("estimate", "detach", "workers", "address"):
        if getattr(wanted, name):
            raise errors.InvalidArgument(f"--{name} does not go with --server", hint="the server decides where and when a job runs")


def _posted(remote: client.Client, asked: JobSettings, wanted: RunOptions) -> str:
    headers = {"Idempotency-Key": wanted.key} if wanted.key else {}
    # What was not said stays unsaid: the server has its own defaults, and some are met where they can be.
    body = asked.model_dump(mode="json", exclude_unset=True)
    return str(remote.post("/api/v1/jobs", body, headers=headers, priority=wanted.priority)["id"])


def _submit_all(asked: Sequence[JobSettings], submit: Callable[[JobSettings], str], wanted: RunOptions, *, place: str) -> None:
    jobs = [submit(each) for each in asked]
    if wanted.as_json:
        console.emit_json({"job": jobs[0]} if len(jobs) == 1 else [{"job": job} for job in jobs])
    else:
        for job in jobs:
            console.text(f"job {job} is queued; follow it with `coinswarm watch {job}{place}`")


def _done(runner: Runner, planned: Planned) -> Job:
    """Run a planned job to its end, unless another has done the same."""
    from cluster.cli import live
    from cluster.run import stopping

    before = runner.repeated(planned)
    if before is not None and before.status == "done":
        console.note(f"job {before.id} has done this already: nothing is done twice")
        return before
    if before is not None:
        raise errors.Conflict(f"job {before.id} is doing this", hint=f"`coinswarm jobs resume {before.id}` goes on with it")
    with live.Display() as display, stopping.stop_requests(display.on_note) as stopped:
        return runner.run(planned, new=True, watcher=display, stopped=stopped)


def _estimated(runner: Runner, planned: Sequence[Planned], *, as_json: bool) -> None:
    made = [runner.estimate(each) for each in planned]
    if as_json:
        plain = [{"seconds": each.seconds, **each.facts} for each in made]
        console.emit_json(plain[0] if len(plain) == 1 else plain)
        return
    for each, estimate in zip(planned, made, strict=True):
        _show_estimate(estimate, synthetic=each.job.synthetic)


def _show_estimate(estimate: Estimate, *, synthetic: bool) -> None:
    from cluster.cli import live

    rows = [["time", live.span(estimate.seconds)], *map(list, estimate.rows)]
    console.table("estimate", ["what", "how much"], rows, synthetic=synthetic)


def _detached(settings: MachineSettings, runner: Runner, planned: Sequence[Planned], wanted: RunOptions) -> None:
    from cluster.jobs import spec

    started = []
    for each in planned:
        spec.refuse_repeated(runner.repeated(each))
        runner.submit(each)
        started.append({"job": each.job.id, "pid": bootstrap.detach(settings, each.job.id, workers=wanted.workers)})
    if wanted.as_json:
        console.emit_json(started[0] if len(started) == 1 else started)
        return
    for one in started:
        console.text(f"job {one['job']} runs in the background (process {one['pid']}); watch it with `coinswarm jobs watch {one['job']}`")
