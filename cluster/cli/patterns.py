"""`coinswarm patterns`: find conditions among random trades that are worth believing, keep them, doubt them, trade them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster import bootstrap
from cluster.cli import console, rules
from coinswarm import errors

if TYPE_CHECKING:
    from cluster.jobs.discover.plan import Plan
    from cluster.settings import Settings
    from coinswarm.ledger.chaos import ChaosStore
    from coinswarm.ledger.patterns import PatternRecord, PatternStore
    from coinswarm.ledger.records import Job
    from coinswarm.ledger.store import Store
    from coinswarm.patterns.power import Power

app = typer.Typer(help="Find, keep, doubt and export patterns.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
OfPattern = Annotated[str, typer.Argument(help="A pattern's id or the beginning of it.")]
Jobs = Annotated[list[str] | None, typer.Option("--job", "-j", help="A chaos job whose trades are used; repeat for several.")]
Campaign = Annotated[str | None, typer.Option(help="All finished chaos jobs of this campaign; `default` without --job.")]
HERE_BELOW = 500_000
"""Trades below which a search takes less time in this process than a cluster takes to start."""


@app.callback()
def patterns() -> None:
    """Find, keep, doubt and export patterns."""


@app.command("discover")
def discover_job(
    job: Jobs = None,
    campaign: Campaign = None,
    depth: Annotated[int, typer.Option(help="Conditions a pattern may have; every one up to 3, a beam beyond, at most 5.")] = 3,
    bins: Annotated[int, typer.Option(help="Parts that each feature is cut into.")] = 5,
    feature: Annotated[list[str] | None, typer.Option("--feature", "-f", help="Condition on these features only.")] = None,
    min_trades: Annotated[int, typer.Option(help="Trades a pattern must have.")] = 100,
    min_active: Annotated[int, typer.Option(help="Independent blocks of time a pattern must have trades in.")] = 30,
    min_blocks: Annotated[int, typer.Option(help="Independent blocks of time below which a search is refused.")] = 70,
    alpha: Annotated[float, typer.Option(help="Chance of a false pattern in a search, and rate of them in the library.")] = 0.05,
    flips: Annotated[int, typer.Option(help="Sign flips behind the family-wise p.")] = 999,
    confirm_share: Annotated[float, typer.Option(help="Share of time, at the end, kept back to confirm on.")] = 0.3,
    embargo_bars: Annotated[int | None, typer.Option(help="Bars skipped before confirmation; else the longest hold.")] = None,
    seed: Annotated[int, typer.Option(help="Of the sign flips.")] = 0,
    workers: Annotated[int | None, typer.Option("--workers", "-w", help="Processes; one is this one.", min=1)] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Search patterns among random trades, confirm them on later bars, and keep them in the library."""
    from cluster.cli import asking
    from cluster.jobs.discover import plan as driving
    from coinswarm.patterns.settings import DiscoverSettings

    settings = console.settings()
    bootstrap.prepare(settings)
    asked = {
        "depth": depth, "bins": bins, "features": tuple(feature or ()), "min_trades": min_trades, "min_active": min_active,
        "min_blocks": min_blocks, "alpha": alpha, "flips": flips, "confirm_share": confirm_share, "embargo_bars": embargo_bars,
        "seed": seed,
    }  # fmt: skip
    wanted = asking.settled(DiscoverSettings, asked)
    with bootstrap.open_store(settings) as store:
        plan = driving.plan(store, wanted, jobs=job or (), campaign=campaign)
        before = driving.done_before(store, plan)
        if before is None:
            store.create_job(plan.job)
            _drive(settings, store, plan, workers=workers, as_json=as_json)
        elif before.status == "done":
            console.note(f"job {before.id} has made this search already: nothing new is tested and no alpha is spent")
            _present(settings, before, as_json=as_json)
        else:
            raise errors.Conflict(f"job {before.id} is making this search", hint=f"`coinswarm jobs resume {before.id}` goes on with it")


app.command("test")(rules.try_rules)


def plan_again(_settings: Settings, store: Store, job: Job) -> Plan:
    """The plan of a stored search."""
    from cluster.jobs.discover import plan as driving

    return driving.plan_again(store, job)


def go_on(settings: Settings, store: Store, plan: Plan, *, workers: int | None, as_json: bool) -> None:
    """Drive a stored search."""
    _drive(settings, store, plan, workers=workers, as_json=as_json)


