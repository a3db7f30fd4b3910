"""`coinswarm vault`: the locked holdout of a campaign, opened once at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster import bootstrap, machine
from cluster.cli import console, usage
from coinswarm import errors
from coinswarm.printable import counted
from coinswarm.validate import names

if TYPE_CHECKING:
    from cluster.queries.vaults import Candidate
    from coinswarm.ledger.campaigns import CampaignSplit, VaultOpening

app = usage.App(
    help="The final hold-out (vault) of a campaign, opened once at the end: declare, show, open.",
    examples=["coinswarm vault declare --campaign spring --symbol BTC/USDT --vault 0.2", "coinswarm vault open a39737fd --why 'last look'"],
)

_PARTS = ("train", "validation", "vault")
_FIGURES = ("sharpe", "total_return", "max_drawdown", "n_trades")
_TITLES = ("Sharpe", "return", "drawdown", "trades")
_PASSED = {True: "yes", False: "no", None: "not known"}


@app.command()
def declare(
    campaign: Annotated[str, typer.Option("--campaign", help="Whose vault; a campaign whose jobs have not seen these bars.")],
    symbol: Annotated[list[str], typer.Option("--symbol", "-s", help="A market; repeat for several.")],
    timeframe: Annotated[str | None, typer.Option("--timeframe", "-t", help="Bar interval, if more than one is stored.")] = None,
    validation: Annotated[float, typer.Option(help="Share of the bars on which finds are judged.")] = 0.2,
    share: Annotated[float, typer.Option("--vault", help="Share of the bars, the newest, that stay closed.")] = 0.2,
    hold: Annotated[
        int, typer.Option("--longest-hold", help="Bars that the longest trade is held; as many are dropped before each cut.")
    ] = 48,
    embargo: Annotated[int | None, typer.Option(help="Bars skipped after each cut; else as many as are held.")] = None,
    as_json: console.AsJson = False,
) -> None:
    """Cut a campaign's time into train, validation and vault, once: its jobs never see the vault."""
    from cluster.queries import vaults

    settings = console.settings()
    wanted = vaults.VaultQuery(
        campaign=campaign, markets=tuple(symbol), timeframe=timeframe, validation=validation, vault=share, hold=hold, embargo=embargo
    )
    with bootstrap.open_campaigns(settings) as kept:
        split = vaults.declare(kept, wanted, settings.bars_file, who=machine.user())
    _show_split(split, as_json=as_json)


@app.command()
def show(
    campaign: Annotated[str | None, typer.Option("--campaign", help="One campaign; else all.")] = None, as_json: console.AsJson = False
) -> None:
    """Splits of campaigns, and every opening of their vaults."""
    with bootstrap.open_campaigns(console.settings()) as kept:
        splits = [split for split in kept.splits() if campaign in (None, split.campaign)]
        openings = kept.openings(campaign)
    if campaign is not None and not splits:
        raise errors.NotFound(f"campaign {campaign} has no vault", hint="`coinswarm vault declare` makes one before its first search")
    if as_json:
        console.emit_json({"splits": splits, "openings": openings})
        return
    if not splits:
        console.text("no campaign has a vault; `coinswarm vault declare` makes one before its first search")
        return
    rows: list[list[Any]] = [[split.campaign, *(_days(split, part) for part in _PARTS), split.who] for split in splits]
    title = counted(len(rows), "campaign with a vault", "campaigns with a vault")
    console.table(title, ["campaign", *_PARTS, "declared by"], rows)
    looks: list[list[Any]] = [
        [f"{look.when:%Y-%m-%d %H:%M}", console.short(look.evaluation), _PASSED[look.passed], *_shown(look), _why(look)]
        for look in openings
    ]
    if looks:
        heads = ["when", "id", "passed", *_TITLES, "why"]
        console.table(f"{counted(len(looks), 'opening')}, each charged as a trial", heads, looks, below=True)


