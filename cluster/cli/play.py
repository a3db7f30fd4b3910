"""`coinswarm play`: check plays and look at the variants they span."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from cluster.cli import backtest, console, play_export, play_features, play_indicators, play_lookahead, play_new, play_vet, usage
from cluster.jobs import warmup
from coinswarm import errors
from coinswarm.config import WARMUP_TOLERANCE
from coinswarm.market.timeframe import Timeframe
from coinswarm.play import describe, reader, runs, variants
from coinswarm.play.model import Play
from coinswarm.printable import counted

app = usage.App(
    help="Check plays (strategies) and their variants, export and test them.",
    examples=["coinswarm play check my_play.yml", "coinswarm play export a39737fd --out best.yml"],
)


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="PLAY…", help="YAML files.")],
    bars: Annotated[Path | None, typer.Option(help="A file of candles: shows how much of it warm-up takes.")] = None,
    symbol: Annotated[str | None, typer.Option("--symbol", "-s", help="A stored market: shows how much of it warm-up takes.")] = None,
    timeframe: backtest.OfTimeframe = None,
    warmup_tolerance: backtest.Tolerance = WARMUP_TOLERANCE,
    as_json: console.AsJson = False,
) -> None:
    """Check plays: every mistake of every file, with its line, rule and the nearest names."""
    data = (bars, symbol) if bars is not None or symbol is not None else None
    reports = [_checked(file, warmup_tolerance, timeframe, data) for file in files]
    if as_json:
        console.emit_json(reports)
    else:
        for report in reports:
            _show(report)
    if any(not report["ok"] for report in reports):
        raise typer.Exit(errors.BadPlay.exit_code)


def _checked(file: Path, tolerance: float, timeframe: str | None, data: tuple[Path | None, str | None] | None) -> dict[str, object]:
    try:
        play = reader.load(file)
    except errors.BadPlay as error:
        return {"file": str(file), "ok": False, "problems": [_problem(problem) for problem in error.problems]}
    except errors.NotFound as error:
        return {"file": str(file), "ok": False, "problems": [{"text": str(error)}]}
    warm = _warm_up(runs.with_run(play, warmup_tolerance=tolerance), timeframe, data)
    return {
        "file": str(file),
        "ok": True,
        "name": play.name,
        "size": _size(play),
        "notes": list(play.notes),
        "needs": _needs(play),
        "text": describe.play(play),
        "warm_up": warm,
    }


def _warm_up(play: Play, timeframe: str | None, data: tuple[Path | None, str | None] | None) -> dict[str, Any] | None:
    """How long the variants warm up; None where nothing says how long a bar is."""
    if data is not None:
        candles = backtest.read_bars(play, data[0], data[1], timeframe)
        asked: tuple[int, int | None] = (candles.timeframe.ms, len(candles))
    elif play.timeframe_ms is not None or timeframe is not None:
        asked = (play.timeframe_ms or Timeframe.parse(str(timeframe)).ms, None)
    else:
        return None
    line = "" if asked[1] is None else warmup.warning(play, asked[0], asked[1])
    return {**warmup.facts(play, *asked), "text": warmup.told(play, *asked), "warning": line}


def _problem(problem: errors.PlayProblem) -> dict[str, object]:
    return {
        "text": str(problem),
        "line": problem.line,
        "path": problem.path,
        "rule": problem.rule,
        "found": problem.found,
        "suggestions": list(problem.suggestions),
    }


def _needs(play: Play) -> list[str]:
    """What the run must supply before the play can run."""
    needs = [word for word, missing in (("symbol", not play.symbols), ("timeframe", play.timeframe_ms is None)) if missing]
    try:
        runs.check_runnable(play)
    except errors.BadPlay as error:
        needs += [problem.rule for problem in error.problems]
    return needs


def _show(report: dict[str, object]) -> None:
    problems, notes, needs = (report.get(key, []) for key in ("problems", "notes", "needs"))
    if not report["ok"] and isinstance(problems, list):
        console.note(f"{report['file']}: {counted(len(problems), 'problem')}")
        for problem in problems:
            console.note(f"  {problem['text']}")
        return
    console.text(f"{report['file']}: ok\n{report['text']}")
    warm = report["warm_up"]
    for line in (warm["text"], warm["warning"]) if isinstance(warm, dict) else ():
        if line:
            console.text(f"  {line}")
    for word, lines in (("note", notes), ("the run supplies", needs)):
        for line in lines if isinstance(lines, list) else []:
            console.text(f"  {word}: {line}")


@app.command(name="variants")
def variants_of(
    play: Annotated[Path, typer.Argument(metavar="PLAY", help="A YAML file.")],
    n: Annotated[int, typer.Option("--limit", "-n", min=0, max=100_000, help="How many variants to draw.")] = 10,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed draws the same variants.")] = 0,
    as_json: console.AsJson = False,
) -> None:
    """Draw variants (parameter sets) of a play and show how many there are."""
    found = reader.load(play)
    genomes = found.space.sample(np.random.default_rng(seed), n)
    names = variants.identities(found, genomes)
    rows = [{"identity": name, "parameters": found.space.decode(genome)} for name, genome in zip(names, genomes, strict=True)]
    if as_json:
        dimensions = {dimension.path: dimension.text() for dimension in found.space.dimensions}
        size = {"size": _size(found), "size_is_exact": not found.space.size_is_bound}
        console.emit_json({"play": found.name, **size, "dimensions": dimensions, "variants": rows})
        return
    console.text(f"{found.name}: {describe.size(found)}, {counted(len(found.space), 'parameter')}")
    for dimension in found.space.dimensions:
        console.text(f"  {dimension.path}: {dimension.text()}")
    for name, genome in zip(names, genomes, strict=True):
        console.prose(f"{name[:12]}  {describe.variant(found, genome)}")


def _size(play: Play) -> int | None:
    """The number of variants; None where real numbers make it infinite, which JSON has no word for."""
    return None if math.isinf(play.space.size) else int(play.space.size)


app.command(name="new")(play_new.command)
app.command(name="indicators")(play_indicators.command)
app.command(name="schema")(play_new.print_schema)
app.command(name="features")(play_features.command)
app.command(name="lookahead")(play_lookahead.command)
app.command(name="export")(play_export.command)
app.command(name="vet")(play_vet.command)