@app.command("power")
def power(
    symbol: Annotated[list[str] | None, typer.Option("--symbol", "-s", help="A stored market; repeat for several.")] = None,
    timeframe: Annotated[str | None, typer.Option("--timeframe", "-t", help="Length of a bar, where a market has several.")] = None,
    hold: Annotated[str, typer.Option(help="Longest hold.")] = "24h",
    support: Annotated[float, typer.Option(help="Share of trades that a pattern has.")] = 0.06,
    candidates: Annotated[int, typer.Option(help="Patterns that are tested together.")] = 150_000,
    chance: Annotated[float, typer.Option("--power", help="Chance to find it.")] = 0.8,
    campaign: Annotated[str, typer.Option(help="Where it has a vault, the bars of it do not count.")] = "default",
    *,
    as_json: AsJson = False,
) -> None:
    """Say what these bars could show at all, before a search."""
    from cluster.jobs.discover import plan as driving

    settings = console.settings()
    bootstrap.prepare(settings)
    with bootstrap.open_campaigns(settings) as campaigns:
        split = campaigns.split(campaign)
    with bootstrap.open_patterns(settings) as library:
        found = driving.power(
            settings.bars_file, library, symbol or [], timeframe, hold, support=support, candidates=candidates, chance=chance, split=split
        )
    if as_json:
        console.emit_json(found)
        return
    before = "" if split is None else f" before the vault of {campaign}"
    rows: list[list[Any]] = [
        ["bars", f"{found.bars:,} of a market{before}, as if {found.markets:.1f} independent markets"],
        [
            "blocks of time",
            f"{found.blocks:,} to discover on" + ("" if found.enough else f": too few, {found.bars_needed:,} bars are needed"),
        ],
        ["a pattern is active in", f"about {found.active_blocks:,} of them"],
        ["discovery can find", _findable(found)],
        ["the later segment confirms", _confirmable(found)],
    ]
    title = f"what a hold of {found.hold_bars} bars and {100 * support:.0f} % support can show among {candidates:,} patterns"
    console.table(title, ["what", "how much"], rows)


def _findable(found: Power) -> str:
    if not math.isfinite(found.sigmas):
        return "nothing: there are fewer bars than one hold takes"
    return f"{100 * found.win_rate:+.1f} points of win rate, {found.sigmas:.3f} sigmas, {100 * found.net:.3f} % a trade"


def _confirmable(found: Power) -> str:
    if not math.isfinite(found.confirm_sigmas):
        return "nothing: it is shorter than one hold"
    return f"from {found.confirm_sigmas:.3f} sigmas, at the level of the library's next test"


@app.command("list")
def list_patterns(
    status: Annotated[str | None, typer.Option(help="candidate, confirmed, rejected or retired.")] = None,
    source: Annotated[str | None, typer.Option(help="chaos, technical or academic.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many, newest first.", min=1, max=10_000)] = 20,
    *,
    as_json: AsJson = False,
) -> None:
    """Patterns of the library, newest first."""
    from coinswarm.ledger.patterns import SOURCES, STATUSES

    for option, word, known in (("--status", status, STATUSES), ("--source", source, SOURCES)):
        if word is not None and word not in known:
            raise errors.InvalidArgument(f"{option} is one of {', '.join(known)}", found=repr(word))
    with bootstrap.open_patterns(console.settings()) as library:
        found = library.patterns(status=status, source=source, limit=limit)
    if as_json:
        console.emit_json(found)
        return
    _table(f"{len(found)} pattern(s)", found)
    if not found and status is None and source is None:
        console.text("next: `coinswarm chaos run` draws trades, `coinswarm patterns discover` searches them")


@app.command("show")
def show_pattern(pattern: OfPattern, *, as_json: AsJson = False) -> None:
    """All that is known of one pattern."""
    with bootstrap.open_patterns(console.settings()) as library:
        record = library.pattern(pattern)
    if as_json:
        console.emit_json(record)
        return
    from coinswarm.report import patterns as reporting

    seen, later = record.figures.get("discovery") or {}, record.figures.get("confirmation") or {}
    rows: list[list[Any]] = [
        [title, reporting.cell(seen, name, kind), reporting.cell(later, name, kind)]
        for name, title, kind in reporting.FIGURES
        if name in {*seen, *later}
    ]
    console.table(f"{record.id}: {record.name}: {record.status}", ["figure", "discovery", "later"], rows, synthetic=record.synthetic)
    console.text("each figure of a trade is in percent of its notional; in brackets 95 %, counting blocks of time")
    for line in _evidence(record):
        console.text(line)
    if record.source == "chaos":
        console.text(f"next: `coinswarm patterns export {record.id} --out play.yaml`")


