"""`coinswarm validate`: the report card of an evaluation, of the best of a job, or of one variant of a play."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster import bootstrap
from cluster.cli import console, warming
from coinswarm import errors
from coinswarm.config import WARMUP_TOLERANCE
from coinswarm.evolve.settings import OUT_OF_SAMPLE

if TYPE_CHECKING:
    from cluster.compute.executor import Crew
    from cluster.jobs.validate.plan import Plan, Subject, Wishes
    from cluster.settings import Settings
    from coinswarm.ledger.records import Job
    from coinswarm.ledger.store import Store
    from coinswarm.validate.card import ReportCard, Section

_KEY_FIGURES = {
    "in_sample": ("sharpe", "total_return", "max_drawdown", "n_trades"),
    "validation": ("sharpe", "total_return", "max_drawdown", "n_trades"),
    "walk_forward": ("sharpe_mean", "positive_share", "efficiency", "return_worst"),
    "cpcv": ("sharpe_median", "sharpe_p05", "positive_share"),
    "odds": ("psr", "beyond_luck", "dsr", "dsr_effective", "trials", "effective_trials", "psr_validation"),
    "overfitting": ("pbo", "pbo_trials", "probability_of_loss", "n_variants"),
    "superiority": ("spa_beta", "spa_hold", "spa_lottery", "reality_check_hold", "lottery_p"),
    "plateau": ("score", "positive_share", "worst_ratio"),
    "stress": ("base_sharpe", "costs_x2_sharpe", "delay_sharpe", "missed_sharpe", "break_even_costs"),
    "montecarlo": ("trades_return_p05", "trades_drawdown_p95", "bars_sharpe_p05", "world_positive_share"),
    "markets": ("n_markets", "positive_share", "sharpe_worst"),
    "years": ("quarter_positive_share", "return_worst", "gain_concentration"),
    "regimes": ("positive_share", "sharpe_worst"),
    "unseen": ("n_markets", "positive_share", "sharpe_median"),
    "crash": ("drawdown_one_bar", "drawdown_ten_bars", "drawdown_gap", "stop_rate"),
    "capacity": ("participation_p95", "capital_at_1pct", "sharpe_at_10x"),
    "lint": ("n_findings",),
}
_WHOLE = 1000
"""From here on digits after the point say nothing."""
_PERCENT = ("return", "drawdown", "share", "participation", "probability", "expectancy", "concentration")


def command(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="EVALUATION|JOB|PLAY", help="An evaluation's or job's id or its beginning, or a YAML file.", show_default=False
        ),
    ],
    best: Annotated[int, typer.Option(min=1, max=100, help="Of a job: how many of its best, each with a card of its own.")] = 1,
    setting: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Of a play: a parameter it leaves open.")] = None,
    variant: Annotated[str | None, typer.Option(help="Of a play, for parameters not set: first, middle or random:SEED.")] = None,
    symbol: Annotated[list[str] | None, typer.Option("--symbol", "-s", help="Of a play: a market; repeat for several.")] = None,
    bars: Annotated[list[Path] | None, typer.Option("--bars", help="Of a play: a file of candles to import and use.")] = None,
    timeframe: Annotated[str | None, typer.Option("--timeframe", "-t", help="Of a play: length of a bar; else the play's.")] = None,
    out_of_sample: Annotated[
        float, typer.Option(min=0, max=0.9, help="Of a play: share of the bars, the newest, held out.")
    ] = OUT_OF_SAMPLE,
    campaign: Annotated[str, typer.Option(help="Of a play: whose splits it is judged on.")] = "default",
    warmup_tolerance: warming.Tolerance = WARMUP_TOLERANCE,
    also: Annotated[list[str] | None, typer.Option("--also", help="A market it was not bred on; repeat for several.")] = None,
    unseen: Annotated[bool, typer.Option("--unseen/--no-unseen", help="Try all stored markets of its timeframe.")] = True,
    folds: Annotated[int | None, typer.Option(min=1, max=200, help="Test stretches of the walk forward. [default: 6]")] = None,
    resamples: Annotated[int, typer.Option(min=99, max=100_000, help="Of each bootstrap.")] = 999,
    lotteries: Annotated[int, typer.Option(min=19, max=100_000, help="Random entries with the variant's exits.")] = 199,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same card, with any number of workers.")] = 0,
    out: Annotated[Path | None, typer.Option("--out", help="The HTML file; else `reports/card-VARIANT.html` in the home folder.")] = None,
    workers: Annotated[int | None, typer.Option("--workers", "-w", help="Processes of the local cluster; else one a core.", min=1)] = None,
    address: Annotated[str | None, typer.Option(help="A running Ray cluster; else RAY_ADDRESS, else a local one.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the card as JSON on stdout.")] = False,
) -> None:
    """How much of a result to believe: one report card, on train and validation bars only; the vault stays closed."""
    settings = console.settings()
    settings = settings.model_copy(update={"ray_address": address}) if address else settings
    bootstrap.prepare(settings)
    wishes = _wishes(also or [], all_unseen=unseen, seed=seed, folds=folds, resamples=resamples, lotteries=lotteries)
    from_play = {
        "bars": bars, "setting": setting, "variant": variant, "symbol": symbol,
        "warmup-tolerance": warmup_tolerance != WARMUP_TOLERANCE,
    }  # fmt: skip
    with bootstrap.open_store(settings) as store:
        if _is_file(subject):
            found = [
                _of_play(
                    settings,
                    Path(subject),
                    setting or [],
                    variant,
                    symbol or [],
                    bars or [],
                    timeframe,
                    out_of_sample,
                    campaign,
                    warmup_tolerance,
                )
            ]
        else:
            _refuse_options(subject, from_play)
            found = _of_ledger(settings, store, subject, best)
        plans = [_planned(settings, one, wishes, asked=folds) for one in found]
        run(settings, store, plans, out=out, workers=workers, as_json=as_json)


def plan_again(settings: Settings, store: Store, job: Job) -> Plan:
    """The plan of a stored job."""
    from cluster.jobs.validate import plan as driving

    plays = tuple(store.play(sha256) for sha256 in job.plays)
    return driving.plan_again(job, plays, store.data_sets(job.data_hashes), settings.bars_file)


def go_on(settings: Settings, store: Store, plan: Plan, *, workers: int | None, as_json: bool) -> None:
    """Drive a stored job from the first section that is missing."""
    run(settings, store, [plan], new=False, workers=workers, as_json=as_json)


def run(
    settings: Settings, store: Store, plans: Sequence[Plan], *, out: Path | None = None, new: bool = True, workers: int | None = None,
    as_json: bool = False,
) -> None:  # fmt: skip
    """Queue plans, compute their cards one after the other, and print and write each."""
    from cluster.jobs.validate import plan as driving

    made = []
    with bootstrap.open_crew(settings, workers=workers, tell=console.note) as (crew, session):
        for plan in plans:
            if new:
                driving.submit_plan(store, plan)
            console.note(f"job {plan.job.id} with {session.cpus} processors: {len(plan.job.config['sections'])} sections")
            made.append(_driven(store, plan, crew))
    cards = [driving.card_of(job) for job in made]
    paths = [_write(settings, card, out, several=len(cards) > 1) for card in cards]
    if as_json:
        from coinswarm.validate import card as cards_module

        written = [cards_module.to_json(card) for card in cards]
        console.emit_json(written[0] if len(written) == 1 else written)
        return
    for job, card, path in zip(made, cards, paths, strict=True):
        _show(job, card, path)


def _driven(store: Store, plan: Plan, crew: Crew) -> Job:
    """Compute one card with a live display; a cancelled job raises."""
    from cluster.cli import live
    from cluster.jobs.validate import plan as driving
    from cluster.run import stopping

    with live.Display() as display, stopping.stop_requests(display.on_note) as stopped:
        sections = driving.Sections(plan, crew, lambda section: display.on_note(_line(section)))
        ending = bootstrap.drive_steps(store, plan.job.id, sections, watcher=display, stopped=stopped, workers=lambda: crew.workers)
    job = store.job(ending.job)
    if job.status == "cancelled":
        raise errors.Cancelled(f"job {job.id} is cancelled, what was computed is kept", hint=f"`coinswarm jobs resume {job.id}` goes on")
    return job


# --- what is judged -------------------------------------------------------------------------------------------------------


def _is_file(subject: str) -> bool:
    return subject.endswith((".yaml", ".yml")) or Path(subject).is_file()


def _refuse_options(subject: str, given: dict[str, Any]) -> None:
    """Say that an evaluation has its markets and parameters already."""
    for name, value in given.items():
        if value:
            option = "--set" if name == "setting" else f"--{name}"
            raise errors.InvalidArgument(f"{option} is for a play; what a job found is judged as it was bred", found=subject)


def _of_ledger(settings: Settings, store: Store, name: str, best: int) -> list[Subject]:
    """The evaluation, or the best of the job, of this name; ids of jobs begin with their kind and a hyphen."""
    from cluster.jobs.validate import targets as subjects
    from cluster.jobs.validate import trials

    if "-" not in name:
        return [trials.subject(store, name, settings.bars_file)]
    return subjects.of_job(store, name, best, settings.bars_file)


def _of_play(
    settings: Settings, file: Path, given: Sequence[str], variant: str | None, symbols: Sequence[str], files: Sequence[Path],
    timeframe: str | None, out_of_sample: float, campaign: str, warmup_tolerance: float,
) -> Subject:  # fmt: skip
    """One variant of a play on stored markets."""
    from cluster.cli import asking, backtest
    from cluster.jobs.validate import targets as subjects

    text = asking.checked([file])[0]
    play = subjects.read(text, timeframe)
    genome = play.space.encode(backtest.choose(play, given, variant).parameters)
    names = [*symbols, *asking.imported(files, settings)]
    with bootstrap.open_campaigns(settings) as kept:
        return subjects.of_play(
            text, genome, names, settings.bars_file, kept, timeframe=timeframe, out_of_sample=out_of_sample, campaign=campaign,
            warmup_tolerance=warmup_tolerance,
        )  # fmt: skip


def _wishes(also: Sequence[str], *, all_unseen: bool, seed: int, folds: int | None, resamples: int, lotteries: int) -> Wishes:
    from cluster.jobs.validate.plan import Wishes
    from coinswarm.validate.case import Effort

    effort = Effort(resamples=resamples, lotteries=lotteries, **({} if folds is None else {"folds": folds}))
    return Wishes(also=tuple(also), all_unseen=all_unseen, seed=seed, effort=effort)


def _planned(settings: Settings, subject: Subject, wishes: Wishes, *, asked: int | None) -> Plan:
    """A plan; folds that were asked for must be longer than the warm-up, before anything is started."""
    from cluster.jobs.validate import plan as driving

    plan = driving.plan(subject, wishes, settings.bars_file)
    if asked is not None:
        driving.require_folds(plan, asked)
    return plan


# --- what it shows --------------------------------------------------------------------------------------------------------


def _write(settings: Settings, card: ReportCard, out: Path | None, *, several: bool) -> Path:
    from coinswarm.report import cards
    from coinswarm.validate import names

    named = settings.reports_folder / f"card-{card.evaluation or card.variant[:12]}.html"
    path = named if out is None else (out.with_stem(f"{out.stem}-{card.variant[:8]}") if several else out)
    return cards.write(card, path.expanduser().absolute(), meanings=names.FIGURES)


def _show(job: Job, card: ReportCard, path: Path) -> None:
    markets = ", ".join(card.markets)
    together = "; figures are of all markets together, as one portfolio of equal parts" if len(card.markets) > 1 else ""
    console.text(f"{card.play} {card.evaluation or card.variant[:12]} on {markets}{together}")
    rows: list[list[Any]] = [[section.title, _brief(section)] for section in card.sections.values()]
    console.table(f"report card, job {job.id}", ["section", "figures"], rows, synthetic=card.synthetic)
    for name, section in card.sections.items():
        for why in dict.fromkeys(section.withheld.values()):
            figures = ", ".join(figure for figure, reason in section.withheld.items() if reason == why)
            console.text(f"withheld of {name}: {figures}: {why}")
    console.text(f"everything: {console.path(path)}; {_next(card)}")


def _next(card: ReportCard) -> str:
    if card.evaluation:
        return f"against the gates: `coinswarm gates check {card.evaluation}`"
    return "no search of the ledger found this variant, so it cannot be vetted; `coinswarm gates check` takes the card that `--json` prints"


def _line(section: Section) -> str:
    return f"{section.title}: {_brief(section)}"


def _brief(section: Section) -> str:
    """The figures of a section that say most, or why there are none."""
    if section.refused is not None:
        return f"refused: {section.refused}"
    names = _KEY_FIGURES[section.name] if section.name != "lint" else _found(section)
    return "  ".join(f"{name} {_word(name, section.figures[name])}" for name in names if name in section.figures)


def _found(section: Section) -> list[str]:
    """How many rules of the lint are broken, and which."""
    return [name for name, value in section.figures.items() if value > 0 or name == "n_findings"]


def _word(name: str, value: float) -> str:
    if math.isnan(value):
        return "-"
    if any(word in name for word in _PERCENT) and math.isfinite(value):
        return f"{100 * value:,.1f}%"
    whole = math.isfinite(value) and (value == round(value) or abs(value) >= _WHOLE)
    return f"{value:,.0f}" if whole else f"{value:,.3g}"
