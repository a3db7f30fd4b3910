"""The command of each kind of job: run here, estimate, leave to the background, queue for the service, or submit to a server elsewhere."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from cluster import bootstrap, machine
from cluster.cli import client, console, job_options
from cluster.jobs import registry
from coinswarm import errors
from coinswarm.ledger import quotas

if TYPE_CHECKING:
    from cluster.jobs.kind import Planned
    from cluster.jobs.options import Options
    from cluster.jobs.settings import JobSettings, PlayGiven
    from cluster.machine import MachineSettings
    from cluster.run.runner import Runner
    from coinswarm.ledger.records import Job

_WHERE, _OUTPUT, _JUDGING = "Where it runs", "Output", "Judging"
Workers = Annotated[
    int | None,
    typer.Option("--workers", "-w", help="Processes of the local cluster; else one a core.", min=1, rich_help_panel=_WHERE),
]
Local = Annotated[
    bool,
    typer.Option("--local", help="Compute in this process, without a cluster. A small job does by itself.", rich_help_panel=_WHERE),
]
Vault = Annotated[
    float | None,
    typer.Option(
        "--vault", min=0.01, max=0.9, metavar="SHARE", rich_help_panel=_JUDGING,
        help="Share of the bars, the newest, to lock away as the final hold-out of the campaign before its first search, for good. "
        "Only results with one can be promoted.",
    ),
]  # fmt: skip
Address = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="A running Ray cluster; else RAY_ADDRESS, else a local one.", rich_help_panel=_WHERE),
]
_OF_A_SUBMISSION = ("server", "priority", "key", "as_json")
_HERE = ("workers", "address", "local", "out", "vault")
_LOOK_S = 0.5
_WAYS = {
    "server": ("priority", "key"), "queue": ("priority", "key", "vault"), "estimate": ("workers", "address", "local", "vault"),
    "detach": ("workers", "address", "vault"),
}  # fmt: skip
"""Options that say something where a job is run here at once, and to each other way of dealing with one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOptions:
    """What is to become of requests: the options that are of a run and not of a kind."""

    workers: Workers = None
    address: Address = None
    local: Local = False
    vault: Vault = None
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Say what time and space it would take, and stop.", rich_help_panel=_WHERE)
    ] = False
    detach: Annotated[
        bool, typer.Option("--detach", help="Run in the background; `coinswarm jobs watch` follows it.", rich_help_panel=_WHERE)
    ] = False
    queue: Annotated[
        bool, typer.Option("--queue", help="Leave it to the server of this machine (`coinswarm serve`).", rich_help_panel=_WHERE)
    ] = False
    server: Annotated[str | None, typer.Option("--server", metavar="URL", help=client.SERVER, rich_help_panel=_WHERE)] = None
    priority: Annotated[int, typer.Option(help="Queue priority; higher runs first.", min=-100, max=100, rich_help_panel=_WHERE)] = 0
    key: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Idempotency key: resubmitting returns the same job.", rich_help_panel=_WHERE),
    ] = None
    as_json: Annotated[bool, typer.Option("--json", help=console.JSON, rich_help_panel=_OUTPUT)] = False
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The HTML file of the report; else in `reports` of the home folder.", rich_help_panel=_OUTPUT),
    ] = None

    @classmethod
    def taken(cls, given: dict[str, Any], **more: Any) -> RunOptions:
        """Those of what was typed, which are taken out of it."""
        return cls(**{each.name: given.pop(each.name) for each in fields(cls) if each.name in given}, **more)


class ThisMachine:
    """Keeps `cluster.jobs.options.Machine`: files are imported into the catalog of this machine."""

    def __init__(self, settings: MachineSettings) -> None:
        self._settings = settings

    def refuse_larger(self, settings: JobSettings) -> None:
        """Raise `TooLarge` for a request beyond the limits of this machine."""
        from cluster.jobs import spec

        quotas.refuse_job(registry.asked(settings).amounts(settings), self._settings.job_limits, spec.LARGER)

    def imported(self, files: Sequence[Path]) -> list[str]:
        """Names of the data sets that files were imported into; importing a file again changes nothing."""
        from coinswarm.market import storing
        from coinswarm.market.files import file_hash, read
        from coinswarm.market.storing import Incoming

        incoming = [Incoming(bars=read(path, tell=console.note), source=str(path), source_hash=file_hash(path)) for path in files]
        machine.ensure_home(self._settings)
        stored = storing.store(self._settings.bars_file, incoming)
        for done in stored:
            console.note(f"{done.key}: {done.added:,} bars imported, {done.unchanged:,} were there")
        return [done.key for done in stored]

    def plays(self, files: Sequence[Path]) -> list[PlayGiven]:
        """The plays of files; raises `BadPlay` or `NotFound` before anything is fetched or stored for them."""
        from cluster.jobs.settings import PlayGiven
        from coinswarm import play

        read = [(path, play.load(path).text) for path in files]
        return [PlayGiven.read_from(path, text) if path.is_file() else PlayGiven(text=text) for path, text in read]