def _evidence(record: PatternRecord) -> Iterator[str]:
    """What speaks for a pattern, a line each."""
    shown = {"tested": "{:,}", "t": "{:.4g}", "p_value": "{:.4g}", "p_family": "{:.4g}", "level": "{:.4g}"}
    known = {"tested": "patterns tested with it", "t": "statistic", "p_value": "p alone", "p_family": "p among all that were tested",
             "level": "level that the library gave its later test"}  # fmt: skip
    yield from (f"{known[name]}: {form.format(record.evidence[name])}" for name, form in shown.items() if name in record.evidence)
    if "shrunk_effect" in record.evidence:
        yield f"effect without what selection gave it: {_percent(record.evidence['shrunk_effect'])} %"
    if math.isfinite(record.p_confirm):
        yield f"p on later bars: {record.p_confirm:.4g}"
    for note in record.evidence.get("notes", []):
        yield f"{note.get('what', 'note')}: {note.get('verdict', '')} {note.get('reason', '')}"


@app.command("retire")
def retire_pattern(
    pattern: OfPattern, why: Annotated[str, typer.Option(help="Why, for whoever asks later.")] = "by hand", *, as_json: AsJson = False
) -> None:
    """Retire a pattern by hand; it stays in the library and what was spent on it stays spent."""
    with bootstrap.open_patterns(console.settings()) as library:
        record = library.amend(pattern, {"what": "retired", "reason": why}, status="retired")
    if as_json:
        console.emit_json(record)
    else:
        console.text(f"{record.id} is retired: {record.name}")


