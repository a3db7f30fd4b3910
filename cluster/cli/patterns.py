"""`coinswarm patterns`: find conditions among random trades that are worth believing, keep them, doubt them, trade them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster import bootstrap
from cluster.cli import console, job_commands, reports, usage
from cluster.jobs import discover, registry, rules
from coinswarm import errors
from coinswarm.printable import counted

if TYPE_CHECKING:
    from coinswarm.ledger.patterns import PatternRecord
    from coinswarm.patterns.power import Power

app = usage.App(
    help="Find entry conditions that are statistically significant, and export them as plays.",
    examples=["coinswarm patterns discover --job CHAOS_JOB --depth 3", "coinswarm patterns test --source technical --symbol BTC/USDT"],
)

OfPattern = Annotated[str, typer.Argument(metavar="PATTERN", help="Its id, or the beginning of it.")]
Jobs = Annotated[list[str] | None, typer.Option("--job", "-j", help="A chaos job whose trades to use; repeat for several.")]
Campaign = Annotated[str | None, typer.Option(help="Use all finished chaos jobs of this campaign; `default` without --job.")]


app.command("discover", examples=discover.EXAMPLES)(job_commands.command(discover.NAME))
app.command("test", examples=rules.EXAMPLES)(job_commands.command(rules.NAME))


@app.command("power")
def power(
    symbol: Annotated[list[str] | None, typer.Option("--symbol", "-s", help="A stored market; repeat for several.")] = None,
    timeframe: Annotated[str | None, typer.Option("--timeframe", "-t", help="Bar interval, if more than one is stored.")] = None,
    hold: Annotated[str, typer.Option(metavar="TIME", help="Longest holding time.")] = "24h",
    support: Annotated[float, typer.Option(help="Share of the trades that a pattern covers.")] = 0.06,
    candidates: Annotated[int, typer.Option(help="How many patterns are tested together.")] = 150_000,
    chance: Annotated[float, typer.Option("--power", help="Chance to find the effect (statistical power).")] = 0.8,
    campaign: Annotated[str, typer.Option(help="The bars of its vault (hold-out) are left out.")] = "default",
    as_json: console.AsJson = False,
) -> None:
    """Statistical power: smallest effect these data can detect."""
    from cluster.queries import patterns

    settings = console.settings()
    bootstrap.prepare(settings)
    with bootstrap.open_campaigns(settings) as campaigns:
        split = campaigns.split(campaign)
    with bootstrap.open_patterns(settings) as library:
        found = patterns.power(
            settings.bars_file, library, symbol or [], timeframe, hold, support=support, candidates=candidates, chance=chance, split=split
        )
    if as_json:
        console.emit_json(found)
        return
    before = "" if split is None else f" before the vault of {campaign}"
    rows: list[list[Any]] = [
        ["bars of each market", f"{found.bars:,}{before}"],
        ["independent markets", f"{found.markets:.1f}"],
        ["blocks of time", f"{found.blocks:,}" + ("" if found.enough else f": too few, {found.bars_needed:,} bars are needed")],
        ["blocks with a pattern", f"about {found.active_blocks:,}"],
        ["smallest effect found", _findable(found)],
        ["smallest confirmed later", _confirmable(found)],
    ]
    title = f"power for holds up to {found.hold_bars} bars, patterns of {100 * support:.0f} % support, {candidates:,} of them tested"
    console.table(title, ["what", "how much"], rows)
    if math.isfinite(found.sigmas):
        effect = f"{100 * found.win_rate:+.1f} points of win rate"
        console.prose(f"Only an effect of {effect} or more would be found with these bars: more markets or history find smaller ones.")


def _findable(found: Power) -> str:
    if not math.isfinite(found.sigmas):
        return "none: there are fewer bars than one hold takes"
    return f"{100 * found.win_rate:+.1f} points of win rate, {found.sigmas:.3f} sigmas, {100 * found.net:.3f} % a trade"


def _confirmable(found: Power) -> str:
    if not math.isfinite(found.confirm_sigmas):
        return "none: the later segment is shorter than one hold"
    return f"{found.confirm_sigmas:.3f} sigmas, at the level of the library's next test"


@app.command("list")
def list_patterns(
    status: Annotated[str | None, typer.Option(help="Only candidate, confirmed, rejected or retired ones.")] = None,
    source: Annotated[str | None, typer.Option(help="Only from chaos, technical or academic.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many rows.", min=1, max=10_000)] = 20,
    as_json: console.AsJson = False,
) -> None:
    """List patterns of the library, newest first."""
    from coinswarm.ledger.patterns import SOURCES, STATUSES

    for option, word, known in (("--status", status, STATUSES), ("--source", source, SOURCES)):
        if word is not None and word not in known:
            raise errors.InvalidArgument(f"{option} is one of {', '.join(known)}", found=repr(word))
    with bootstrap.open_patterns(console.settings()) as library:
        found = library.patterns(status=status, source=source, limit=limit)
    if as_json:
        console.emit_json(found)
        return
    from cluster.jobs.discover.report import table

    reports.show_parts([table(counted(len(found), "pattern"), found)], synthetic=bool(found) and all(record.synthetic for record in found))
    if not found and status is None and source is None:
        console.text("next: `coinswarm chaos run` samples trades, `coinswarm patterns discover` searches them")


@app.command("show")
def show_pattern(pattern: OfPattern, as_json: console.AsJson = False) -> None:
    """Show what is known of one pattern."""
    with bootstrap.open_patterns(console.settings()) as library:
        record = library.pattern(pattern)
    if as_json:
        console.emit_json(record)
        return
    from coinswarm.report.patterns import FIGURES, cell

    seen, later = record.figures.get("discovery") or {}, record.figures.get("confirmation") or {}
    rows: list[list[Any]] = [
        [title, cell(seen, name, kind), cell(later, name, kind)] for name, title, kind in FIGURES if name in {*seen, *later}
    ]
    console.table(f"{record.id}: {record.name}: {record.status}", ["figure", "discovery", "later"], rows, synthetic=record.synthetic)
    console.prose("Figures of trades are in percent of their notional; in brackets the 95 % interval over blocks of time.")
    for line in _evidence(record):
        console.text(line)
    if record.source == "chaos":
        console.text(f"next: `coinswarm patterns export {record.id} --out play.yaml`")


def _evidence(record: PatternRecord) -> Iterator[str]:
    """What speaks for a pattern, a line each."""
    from cluster.jobs.discover.report import percent

    shown = {"tested": "{:,}", "t": "{:.4g}", "p_value": "{:.4g}", "p_family": "{:.4g}", "level": "{:.4g}"}
    known = {"tested": "patterns tested", "t": "statistic", "p_value": "p-value of it alone", "p_family": "p-value among all tested",
             "level": "significance level of its later test"}  # fmt: skip
    yield from (f"{known[name]}: {form.format(record.evidence[name])}" for name, form in shown.items() if name in record.evidence)
    if "shrunk_effect" in record.evidence:
        yield f"effect after shrinkage for selection: {percent(record.evidence['shrunk_effect'])} %"
    if math.isfinite(record.p_confirm):
        yield f"p-value on later bars: {record.p_confirm:.4g}"
    for note in record.evidence.get("notes", []):
        yield f"{note.get('what', 'note')}: {note.get('verdict', '')} {note.get('reason', '')}"


@app.command("retire")
def retire_pattern(
    pattern: OfPattern,
    why: Annotated[str, typer.Option(help="Reason, stored with the pattern.")] = "by hand",
    as_json: console.AsJson = False,
) -> None:
    """Retire a pattern. It stays in the library, and its tests stay counted."""
    with bootstrap.open_patterns(console.settings()) as library:
        record = library.amend(pattern, {"what": "retired", "reason": why}, status="retired")
    console.answer(record, f"{record.id} is retired: {record.name}", as_json=as_json)


@app.command("export")
def export_pattern(
    pattern: OfPattern,
    out: Annotated[Path, typer.Option(help="The play file to write.", show_default=False)],
    hold_bars: Annotated[int | None, typer.Option(help="Bars to hold; else the median of its trades.", min=1)] = None,
    side: Annotated[str | None, typer.Option(help="long or short, where the pattern does not say; else the more profitable one.")] = None,
    as_json: console.AsJson = False,
) -> None:
    """Write a pattern as a play that enters where it holds, for `coinswarm backtest`."""
    from cluster.queries import patterns

    if side not in (None, "long", "short"):
        raise errors.InvalidArgument("--side is long or short", found=side)
    with bootstrap.open_patterns(console.settings()) as library:
        record = library.pattern(pattern)
    text = patterns.play_of(record, hold_bars=hold_bars, side=None if side is None else (1 if side == "long" else -1))
    out.write_text(text, "utf-8")
    if as_json:
        console.emit_json({"pattern": record.id, "status": record.status, "file": str(out)})
    else:
        console.text(f"{record.name} written to {console.path(out)}")
        console.text(f"next: `coinswarm backtest {out} --symbol MARKET`")
    if record.status != "confirmed":
        console.note(f"this pattern is {record.status}, not confirmed: do not rely on it")


@app.command("review")
def review_patterns(
    job: Jobs = None,
    campaign: Campaign = None,
    seed: Annotated[int, typer.Option(help="Seed of the sign flips.")] = 0,
    as_json: console.AsJson = False,
) -> None:
    """Test confirmed patterns again on later bars, and retire those that no longer hold."""
    from cluster.queries import patterns

    settings = console.settings()
    bootstrap.prepare(settings)
    with bootstrap.open_store(settings) as store, bootstrap.open_chaos(settings) as kept, bootstrap.open_patterns(settings) as library:
        found = patterns.review_confirmed(store, kept, library, settings.bars_file, jobs=job or (), campaign=campaign, seed=seed)
    if as_json:
        console.emit_json([{"pattern": record.id, "status": record.status, "review": seen, "reason": why} for record, seen, why in found])
        return
    rows: list[list[Any]] = [
        [console.short(record.id), seen.verdict if seen else "not tested", why, record.name] for record, seen, why in found
    ]
    console.table(f"{counted(len(rows), 'confirmed pattern')} reviewed", ["id", "verdict", "why", "conditions"], rows, below=True)


@app.command("report")
def report_job(
    job: Annotated[str, typer.Argument(metavar="JOB", help="Id of a search or of a test of rules, or its beginning.")],
    out: Annotated[Path | None, typer.Option("--out", help="The file to write; else in `reports` of the home folder.")] = None,
    as_json: console.AsJson = False,
) -> None:
    """Write what a search or a test of rules tried and found as one HTML file."""
    settings = console.settings()
    with bootstrap.open_runner(settings, note=console.note) as runner:
        found = runner.context.store.job(job)
        if registry.of(found).name not in (discover.NAME, rules.NAME):
            rule = f"this report is of a job of kind {discover.NAME} or {rules.NAME}"
            raise errors.Refused(rule, found=f"{found.id} of kind {found.kind}", hint=f"`coinswarm jobs report {found.id}` is of any kind")
        if found.status != "done":
            raise errors.NotFound(f"job {found.id} has found nothing yet", hint=f"`coinswarm jobs resume {found.id}` resumes it")
        path = reports.write(settings, runner.report(found), found, out)
    console.answer({"job": found.id, "path": str(path)}, str(path), as_json=as_json)