def command(name: str, *, group: bool = False) -> Callable[..., None]:
    """The command that runs jobs of a kind, as typer takes it.

    Args:
        name: of the kind.
        group: the command has subcommands, and does nothing when one of them is called.
    """
    asked = registry.options(name)

    def run(**given: Any) -> None:
        context = given.pop("context", None)
        if context is None or context.invoked_subcommand is None:
            _run(asked, given)

    left_out = {"out": not asked.writes_page, "vault": not asked.declares}
    common = [each.name for each in fields(RunOptions) if not left_out.get(each.name)]
    run.__signature__ = _signature(asked, common, group=group)  # type: ignore[attr-defined]
    run.__annotations__ = {}
    run.__doc__ = registry.summary(name)
    return run


def submission(name: str, file: Any, submit: Callable[..., None]) -> Callable[..., None]:
    """A command with the options of a kind that hands `submit` what was typed, and one of its own: `file`, a request in a file."""
    asked = registry.options(name)

    def run(**given: Any) -> None:
        submit(asked, given)

    run.__signature__ = _signature(asked, _OF_A_SUBMISSION, file=file)  # type: ignore[attr-defined]
    run.__annotations__ = {}
    run.__doc__ = submit.__doc__
    return run


def requests(asked: Options[Any], given: dict[str, Any], settings: MachineSettings) -> list[JobSettings]:
    """The requests of what was typed."""
    return job_options.requests(asked, given, ThisMachine(settings))


def refuse_idle(wanted: RunOptions, settings: MachineSettings) -> None:
    """Raise `InvalidArgument` for options that would say nothing."""
    given = {name: getattr(wanted, name) for name in (*_WAYS, *_HERE, "priority", "key")} | {"server": wanted.server or settings.server}
    way = next((name for name in _WAYS if given[name]), None)
    for name in (name for name, value in given.items() if value and name not in (way, *(_WAYS[way] if way else _HERE))):
        if way is None:
            raise errors.InvalidArgument(f"--{name} goes with --queue or --server", hint="a job that is run at once waits in no queue")
        found = f"COINSWARM_SERVER={settings.server}" if way == "server" and not wanted.server else None
        hint = "the server decides where and when a job runs" if way == "server" else "leave one of them out"
        raise errors.InvalidArgument(f"--{name} does not go with --{way}", found=found, hint=hint)
    if wanted.local and (wanted.workers or wanted.address):
        raise errors.InvalidArgument(
            "--local does not go with --workers and --address", hint="they are of a cluster; leave one of them out"
        )


def execute(asked: Sequence[JobSettings], wanted: RunOptions, settings: MachineSettings) -> None:
    """Do with requests what is wanted: submit them elsewhere, queue them, estimate them or run them one after the other."""
    remote = client.wanted(settings, wanted.server)
    if remote is not None:
        _submit_all(asked, lambda each: _posted(remote, each, wanted), wanted, place=f" --server {remote.server}")
        return
    said = {"ray_address": wanted.address, "workers": wanted.workers}
    settings = settings.model_copy(update={name: value for name, value in said.items() if value})
    for each in asked:  # before a database is opened, which may take seconds
        ThisMachine(settings).refuse_larger(each)
    with bootstrap.open_runner(settings, workers=wanted.workers, note=console.note, alone=True if wanted.local else None) as runner:
        for each in asked:
            _hold_out(runner, each, wanted)
        if wanted.queue:
            _submit_all(asked, lambda each: runner.enqueue(each, priority=wanted.priority, key=wanted.key or ""), wanted, place="")
            return
        planned = [runner.plan(each, tell=not (wanted.estimate and wanted.vault)) for each in asked]
        if wanted.estimate:
            _estimated(runner, planned, as_json=wanted.as_json)
        elif wanted.detach:
            _detached(settings, runner, planned, wanted)
        else:
            present(settings, runner, [_done(settings, runner, each, wanted) for each in planned], wanted)


