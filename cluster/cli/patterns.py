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

if TYPE_CHECKING:
    from coinswarm.ledger.patterns import PatternRecord
    from coinswarm.patterns.power import Power

app = usage.App(help="Find, keep, doubt and export patterns.")

OfPattern = Annotated[str, typer.Argument(help="A pattern's id or the beginning of it.")]
Jobs = Annotated[list[str] | None, typer.Option("--job", "-j", help="A chaos job whose trades are used; repeat for several.")]
Campaign = Annotated[str | None, typer.Option(help="All finished chaos jobs of this campaign; `default` without --job.")]


app.command("discover")(job_commands.command(discover.NAME))
app.command("test")(job_commands.command(rules.NAME))


@app.command("power")
def power(
    symbol: Annotated[list[str] | None, typer.Option("--symbol", "-s", help="A stored market; repeat for several.")] = None,
    timeframe: Annotated[str | None, typer.Option("--timeframe", "-t", help="Length of a bar, where a market has several.")] = None,
    hold: Annotated[str, typer.Option(help="Longest hold.")] = "24h",
    support: Annotated[float, typer.Option(help="Share of trades that a pattern has.")] = 0.06,
    candidates: Annotated[int, typer.Option(help="Patterns that are tested together.")] = 150_000,
    chance: Annotated[float, typer.Option("--power", help="Chance to find it.")] = 0.8,
    campaign: Annotated[str, typer.Option(help="Where it has a vault, the bars of it do not count.")] = "default",
    as_json: console.AsJson = False,
) -> None:
    """Say what these bars could show at all, before a search."""
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
    as_json: console.AsJson = False,
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
    from cluster.jobs.discover.report import table

    reports.show_parts([table(f"{len(found)} pattern(s)", found)], synthetic=any(record.synthetic for record in found))
    if not found and status is None and source is None:
        console.text("next: `coinswarm chaos run` draws trades, `coinswarm patterns discover` searches them")


@app.command("show")
def show_pattern(pattern: OfPattern, as_json: console.AsJson = False) -> None:
    """All that is known of one pattern."""
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
    console.text("each figure of a trade is in percent of its notional; in brackets 95 %, counting blocks of time")
    for line in _evidence(record):
        console.text(line)
    if record.source == "chaos":
        console.text(f"next: `coinswarm patterns export {record.id} --out play.yaml`")


def _evidence(record: PatternRecord) -> Iterator[str]:
    """What speaks for a pattern, a line each."""
    from cluster.jobs.discover.report import percent

    shown = {"tested": "{:,}", "t": "{:.4g}", "p_value": "{:.4g}", "p_family": "{:.4g}", "level": "{:.4g}"}
    known = {"tested": "patterns tested with it", "t": "statistic", "p_value": "p alone", "p_family": "p among all that were tested",
             "level": "level that the library gave its later test"}  # fmt: skip
    yield from (f"{known[name]}: {form.format(record.evidence[name])}" for name, form in shown.items() if name in record.evidence)
    if "shrunk_effect" in record.evidence:
        yield f"effect without what selection gave it: {percent(record.evidence['shrunk_effect'])} %"
    if math.isfinite(record.p_confirm):
        yield f"p on later bars: {record.p_confirm:.4g}"
    for note in record.evidence.get("notes", []):
        yield f"{note.get('what', 'note')}: {note.get('verdict', '')} {note.get('reason', '')}"


@app.command("retire")
def retire_pattern(
    pattern: OfPattern,
    why: Annotated[str, typer.Option(help="Reason, stored with the pattern.")] = "by hand",
    as_json: console.AsJson = False,
) -> None:
    """Retire a pattern by hand; it stays in the library and what was spent on it stays spent."""
    with bootstrap.open_patterns(console.settings()) as library:
        record = library.amend(pattern, {"what": "retired", "reason": why}, status="retired")
    console.answer(record, f"{record.id} is retired: {record.name}", as_json=as_json)


@app.command("export")
def export_pattern(
    pattern: OfPattern,
    out: Annotated[Path, typer.Option(help="The play's file.", show_default=False)],
    hold_bars: Annotated[int | None, typer.Option(help="Bars to hold; else the median hold of its trades.", min=1)] = None,
    side: Annotated[str | None, typer.Option(help="long or short, where the pattern does not say; else the one that made more.")] = None,
    as_json: console.AsJson = False,
) -> None:
    """Write a pattern as a play that enters where it holds; `coinswarm backtest` trades it."""
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
        console.note(f"this pattern is {record.status}: nothing says that it will work")


@app.command("review")
def review_patterns(
    job: Jobs = None,
    campaign: Campaign = None,
    seed: Annotated[int, typer.Option(help="Of the sign flips.")] = 0,
    as_json: console.AsJson = False,
) -> None:
    """Re-test confirmed patterns on random trades of later bars and retire those that died."""
    from cluster.queries import patterns

    settings = console.settings()
    bootstrap.prepare(settings)
    with bootstrap.open_store(settings) as store, bootstrap.open_chaos(settings) as kept, bootstrap.open_patterns(settings) as library:
        found = patterns.review_confirmed(store, kept, library, settings.bars_file, jobs=job or (), campaign=campaign, seed=seed)
    if as_json:
        console.emit_json([{"pattern": record.id, "status": record.status, "review": seen, "reason": why} for record, seen, why in found])
        return
    rows: list[list[Any]] = [[record.id, record.name, seen.verdict if seen else "not asked", why] for record, seen, why in found]
    console.table(f"{len(rows)} confirmed pattern(s) reviewed", ["pattern", "conditions", "verdict", "why"], rows)


@app.command("report")
def report_job(
    job: Annotated[str, typer.Argument(help="Id of a search or of a test of rules, or the beginning of it.")],
    out: Annotated[Path | None, typer.Option("--out", help="The file; else `reports/JOB.html` in the home folder.")] = None,
    as_json: console.AsJson = False,
) -> None:
    """Write what a search or a test of rules tried, and what survived, as one HTML file."""
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
