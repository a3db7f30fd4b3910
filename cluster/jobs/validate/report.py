"""Report cards, as they are read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cluster.jobs.kind import PlanContext
from cluster.jobs.report import Report, ReportTable
from coinswarm import codec, errors
from coinswarm.ledger.records import Job
from coinswarm.validate import gates, names, verdict_text
from coinswarm.validate.card import ReportCard, Section, from_json, to_json
from coinswarm.validate.gates import Verdict

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
_BEST = 5
"""Of a job: how many cards are suggested when one has failed."""


def report(job: Job, context: PlanContext) -> Report:
    """The card of a job that is done, and what the gates say of it."""
    if job.status != "done":
        return Report(title=f"Report card of {job.id}", parts=(), data=job.result or {}, synthetic=job.synthetic)
    card = card_of(job)
    verdict = gates.check(gates.load(), card)
    return Report(
        title=f"Report card of {card.play}", parts=tuple(_parts(job, card, verdict)), data={**to_json(card), "verdict": verdict.summary()},
        synthetic=card.synthetic, page=lambda: _page(card, verdict), file_name=f"card-{card.evaluation or card.variant[:12]}",
        next_steps=tuple(_next(card, verdict, has_vault=context.campaigns.split(card.campaign) is not None)),
    )  # fmt: skip


def found(card: ReportCard) -> dict[str, Any]:
    """What a job stores of a card: the card, and what the gates of the day said of it."""
    said = gates.check(gates.load(), card).summary()
    return {"evaluation": card.evaluation, "variant": card.variant, "card": to_json(card), "verdict": codec.encode(said)}


def card_of(job: Job) -> ReportCard:
    """The card that a finished job made.

    Raises:
        NotFound: it has none.
    """
    result = job.result or {}
    if "card" not in result:
        raise errors.NotFound(f"job {job.id} has no report card", hint=f"it is a job of kind {job.kind}, {job.status}")
    return from_json(result["card"])


def line(section: Section) -> str:
    """A section in one line."""
    return f"{section.title}: {_brief(section)}"


def _page(card: ReportCard, verdict: Verdict) -> str:
    from coinswarm.report.cards import render

    return render(card, verdict, meanings=names.FIGURES)


def _parts(job: Job, card: ReportCard, verdict: Verdict) -> Iterable[ReportTable | str]:
    together = "; figures are of all markets together, as one portfolio of equal parts" if len(card.markets) > 1 else ""
    yield f"{card.play} {card.evaluation or card.variant[:12]} on {', '.join(card.markets)}{together}"
    rows = tuple((section.title, _brief(section)) for section in card.sections.values())
    yield ReportTable(title=f"report card, job {job.id}", columns=("section", "figures"), rows=rows)
    for name, section in card.sections.items():
        for why in dict.fromkeys(section.withheld.values()):
            figures = ", ".join(names.label(figure) for figure, reason in section.withheld.items() if reason == why)
            yield f"withheld of {names.TITLES[name]}: {figures}: {why}"
    yield "\n".join(["", *verdict_text.lines(verdict), "", verdict_text.ending(verdict)])


def _next(card: ReportCard, verdict: Verdict, *, has_vault: bool) -> Iterable[str]:
    """The steps that make sense now, each with its command on a line of its own: towards the vault, or back to the search."""
    if not card.evaluation:
        yield _step("no search found this variant, so it cannot be promoted; search the play", "evolve PLAY")
        return
    if not verdict.passed:
        yield _step("judge others of its job, or search again with what would help", f"validate {card.job} --best {_BEST}")
    if not has_vault:
        markets = " ".join(f"--symbol {key}" for key in card.markets)
        yield _step(
            f"campaign {card.campaign} has no vault, so nothing of it can be promoted; begin one that has",
            f"vault declare --campaign NAME {markets}",
        )
    elif verdict.passed:
        yield _step("write it out as a vetted play", f"play vet {card.evaluation}")
        yield _step("judge it once on bars that nobody has seen", f'vault open {card.evaluation} --why "last look"')


def _step(words: str, command: str) -> str:
    return f"{words}:\n         coinswarm {command}"


def _brief(section: Section) -> str:
    """The figures of a section that say most, or why there are none."""
    if section.refused is not None:
        return f"refused: {section.refused}"
    shown = _KEY_FIGURES[section.name] if section.name != "lint" else _found(section)
    return "  ".join(f"{names.label(name)} {names.worded(name, section.figures[name])}" for name in shown if name in section.figures)


def _found(section: Section) -> list[str]:
    """How many rules of the lint are broken, and which."""
    return [name for name, value in section.figures.items() if value > 0 or name == "n_findings"]