@app.command(name="open")
def open_vault(
    evaluation: Annotated[str, typer.Argument(help="An evaluation's id or the beginning of it.")],
    why: Annotated[str, typer.Option("--why", help="Why now, for the ledger.")],
    anyway: Annotated[bool, typer.Option("--anyway", help="Also for a variant that has not passed its gates; the log says so.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: console.AsJson = False,
) -> None:
    """Judge one variant that passed its gates on its campaign's vault; logged with who, when and why, and charged as a trial."""
    settings = console.settings()
    bootstrap.prepare(settings)
    from cluster.queries import vaults

    with (
        bootstrap.open_store(settings) as store,
        bootstrap.open_campaigns(settings) as kept,
        bootstrap.local_evaluator(settings) as evaluator,
    ):
        chosen = vaults.candidate(store, kept, evaluation, anyway=anyway)
        if not yes:
            _ask(chosen, len(kept.openings(chosen.split.campaign)))
        opening = vaults.look(store, kept, evaluator, chosen.evaluation, settings.bars_file, who=machine.user(), why=why, anyway=anyway)
        counts = store.count_trials(opening.campaign)
    if as_json:
        console.emit_json({"opening": opening, "trials": counts})
        return
    rows = [[key or "mean", *(names.worded(name, row[name]) for name in _FIGURES)] for key, row in opening.figures.items()]
    title = f"{opening.evaluation} on the vault of campaign {opening.campaign}"
    console.table(title, ["data set", *_TITLES], rows, synthetic=_made(opening.figures))
    console.text(f"opening {opening.id}: {counts.openings} so far, charged to the campaign's {counts.trials:,} trials")
    if opening.seen_by:
        console.prose(f"{counted(opening.seen_by, 'job')} of other campaigns had seen bars of this vault before: this was not a first look")


def _ask(chosen: Candidate, before: int) -> None:
    """Say what an opening costs, and ask for a typed yes; without a terminal `--yes` must have been said."""
    gates = {True: "passed its gates", False: "has NOT passed its gates", None: "has no report card"}[chosen.passed]
    opened = "has not been opened" if before == 0 else f"has been opened {'once' if before == 1 else f'{before} times'}"
    console.note(
        f"The vault of campaign {chosen.split.campaign} {opened} before. {chosen.evaluation} {gates}. Opening it is logged, counts as a "
        "trial and cannot be taken back: bars that were seen judge nothing anew."
    )
    if not sys.stdin.isatty():
        raise errors.Refused("this must be confirmed, and there is no terminal to ask on", found="no --yes", hint="--yes does not ask")
    if typer.prompt("Type yes to open it", default="", show_default=False, err=True).strip().lower() != "yes":
        raise typer.Abort


def _show_split(split: CampaignSplit, *, as_json: bool) -> None:
    if as_json:
        console.emit_json(split)
        return
    rows = [[part, _span(split, part)] for part in _PARTS]
    keys = [market.key for market in split.markets]
    console.table(f"campaign {split.campaign}: {', '.join(keys)}", ["part", "span, UTC"], rows, synthetic=_made(keys))
    console.text(f"{split.purge_bars} bars are dropped before each cut and {split.embargo_bars} after it; declared once, by {split.who}")


def _made(keys: Iterable[str]) -> bool:
    """Whether some of these data sets are of prices that were made, not traded."""
    from coinswarm.market import files

    return any(files.is_made(key.partition(":")[0]) for key in keys)


def _span(split: CampaignSplit, part: str) -> str:
    span = getattr(split, part)
    return f"{console.moment(span.start_ts)} .. {console.moment(span.end_ts)}"


def _days(split: CampaignSplit, part: str) -> str:
    span = getattr(split, part)
    return f"{console.moment(span.start_ts)[:10]} to {console.moment(span.end_ts)[:10]}"


def _why(look: VaultOpening) -> str:
    """Whose vault, who opened it and why, and whether its bars had been seen before."""
    seen = f"; {counted(look.seen_by, 'job')} of other campaigns had seen these bars" if look.seen_by else ""
    return f"campaign {look.campaign}, by {look.who}: {look.why}{seen}"


def _shown(look: VaultOpening) -> list[str]:
    means = look.figures.get("", {})
    return [names.worded(name, means[name]) if name in means else "-" for name in _FIGURES]
