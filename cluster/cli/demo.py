"""`coinswarm demo`: a complete example, from candles to a report. `make run` is this command."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster import bootstrap, machine
from cluster.cli import console
from cluster.jobs import registry
from coinswarm import errors, resources
from coinswarm.evolve.settings import SearchSettings

if TYPE_CHECKING:
    from cluster.jobs.settings import JobSettings
    from cluster.machine import MachineSettings
    from cluster.run.runner import Runner
    from coinswarm.market.providers import Provider

_EXAMPLE = "trend_pullback.yml"
_MARKETS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
_TIMEFRAME = "5m"
_GIVE_UP_S = 5.0
_SYNTHETIC_SEED = 1
_VAULT = 0.2
_USUAL = SearchSettings()


def command(
    play: Annotated[Path | None, typer.Argument(metavar="PLAY", help="The play to search; else an example.", show_default=False)] = None,
    bars: Annotated[
        list[Path] | None, typer.Option("--bars", help="A file of candles to use; repeat for several. Else an exchange is tried.")
    ] = None,
    exchange: Annotated[str, typer.Option(help="Where to fetch candles when no files are named.")] = "binance",
    days: Annotated[int, typer.Option(help="Days of candles to fetch or simulate.", min=2, max=3650)] = 180,
    population: Annotated[int, typer.Option("--population", "-p", help="Variants a generation.")] = _USUAL.population,
    generations: Annotated[int, typer.Option("--generations", "-g", help="Generations.")] = _USUAL.generations,
    seed: Annotated[int, typer.Option(help="Seed of the search.")] = _USUAL.seed,
    workers: Annotated[int | None, typer.Option("--workers", "-w", help="Processes of the local cluster; else one a core.", min=1)] = None,
    as_json: console.AsJson = False,
) -> None:
    """Complete example: get data, search, report. Candles come from files or an exchange; else they are simulated."""
    settings = console.settings()
    bootstrap.prepare(settings)
    from cluster.cli import job_commands, live, report, reports
    from cluster.jobs import evolve
    from cluster.run import stopping

    of_kind = registry.options(evolve.NAME)
    here = job_commands.ThisMachine(settings)
    search = {
        "plays": [play or example()], "population": population, "generations": generations, "islands": 1, "seed": seed, "campaign": "demo",
    }  # fmt: skip
    job_commands.requests(of_kind, search, settings)
    markets = here.imported(bars) if bars else _found(settings, exchange, days)
    (request,) = job_commands.requests(of_kind, {**search, "symbol": markets}, settings)
    with bootstrap.open_runner(settings, workers=workers, note=console.note) as runner:
        _hold_out(runner, request)
        planned = runner.plan(request)
        with live.Display() as display, stopping.stop_requests(display.on_note) as stopped:
            job = runner.run(planned, new=True, watcher=display, stopped=stopped)
        found, store = runner.report(job), runner.context.store
        best = store.leaderboard(job.id, limit=1)
        more = {"report": str(report.write(settings, store, best[0].evaluation))} if best else {}
        more["database"] = "`coinswarm db url` prints its address"
    if as_json:
        console.emit_json({**found.data, **more})
    else:
        reports.show(found)
        for name, value in {"home": console.path(settings.home.expanduser()), **more}.items():
            console.text(f"{name}:  {value}")
    job_commands.refuse_cancelled(job)


def _hold_out(runner: Runner, request: JobSettings) -> None:
    """Declare the vault of the demo's campaign, without which nothing of it could be promoted; too few bars are searched without."""
    try:
        runner.hold_out(request, _VAULT, who=machine.user())
    except errors.SpanTooShort as problem:
        console.note(f"there are too few bars for a final hold-out (vault), so results of this run cannot be promoted: {problem}")


def example() -> Path:
    """The play that comes with the program."""
    return resources.plays("examples") / _EXAMPLE


def _found(settings: MachineSettings, exchange: str, days: int) -> list[str]:
    """Keys of markets that an exchange gave, or of simulated ones when it does not answer within seconds."""
    machine.ensure_home(settings)
    try:
        return _fetched(settings.bars_file, exchange, days)
    except (errors.Unavailable, errors.Refused) as problem:
        console.note(f"{problem.rule}: {problem.found}" if problem.found else problem.rule)
        console.note(f"using a simulated market instead: everything that follows is of {console.SYNTHETIC} data")
    return _made(settings.bars_file, days)


def _fetched(bars_file: Path, exchange: str, days: int) -> list[str]:
    from coinswarm.market import fetch, providers
    from coinswarm.market.timeframe import DAY_MS, Timeframe

    console.note(f"asking {exchange} for {days} days of {_TIMEFRAME} candles of {', '.join(_MARKETS)}")
    provider: Provider = providers.connect(exchange, timeout_s=_GIVE_UP_S)
    since_ms = provider.now_ms() - days * DAY_MS
    patience = dataclasses.replace(fetch.PATIENCE, limit_s=_GIVE_UP_S)
    timeframe = Timeframe.parse(_TIMEFRAME)
    return [fetch.fetch(provider, bars_file, market, timeframe, since_ms=since_ms, patience=patience).key for market in _MARKETS]


def _made(bars_file: Path, days: int) -> list[str]:
    from coinswarm.market import storing, synthetic
    from coinswarm.market.storing import Incoming
    from coinswarm.market.timeframe import DAY_MS, Timeframe

    timeframe = Timeframe.parse(_TIMEFRAME)
    markets = [synthetic.market(symbol, timeframe, days * DAY_MS // timeframe.ms, seed=_SYNTHETIC_SEED) for symbol in _MARKETS]
    made = [Incoming(bars=bars, source=f"synthetic, seed {_SYNTHETIC_SEED}") for bars in markets]
    return [stored.key for stored in storing.store(bars_file, made)]
