"""The page of a report card: everything it has, nothing it has not, and what the gates ask for on top."""

from __future__ import annotations

import math
import re
from html import escape

from coinswarm.report import cards
from coinswarm.validate import gates, names
from coinswarm.validate.card import Chart, ReportCard, Section, Table

EVERY = {part: Section(name=part, title=title, refused="not asked") for part, title in names.TITLES.items()}


def rendered(*sections: Section, synthetic: bool = False) -> str:
    own = {section.name: section for section in sections}
    card = ReportCard(play="<i>x</i>", variant="v" * 64, evaluation="e1", synthetic=synthetic, sections={**EVERY, **own})
    return cards.render(card, gates.check(gates.load(), card), meanings=names.FIGURES)


def part(html: str, name: str) -> str:
    """One section of the page, from its opening tag to its end."""
    return re.search(rf'<section id="{name}".*?</section>|<section [^>]*?id="{name}".*?</section>', html, re.DOTALL)[0]  # type: ignore[index]


def odds(value: float, **more: object) -> Section:
    return Section(name="odds", title="Odds", figures={"dsr_no_skill": value, "psr": math.nan}, **more)


def test_the_page_begins_with_the_verdict_and_what_would_help() -> None:
    html = rendered(odds(0.9312))
    rules = gates.load().rules
    top = part(html, "verdict")
    assert f"{len(rules)} of {len(rules)} rules failed" in top
    assert all(escape(rule.name) in top for rule in rules)
    assert "Search with <code>evolve -c &#x27;n_trades&gt;=100&#x27;</code>, or on more bars" in top
    assert html.index('id="verdict"') < html.index('id="glance"') < html.index('id="in_sample"')


def test_each_rule_is_a_tile_that_is_good_or_bad_with_its_threshold() -> None:
    lint = Section(name="lint", title="Lint", figures={"n_findings": 0.0})
    loss = Section(name="validation", title="Validation", figures={"n_trades": 12.0, "sharpe": 0.4, "max_drawdown": 0.3})
    tiles = part(rendered(lint, loss), "glance")
    found = {name: (look, shown, needs) for look, name, shown, needs in re.findall(
        r'class="card (good|bad)"[^>]*><span>([^<]+)</span><b>([^<]+)</b><small>[a-z]+: needs ([^<]+)</small>', tiles)}  # fmt: skip
    assert found["clean"] == ("good", "0", "&lt;= 0")
    assert found["enough unseen trades"] == ("bad", "12", "&gt;= 30")
    assert found["unseen drawdown"] == ("bad", "30.0 %", "&lt;= 25.0 %")
    assert found["plateau"][:2] == ("bad", "missing")
    assert len(found) == len(gates.load().rules)


def test_sections_that_fail_are_open_and_those_that_pass_are_closed() -> None:
    lint = Section(name="lint", title="Lint", figures={"n_findings": 0.0})
    html = rendered(lint, odds(0.5))
    assert "<details open>" in part(html, "odds")
    assert "2 of 2 failed" in part(html, "odds")
    assert "<details open>" not in part(html, "lint")
    assert "passed" in part(html, "lint")
    assert "<details open>" not in part(html, "cpcv")


def test_a_histogram_has_titles_on_both_axes() -> None:
    chart = Chart(kind="histogram", title="Annual Sharpe of the paths", series={"paths": (0.1, 0.4, 0.5)}, mark=0.0)
    html = rendered(Section(name="cpcv", title="CPCV", charts=(chart,)))
    assert ">Annual Sharpe</text>" in html
    assert ">number of paths</text>" in html


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
    assert "no figure of section odds is called" in part(html, "verdict")
    assert "makes a new card, which has it" in part(html, "verdict")


def test_tables_and_charts_of_any_shape_are_drawn() -> None:
    table = Table(title="Folds", head=("fold", "return"), rows=((1, 0.5), (2, None), (3, math.inf)), units=("", "percent"))
    charts = [Chart(kind=kind, title=kind, series={"a": values}) for kind in ("lines", "bars", "histogram")
              for values in ((), (1.0,), (math.nan, math.nan), (1.0, math.nan, 2.0))]  # fmt: skip
    html = rendered(Section(name="odds", title="Odds", tables=(table,), charts=tuple(charts)), synthetic=True)
    assert "50.00" in html
    assert "SYNTHETIC" in html
    assert html.count("<svg") >= 3