@app.command("export")
def export_pattern(
    pattern: OfPattern,
    out: Annotated[Path, typer.Option(help="The play's file.", show_default=False)],
    hold_bars: Annotated[int | None, typer.Option(help="Bars to hold; else the median hold of its trades.", min=1)] = None,
    side: Annotated[str | None, typer.Option(help="long or short, where the pattern does not say; else the one that made more.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write a pattern as a play that enters where it holds; `coinswarm backtest` trades it."""
    from cluster.jobs.discover import plan as driving

    if side not in (None, "long", "short"):
        raise errors.InvalidArgument("--side is long or short", found=side)
    with bootstrap.open_patterns(console.settings()) as library:
        record = library.pattern(pattern)
    text = driving.play_of(record, hold_bars=hold_bars, side=None if side is None else (1 if side == "long" else -1))
    out.write_text(text, "utf-8")
    if as_json:
        console.emit_json({"pattern": record.id, "status": record.status, "file": str(out)})
    else:
        console.text(f"{record.name} written to {console.path(out)}")
        console.text(f"next: `coinswarm backtest {out} --symbol MARKET`")
    if record.status != "confirmed":
        console.note(f"this pattern is {record.status}: nothing says that it will work")


@app.command("review")
def review_patterns(
    job: Jobs = None,
    campaign: Campaign = None,
    seed: Annotated[int, typer.Option(help="Of the sign flips.")] = 0,
    *,
    as_json: AsJson = False,
) -> None:
    """Re-test confirmed patterns on random trades of later bars and retire those that died."""
    from cluster.jobs.discover import plan as driving

    settings = console.settings()
    bootstrap.prepare(settings)
    with bootstrap.open_store(settings) as store, bootstrap.open_chaos(settings) as kept, bootstrap.open_patterns(settings) as library:
        found = driving.review(store, kept, library, settings.bars_file, jobs=job or (), campaign=campaign, seed=seed)
    if as_json:
        console.emit_json([{"pattern": record.id, "status": record.status, "review": seen, "reason": why} for record, seen, why in found])
        return
    rows: list[list[Any]] = [[record.id, record.name, seen.verdict if seen else "not asked", why] for record, seen, why in found]
    console.table(f"{len(rows)} confirmed pattern(s) reviewed", ["pattern", "conditions", "verdict", "why"], rows)


@app.command("report")
def report_job(
    job: Annotated[str, typer.Argument(help="Id of a search or of a test of rules, or the beginning of it.")],
    out: Annotated[Path | None, typer.Option("--out", help="The file; else `reports/JOB.html` in the home folder.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write what a search or a test of rules tried, and what survived, as one HTML file."""
    settings = console.settings()
    with bootstrap.open_store(settings) as store, bootstrap.open_patterns(settings) as library:
        path = _report(settings, store, library, job, out)
    if as_json:
        console.emit_json({"job": job, "path": str(path)})
    else:
        console.text(str(path))


def _report(settings: Settings, store: Store, library: PatternStore, name: str, out: Path | None) -> Path:
    from cluster.jobs.discover import plan as driving
    from cluster.jobs.rules import plan as ruling
    from coinswarm import report

    job = store.job(name)
    path = (out or settings.reports_folder / f"{job.id}.html").expanduser().absolute()
    if job.kind == ruling.KIND:
        return report.write_rules(ruling.judged_by(job), job.config, path, job=job.id, synthetic=job.synthetic)
    job, found = driving.found_by(store, job.id)
    return report.write_patterns(found, library.patterns(job=job.id), path, job=job.id, synthetic=job.synthetic)


def _drive(settings: Settings, store: Store, plan: Plan, *, workers: int | None, as_json: bool) -> None:
    with bootstrap.open_chaos(settings) as kept, bootstrap.open_patterns(settings) as library:
        few = sum(int((job.result or {}).get("trades", 0)) for job in plan.drawn) < HERE_BELOW
        if workers == 1 or (workers is None and few):
            with bootstrap.local_crew(settings) as crew:
                job = _driven(settings, store, kept, library, crew, plan)
        else:
            with bootstrap.open_crew(settings, workers=workers, tell=console.note) as (crew, session):
                console.note(f"job {plan.job.id} with {session.cpus} processors")
                job = _driven(settings, store, kept, library, crew, plan)
    _present(settings, job, as_json=as_json)


def _driven(settings: Settings, store: Store, kept: ChaosStore, library: PatternStore, crew: Any, plan: Plan) -> Job:
    from cluster.cli import live
    from cluster.jobs.discover import plan as driving
    from cluster.run import stopping

    searches = driving.Searches(plan, kept, library, crew, settings.bars_file)
    with live.Display() as display, stopping.stop_requests(display.on_note) as stopped:
        ending = bootstrap.drive_steps(store, plan.job.id, searches, watcher=display, stopped=stopped, workers=lambda: crew.workers)
    return store.job(ending.job)


def _present(settings: Settings, job: Job, *, as_json: bool) -> None:
    """Print what a search came to; a cancelled one raises `Cancelled` after that."""
    with bootstrap.open_patterns(settings) as library:
        found = library.patterns(job=job.id)
    result = job.result or {}
    if as_json:
        console.emit_json({**result, "job": job.id, "patterns": found})
    elif job.status == "done":
        _told(job, result)
        _warned(result.get("leaks", ()))
        if found:
            _table(f"what survived: {len(found)} pattern(s)", found, synthetic=job.synthetic)
        elif not result.get("leaks"):
            console.text("nothing survived: so end most searches on real bars, and nearly all on noise")
        shown = f", `coinswarm patterns show {found[0].id}`" if found else ", `coinswarm patterns power` says what could be found"
        console.text(f"next: `coinswarm patterns report {job.id}`{shown}")
    if job.status == "cancelled":
        raise errors.Cancelled(f"job {job.id} is cancelled", hint=f"`coinswarm jobs resume {job.id}` goes on")


def _told(job: Job, result: Any) -> None:
    naive = ", ".join(f"{name} {number:,}" for name, number in result["naive_promoted"].items())
    facts: list[list[Any]] = [
        ["patterns tested", f"{result['tested']:,}, on {result['blocks']['discovery']:,} independent blocks of time"],
        ["smallest family-wise p", f"{result['p_family']:.4f}"],
        ["significant", f"{result['significant']:,}, of which {result['profitable']:,} made money net of costs"],
        ["a rule of their own", f"{result['confirmed'] + result['rejected'] + result['candidate']:,}"],
        ["confirmed on later bars", f"{result['confirmed']:,}"],
        ["usual tests would promote", naive],
    ]
    console.table(f"job {job.id}", ["what", "how many"], facts, synthetic=job.synthetic)


def _warned(leaks: Any) -> None:
    """Say which features know the future, for which nothing was promoted."""
    from coinswarm.patterns.foresight import Leak

    for leak in leaks:
        console.note(str(Leak(**leak)))
    if leaks:
        console.note("nothing is promoted from such trades: mend the data, or search with --feature and without these")


def _table(title: str, found: Any, *, synthetic: bool = False) -> None:
    headings = ["pattern", "status", "conditions", "trades", "effect %", "later %", "p family", "p later"]
    made = synthetic or any(record.synthetic for record in found)
    console.table(title, headings, [_line(record) for record in found], synthetic=made)


def _line(record: PatternRecord) -> list[Any]:
    seen, later = record.figures.get("discovery") or {}, record.figures.get("confirmation") or {}
    p = record.evidence.get("p_family", math.nan)
    return [
        record.id, record.status, record.name, f"{seen.get('trades', 0):,}", _percent(seen.get("effect")), _percent(later.get("effect")),
        _number(p), _number(record.p_confirm),
    ]  # fmt: skip


def _percent(value: float | None) -> str:
    return "" if value is None or not math.isfinite(value) else f"{100 * value:+.4f}"


def _number(value: float) -> str:
    return "" if not math.isfinite(value) else f"{value:.4f}"
