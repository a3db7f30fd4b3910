"""Report cards, as they are read."""

from __future__ import annotations

import math
from collections.abc import Iterable

from cluster.jobs.kind import PlanContext
from cluster.jobs.report import Report, ReportTable
from coinswarm import errors
from coinswarm.ledger.records import Job
from coinswarm.validate.card import ReportCard, Section, from_json, to_json

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


def report(job: Job, _context: PlanContext) -> Report:
    """The card of a job that is done."""
    if job.status != "done":
        return Report(title=f"Report card of {job.id}", parts=(), data=job.result or {}, synthetic=job.synthetic)
    card = card_of(job)
    return Report(
        title=f"Report card of {card.play}", parts=tuple(_parts(job, card)), data=to_json(card), synthetic=card.synthetic,
        page=lambda: _page(card), file_name=f"card-{card.evaluation or card.variant[:12]}", next_steps=(_next(card),),
    )  # fmt: skip


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


def _page(card: ReportCard) -> str:
    from coinswarm.report.cards import render
    from coinswarm.validate import names

    return render(card, meanings=names.FIGURES)


def _parts(job: Job, card: ReportCard) -> Iterable[ReportTable | str]:
    together = "; figures are of all markets together, as one portfolio of equal parts" if len(card.markets) > 1 else ""
    yield f"{card.play} {card.evaluation or card.variant[:12]} on {', '.join(card.markets)}{together}"
    rows = tuple((section.title, _brief(section)) for section in card.sections.values())
    yield ReportTable(title=f"report card, job {job.id}", columns=("section", "figures"), rows=rows)
    for name, section in card.sections.items():
        for why in dict.fromkeys(section.withheld.values()):
            figures = ", ".join(figure for figure, reason in section.withheld.items() if reason == why)
            yield f"withheld of {name}: {figures}: {why}"


def _next(card: ReportCard) -> str:
    if card.evaluation:
        return f"against the gates: `coinswarm gates check {card.evaluation}`"
    return "no search of the ledger found this variant, so it cannot be vetted; `coinswarm gates check` takes the card that `--json` prints"


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
