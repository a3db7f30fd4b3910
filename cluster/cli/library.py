"""`coinswarm library`: the plays that passed the gates, where they stand, and taking one out of use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster import bootstrap, machine
from cluster.cli import console, usage
from coinswarm import errors
from coinswarm.printable import counted

if TYPE_CHECKING:
    from coinswarm.ledger.campaigns import Campaigns, VettedPlay
    from coinswarm.ledger.lifecycle import Transition

app = usage.App(help="The plays that passed the gates (acceptance rules): list, show, disable, rework.")

OfPlay = Annotated[str, typer.Argument(metavar="PLAY", help="Its name, or the beginning of its hash or of its evaluation's id.")]
Why = Annotated[str, typer.Option("--why", help="Reason, stored with the step.")]


@app.command("list")
def list_plays(
    state: Annotated[str | None, typer.Option("--state", metavar="STATE", help="Only plays in this state, such as vetted.")] = None,
    as_json: console.AsJson = False,
) -> None:
    """List every vetted play, with its tags and its state."""
    from coinswarm.ledger import lifecycle

    wanted = None if state is None else lifecycle.parse_state(state)
    with bootstrap.open_campaigns(console.settings()) as kept:
        newest = {play.sha256: play for play in kept.vetted()}
        rows = [_row(play, lifecycle.standing(kept.steps(play.evaluation))) for play in newest.values()]
    rows = [row for row in rows if wanted in (None, row["state"])]
    if as_json:
        console.emit_json(rows)
        return
    if not rows:
        console.text("no vetted plays yet: `coinswarm play vet EVALUATION` vets one" if wanted is None else f"no vetted play is {wanted}")
        return
    headings = ["play", "name", "state", "market", "vetted", "details"]
    console.table(counted(len(rows), "vetted play"), headings, [_cells(row) for row in rows], below=True)


def _cells(row: Mapping[str, Any]) -> list[object]:
    """A play as a line of a table, and what else is known of it."""
    made = console.SYNTHETIC if row["synthetic"] else ""
    more = f"evaluation {console.short(row['evaluation'])}, by {row['who']}"
    tags = [str(_cell(row[name])) for name in ("regime", "risk_profile") if row[name]]
    market = " ".join(str(_cell(each)) for each in (row["market"], row["timeframe"], made) if each)
    return [row["sha256"][:8], row["name"], row["state"], market, f"{row['vetted']:%Y-%m-%d}", ", ".join([more, *tags])]


@app.command()
def show(play: OfPlay, as_json: console.AsJson = False) -> None:
    """Show one play: where it comes from, its verdict, its history and its YAML."""
    from coinswarm.ledger import lifecycle

    with bootstrap.open_campaigns(console.settings()) as kept:
        found = _found(kept, play)
        steps = kept.steps(found.evaluation)
    if as_json:
        console.emit_json({"play": found, "state": lifecycle.standing(steps), "steps": steps})
        return
    facts: list[list[Any]] = [
        ["state", lifecycle.standing(steps)], ["evaluation", found.evaluation], ["sha256", found.sha256], ["verdict", found.verdict],
        ["card", found.card_hash], *([name, _cell(value)] for name, value in found.tags.items()),
    ]  # fmt: skip
    console.facts(found.name, facts, synthetic=bool(found.tags.get("synthetic")))
    _show_steps(steps)
    console.text(found.text)


@app.command()
def disable(play: OfPlay, why: Why, as_json: console.AsJson = False) -> None:
    """Take a play out of use. Only `rework` leads back."""
    _move(play, "disabled", why, as_json=as_json)


@app.command()
def rework(play: OfPlay, why: Why, as_json: console.AsJson = False) -> None:
    """Send a play back to be worked on; `library reopen` then makes it a candidate."""
    _move(play, "rework", why, as_json=as_json)


@app.command()
def reopen(play: OfPlay, why: Why, as_json: console.AsJson = False) -> None:
    """Make a play in rework a candidate again."""
    _move(play, "candidate", why, as_json=as_json)


def _move(name: str, target: str, why: str, *, as_json: bool) -> None:
    from coinswarm.ledger.lifecycle import parse_state
    from coinswarm.validate.lifecycle import move

    with bootstrap.open_campaigns(console.settings()) as kept:
        found = _found(kept, name)
        step = move(kept, found.evaluation, parse_state(target), who=machine.user(), why=why)
    console.answer(step, f"{found.name} ({found.evaluation}): {step.source} -> {step.target}", as_json=as_json)


def _found(kept: Campaigns, name: str) -> VettedPlay:
    """The newest vetting of the one variant that is meant."""
    plays = kept.vetted()
    fits = [play for play in plays if name == play.name or play.sha256.startswith(name) or play.evaluation.startswith(name)]
    variants = list(dict.fromkeys(play.evaluation for play in fits)) if name else []
    if not variants:
        raise errors.not_found("vetted play", name, [play.name for play in plays], listed="`coinswarm library list` shows all")
    if len(variants) > 1:
        raise errors.Conflict(f"{name!r} matches several vetted plays: {', '.join(variants[:3])}", hint="give the beginning of one's hash")
    return fits[-1]


def _row(play: VettedPlay, state: str) -> dict[str, Any]:
    tags = {name: play.tags.get(name) for name in ("market", "timeframe", "regime", "risk_profile", "synthetic")}
    return {
        "sha256": play.sha256[:12], "name": play.name, "state": state, "evaluation": play.evaluation, **tags,
        "vetted": play.when, "who": play.who, "verdict": play.verdict,
    }  # fmt: skip


def _show_steps(steps: Sequence[Transition]) -> None:
    rows: list[list[Any]] = [
        [f"{step.when:%Y-%m-%d %H:%M}", step.source, step.target, step.who, step.verdict[:8], step.gates_hash[:8], step.why]
        for step in steps
    ]
    console.table(counted(len(rows), "step"), ["when", "from", "to", "who", "verdict", "gates", "why"], rows, below=True)


def _cell(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