def _hold_out(runner: Runner, asked: JobSettings, wanted: RunOptions) -> None:
    """Declare the vault that is wanted; an estimate declares none, and counts the bars of it."""
    if wanted.vault is not None and not wanted.estimate:
        runner.hold_out(asked, wanted.vault, who=machine.user())


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

    made = [runner.report(job) for job in jobs]
    written = [reports.write_if_wanted(settings, *each, wanted.out, several=len(jobs) > 1) for each in zip(made, jobs, strict=True)]
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
        hint = f"`coinswarm jobs resume {job.id}` resumes it"
        raise errors.Cancelled(f"job {job.id} is cancelled, what is done is kept", hint=hint)


def _run(asked: Options[Any], given: dict[str, Any]) -> None:
    settings = console.settings()
    bootstrap.prepare(settings)
    wanted = RunOptions.taken(given)
    refuse_idle(wanted, settings)
    refuse_files(asked, settings, wanted, given)
    execute(requests(asked, given, settings), wanted, settings)


def refuse_files(asked: Options[Any], settings: MachineSettings, wanted: RunOptions, given: dict[str, Any]) -> None:
    """Raise `InvalidArgument` for files of candles that a server elsewhere would have to import."""
    names = [option.names[0] for option in asked.options if option.late and given.get(option.key)]
    if (wanted.server or settings.server) and names:
        raise errors.InvalidArgument(
            "a server has its own bars", found=f"{names[0]} with --server", hint="name a market that `coinswarm bars list` shows over there"
        )


def _signature(asked: Options[Any], common: Sequence[str], *, group: bool = False, file: Any = None) -> inspect.Signature:
    """The options of a kind, then those of a run, then `file`; with that one, none is required."""

    def parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
        return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)

    optional, types = file is not None, get_type_hints(RunOptions, include_extras=True)
    own = [
        parameter(each.key, job_options.annotation(each, asked, optional=optional), *([] if each.required and not optional else [None]))
        for each in job_options.options(asked)
    ]
    shared = [parameter(each.name, types[each.name], each.default) for each in fields(RunOptions) if each.name in common]
    context = [parameter("context", typer.Context)] if group else []
    return inspect.Signature([*context, *own, *shared, *([parameter("request", file, None)] if optional else [])])


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


def _done(settings: MachineSettings, runner: Runner, planned: Planned, wanted: RunOptions) -> Job:
    """Run a planned job to its end, unless another has done the same."""
    from cluster.cli import following, live
    from cluster.run import servers, stopping

    before = runner.repeated(planned)
    if before is not None and before.status == "done":
        console.note(f"job {before.id} has already done this, so it is not done again")
        return before
    if before is not None:
        raise errors.Conflict(f"job {before.id} is doing this", hint=f"`coinswarm jobs resume {before.id}` resumes it")
    if is_served(settings, runner, planned, wanted, servers.runs_alike):
        job = runner.hand_over(planned)
        console.note(f"the server of this machine runs job {job}; Ctrl-C cancels it, --workers N starts a cluster for it alone")
        with stopping.stop_requests(console.note) as stopped:
            return following.followed(runner.context.store, job, _LOOK_S, served=True, stopped=stopped)
    with live.Display() as display, stopping.stop_requests(display.on_note) as stopped:
        return runner.run(planned, new=True, watcher=display, stopped=stopped)


def is_served(
    settings: MachineSettings, runner: Runner, planned: Planned, wanted: RunOptions, runs_alike: Callable[[MachineSettings], bool]
) -> bool:
    """Whether a job is too large for this process, says no place, and a server of this machine `runs_alike`."""
    said = (wanted.workers, wanted.address, wanted.local, settings.ray_address, settings.workers)
    return not any(said) and not runner.is_alone(planned) and runs_alike(settings)


def _estimated(runner: Runner, planned: Sequence[Planned], *, as_json: bool) -> None:
    made = [runner.estimate(each) for each in planned]
    if as_json:
        plain = [{"seconds": each.seconds, **each.facts} for each in made]
        console.emit_json(plain[0] if len(plain) == 1 else plain)
        return
    from cluster.cli import live

    for each, estimate in zip(planned, made, strict=True):
        rows = [["time", live.span(estimate.seconds)], *map(list, estimate.rows)]
        console.table("estimate", ["what", "how much"], rows, synthetic=each.job.synthetic)


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
