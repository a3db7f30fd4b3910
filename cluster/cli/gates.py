"""`coinswarm gates`: the rules a report card must keep, and whether one does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster import bootstrap
from cluster.cli import console, usage

if TYPE_CHECKING:
    from coinswarm.validate.card import ReportCard
    from coinswarm.validate.gates import Verdict

app = usage.App(
    help="The acceptance rules (gates) that a report card must keep, and whether one does.",
    examples=["coinswarm gates show", "coinswarm gates check a39737fd"],
)

OfGates = Annotated[Path | None, typer.Option("--gates", help="A YAML file of gates; else the default ones.")]


@app.command()
def show(
    file: Annotated[Path | None, typer.Argument(help="A YAML file of gates; else the default ones.")] = None,
    as_json: console.AsJson = False,
) -> None:
    """Show the rules with their thresholds and reasons, and the hash that verdicts carry."""
    from coinswarm.validate import gates, verdict_text

    found = gates.load(file)
    if as_json:
        console.emit_json({"name": found.name, "version": found.version, "hash": found.hash, "rules": found.rules})
        return
    console.text(f"gates {found.name}, version {found.version}, {found.hash[:12]}")
    for line in verdict_text.rules(found):
        console.text(line)


@app.command()
def check(
    card: Annotated[str, typer.Argument(metavar="CARD|EVALUATION", help="A report card as JSON, or the id of an evaluation.")],
    file: OfGates = None,
    as_json: console.AsJson = False,
) -> None:
    """Check a report card against the gates, promoting nothing. Exit code 1 when it does not pass."""
    from coinswarm.validate import gates

    wanted = gates.load(file)
    is_file = card.endswith(".json") or Path(card).is_file()
    judged = _from_file(Path(card)) if is_file else _stored(card)
    verdict = gates.check(wanted, judged)
    present(verdict, judged, as_json=as_json)
    if not is_file:
        _earlier(verdict)
    if not verdict.passed:
        raise typer.Exit(1)


def present(verdict: Verdict, card: ReportCard, *, as_json: bool, more: dict[str, Any] | None = None) -> None:
    """Print a verdict: every rule with its figure, those that failed first, and what the lint of the card found."""
    from coinswarm.validate import verdict_text

    if as_json:
        console.emit_json({**verdict.summary(), **(more or {})})
        return
    made = f"  [{console.SYNTHETIC} DATA]" if card.synthetic else ""
    console.text(f"{verdict.evaluation or 'card'} against gates {verdict.gates}{made}")
    for line in verdict_text.lines(verdict):
        console.text(line)
    for found in card.sections["lint"].notes if "lint" in card.sections else ():
        console.text(f"lint found {found}")
    console.text(verdict_text.ending(verdict))


def _stored(name: str) -> ReportCard:
    from cluster.queries import vetting

    with bootstrap.open_store(console.settings()) as store:
        return vetting.newest_card(store, store.evaluation(name))


def _from_file(file: Path) -> ReportCard:
    from coinswarm import errors
    from coinswarm.validate import gates

    if not file.is_file():
        raise errors.no_file(file)
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise errors.BadInput(f"{file.name} must be a report card in JSON", found=str(error.reason)) from error
    return gates.card_of(text, file.name)


def _earlier(verdict: Verdict) -> None:
    """Say when the last stored verdict on this variant was reached with other gates, or on another card."""
    with bootstrap.open_campaigns(console.settings()) as kept:
        stored = kept.verdicts(verdict.evaluation)
    if not stored:
        return
    last = stored[-1]
    for what, then, now in (("gates", last.gates_hash, verdict.gates_hash), ("card", last.card_hash, verdict.card_hash)):
        if then != now:
            console.note(f"the verdict of {last.when:%Y-%m-%d %H:%M} was reached with {what} {then[:12]}, this one with {now[:12]}")
