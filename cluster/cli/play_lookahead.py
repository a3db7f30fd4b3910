"""`coinswarm play lookahead`: prove that a play looks at nothing that has not happened yet."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.cli import backtest, console, live
from coinswarm import codec, errors, play
from coinswarm.config import WARMUP_TOLERANCE
from coinswarm.printable import counted

if TYPE_CHECKING:
    from coinswarm.validate import lookahead

_SHOWN = 5
_EVERY_S = 5.0


def command(
    file: Annotated[Path, typer.Argument(metavar="PLAY", help="A YAML file.", show_default=False)],
    bars: backtest.OfBars = None,
    symbol: Annotated[str | None, typer.Option("--symbol", "-s", help="A stored market; with --bars, the market of the file.")] = None,
    timeframe: backtest.OfTimeframe = None,
    variants: Annotated[int, typer.Option(min=1, max=1000, help="How many variants to draw and check.")] = 3,
    cuts: Annotated[int, typer.Option(min=1, max=1000, help="Places to cut at, for each variant and kind of tampering.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same variants and cuts.")] = 0,
    max_hold_bars: Annotated[int | None, typer.Option(min=1, max=100_000, help="Longest hold, in place of the play's.")] = None,
    warmup_tolerance: backtest.Tolerance = WARMUP_TOLERANCE,
    as_json: console.AsJson = False,
) -> None:
    """Test for look-ahead: truncate or scramble later data and check that earlier values and trades stay the same.

    Exit code 1 when they do not.
    """
    from coinswarm.validate import lookahead

    loaded = backtest.on_interval(play.load(file), bars, timeframe)
    candles, others = backtest.read_files(loaded, bars or [], symbol, timeframe)
    wanted = backtest.for_run(loaded, candles, max_hold_bars, warmup_tolerance)
    markets = backtest.read_markets(wanted, others, candles)
    report = lookahead.check(wanted, candles, markets=markets, variants=variants, cuts=cuts, seed=seed, progress=Ticker())
    if as_json:
        console.emit_json(_described(report, synthetic=candles.synthetic))
    else:
        _show(report, synthetic=candles.synthetic)
    if not report.passed:
        raise typer.Exit(errors.CoinswarmError.exit_code)


class Ticker:
    """Says on stderr how far a long run has got and how long it still takes, every few seconds."""

    def __init__(self, *, every_s: float = _EVERY_S) -> None:
        self._every_s = every_s
        self._began = self._said = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """So many steps are done."""
        now = time.monotonic()
        if now - self._said < self._every_s or not 0 < done < total:
            return
        self._said = now
        left_s = (now - self._began) / done * (total - done)
        console.note(f"look-ahead {done}/{total}  ETA {live.span(left_s)}")


def _show(report: lookahead.LookaheadReport, *, synthetic: bool) -> None:
    variants = counted(len(report.variants), "variant")
    console.text(f"{report.play} on {report.market}: {variants}, {report.trades:,} trades, seed {report.seed}")
    rows = [
        [verdict.name, _word(verdict), verdict.cuts, f"{verdict.compared:,}", f"{verdict.n_offences:,}", f"{verdict.n_ties:,}"]
        for verdict in report.verdicts
    ]
    console.table("Look-ahead", ("test", "verdict", "data sets", "compared", "differ", "ties"), rows, synthetic=synthetic)
    for verdict in report.verdicts:
        for line in _lines(verdict):
            console.text(f"{verdict.name}: {line}")
    for variant in report.skipped:
        console.text(f"skipped, never warm on these bars: {variant}")


def _word(verdict: lookahead.ProbeVerdict) -> str:
    if verdict.passed:
        return "passed"
    return "FAILED" if verdict.n_offences else "NOT TESTED"


def _lines(verdict: lookahead.ProbeVerdict) -> list[str]:
    return [*map(_offence, verdict.offences[:_SHOWN]), *map(_tie, verdict.ties[:_SHOWN]), *verdict.notes]


def _tie(tie: lookahead.Tie) -> str:
    return f"tie at bar {tie.bar} ({console.moment(tie.ts)}), {tie.name}: {tie.left:.17g} against {tie.right:.17g}"


def _offence(offence: lookahead.Offence) -> str:
    place = f"bar {offence.bar} ({console.moment(offence.ts)})"
    values = f"{_value(offence.whole)} on all bars, {_value(offence.part)} with data tampered from bar {offence.cut} on"
    notes = "".join(f"; {text}" for text in (offence.note, offence.variant) if text)
    return f"{offence.kind} {offence.name}, {place}: {values}{notes}"


def _value(value: float | bool | str | None) -> str:
    if value is None:
        return "missing"
    return f"{value:.12g}" if isinstance(value, float) else str(value).lower()


def _timed(verdict: dict[str, Any]) -> dict[str, Any]:
    """A verdict as JSON, the times of what it found as text."""
    found = {name: [{"time": console.instant(each.pop("ts")), **each} for each in verdict[name]] for name in ("offences", "ties")}
    return {**verdict, **found}


def _described(report: lookahead.LookaheadReport, *, synthetic: bool) -> dict[str, object]:
    verdicts = {verdict.name: {"passed": verdict.passed, **_timed(codec.plain(verdict))} for verdict in report.verdicts}
    return {**codec.plain(report), "passed": report.passed, "synthetic": synthetic, "verdicts": verdicts}
