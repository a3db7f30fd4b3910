"""The page of a report card: everything it has, nothing it has not, and what the gates ask for on top."""

from __future__ import annotations

import math

from coinswarm.report import cards
from coinswarm.validate import gates, names
from coinswarm.validate.card import Chart, ReportCard, Section, Table

EVERY = {part: Section(name=part, title=title, refused="not asked") for part, title in names.TITLES.items()}


def rendered(*sections: Section, synthetic: bool = False) -> str:
    own = {section.name: section for section in sections}
    card = ReportCard(play="<i>x</i>", variant="v" * 64, evaluation="e1", synthetic=synthetic, sections={**EVERY, **own})
    return cards.render(card, meanings=names.FIGURES)


def odds(value: float, **more: object) -> Section:
    return Section(name="odds", title="Odds", figures={"dsr_no_skill": value, "psr": math.nan}, **more)


def test_what_stands_on_top_is_what_the_gates_ask_for() -> None:
    asked = {rule.figure for rule in gates.load().rules}
    assert {name for name, _ in cards._HEADLINE} <= asked
    assert "0.9312" in rendered(odds(0.9312))


def test_text_of_others_is_never_markup_and_missing_figures_are_no_numbers() -> None:
    html = rendered(odds(math.nan, notes=("<script>x</script>",)))
    assert "<script>x" not in html
    assert "<i>x" not in html
    assert ">nan<" not in html


def test_what_is_withheld_or_refused_is_said_with_its_reason() -> None:
    html = rendered(odds(0.5, withheld={"dsr_no_skill": "the ledger has holes"}))
    assert "the ledger has holes" in html
    assert html.count("not asked") >= len(EVERY) - 1


def test_a_card_that_is_older_than_a_figure_is_still_a_page() -> None:
    html = rendered(Section(name="odds", title="Odds", figures={"dsr": 0.5}))
    assert "a card of before" in html


def test_tables_and_charts_of_any_shape_are_drawn() -> None:
    table = Table(title="Folds", head=("fold", "return"), rows=((1, 0.5), (2, None), (3, math.inf)), units=("", "percent"))
    charts = [Chart(kind=kind, title=kind, series={"a": values}) for kind in ("lines", "bars", "histogram")
              for values in ((), (1.0,), (math.nan, math.nan), (1.0, math.nan, 2.0))]  # fmt: skip
    html = rendered(Section(name="odds", title="Odds", tables=(table,), charts=tuple(charts)), synthetic=True)
    assert "50.00" in html
    assert "SYNTHETIC" in html
    assert html.count("<svg") >= 3
