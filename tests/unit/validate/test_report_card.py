"""A report card: all sections with the figures that gates may name, the same every time, and plain refusals."""

from __future__ import annotations

import dataclasses
import json
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from coinswarm import errors
from coinswarm.market.splits import Span
from coinswarm.report import cards
from coinswarm.validate import card, gates, judging, names
from coinswarm.validate.bench import Bench
from coinswarm.validate.card import ReportCard, Section
from coinswarm.validate.case import Splits, TrialFacts
from tests.unit.validate import cards_world

NEVER = cards_world.TEXT.replace("[fast, cross_above, slow]", "[fast, '>', 1000000000]")
ALWAYS = cards_world.TEXT.replace("[fast, cross_above, slow]", "[close, '>', 0]").replace("[fast, cross_below, slow]", "[close, '<', 0]")


@cache
def whole() -> ReportCard:
    return judging.card(cards_world.case(), campaign="c", job="j", evaluation="e")


def test_every_section_has_the_figures_that_are_published_and_no_other() -> None:
    for name, section in whole().sections.items():
        assert section.refused is None, section.refused
        assert set(section.figures) | set(section.withheld) == set(names.FIGURES[name]), name


def test_a_card_goes_to_json_and_back_without_a_change() -> None:
    written = json.dumps(card.to_json(whole()), allow_nan=False)
    back = card.from_json(json.loads(written))
    assert json.dumps(card.to_json(back)) == written
    assert back.content_hash() == whole().content_hash()


def test_a_card_stored_by_an_earlier_release_reads_and_keeps_its_text_and_hashes() -> None:
    stored = Path(__file__).with_name("stored_card.json").read_text()
    back = gates.card_of(stored)
    assert gates.card_text(back) == stored.strip()
    assert back.content_hash() == "6115190d5a2f453bb381eb38ad3ec155d1e13bb31c3ac1ad3b12fac1e1748956"
    assert str(back.sections["odds"].tables[0].rows) == "(('a', 1.5), ('b', nan), ('c', -inf), (inf, None), (True, 3))"
    assert back.parameters == {"risk.stop_loss_pct": 2.0, "mode": "inf", "length": 12, "strict": True, "cap": None}


@pytest.mark.parametrize("change", [{"sections": None}, {"sections": [{"name": "odds"}]}, {"spans": {"train": [1]}}, {"profit": 1}])
def test_json_that_is_no_card_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(errors.BadInput, match="no report card"):
        card.from_json({**card.to_json(whole()), **change})


def test_sections_computed_apart_and_in_another_order_make_the_same_card() -> None:
    case = cards_world.case()
    apart = {name: judging.section(name, case) for name in reversed(names.SECTIONS)}
    facts = {field.name: getattr(whole(), field.name) for field in dataclasses.fields(ReportCard) if field.name != "sections"}
    assert card.assembled(apart.values(), **facts).content_hash() == whole().content_hash()


def test_another_seed_draws_otherwise_and_leaves_what_is_not_drawn() -> None:
    other = judging.card(cards_world.case(seed=1), sections=("montecarlo", "in_sample"))
    assert other.figure("montecarlo.trades_return_p05") != whole().figure("montecarlo.trades_return_p05")
    assert other.figure("in_sample.sharpe") == whole().figure("in_sample.sharpe")


def test_figures_are_found_by_dotted_name_and_unknown_ones_are_told() -> None:
    assert whole().figure("odds.dsr") == whole().sections["odds"].figures["dsr"]
    with pytest.raises(errors.NotFound, match="dsr"):
        whole().figure("odds.dsrr")
    with pytest.raises(errors.NotFound, match="section"):
        whole().figure("nowhere.dsr")


def test_a_refused_section_has_nan_figures_and_its_reason() -> None:
    made = ReportCard(play="p", variant="v", sections={"odds": Section(name="odds", title="Odds", refused="no trade")})
    assert math.isnan(made.figure("odds.dsr"))
    assert made.refusal("odds.dsr") == "no trade"
    assert made.refusal("lint") == "the card has no such section"


def test_a_card_of_another_version_is_refused() -> None:
    with pytest.raises(errors.BadInput, match="version"):
        card.from_json({"version": 99})
    with pytest.raises(errors.BadInput, match="no report card"):
        card.from_json({"version": card.VERSION, "play": "p"})


def test_no_bar_after_the_validation_span_changes_anything() -> None:
    case = cards_world.case()
    end = case.splits.whole.end_ts
    cut = tuple(bars[: bars.index_at(end) - 200] for bars in case.markets)
    parts = Splits(train=case.splits.train, validation=Span(start_ts=case.splits.validation.start_ts, end_ts=int(cut[0].close_ts[-1])))
    seen = judging.card(dataclasses.replace(case, splits=parts)).figures
    alone = judging.card(dataclasses.replace(case, splits=parts, markets=cut)).figures
    assert json.dumps(seen) == json.dumps(alone)


def test_in_sample_figures_do_not_depend_on_the_validation_bars() -> None:
    case = cards_world.case()
    cut = tuple(bars[: bars.index_at(case.splits.train.end_ts)] for bars in case.markets)
    alone = dataclasses.replace(case, markets=cut, splits=Splits(train=case.splits.train))
    assert judging.section("in_sample", alone).figures == whole().sections["in_sample"].figures
    assert "search did not see" in str(judging.section("validation", alone).refused)


def test_a_variant_that_never_trades_is_refused_odds_not_given_good_ones() -> None:
    made = judging.card(cards_world.case(text=NEVER), sections=("odds", "superiority", "cpcv", "montecarlo", "crash", "in_sample"))
    assert made.figure("in_sample.n_trades") == 0
    for name in ("odds", "superiority", "montecarlo"):
        assert "no closed trade" in made.refusal(name)
    assert "must vary" in made.refusal("cpcv")
    assert "open position" in made.refusal("crash")


def test_one_trade_is_an_anecdote() -> None:
    lone = cards_world.case(text=ALWAYS.replace("risk: { stop_loss_pct: [1.0, 2.0, 3.0], take_profit_pct: { min: 2, max: 6 } }",
                                               "risk: { stop_loss_pct: [90.0, 95.0], max_hold_bars: 100000 }"))  # fmt: skip
    made = judging.card(lone, sections=("odds", "capacity", "lint"))
    assert "closed trade" in made.refusal("odds")
    assert "anecdote" in made.refusal("capacity")
    assert made.figure("lint.too_few_trades") == 1
    assert made.figure("lint.always_in") == 1


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"hole": "job x made 500 distinct trials and the ledger has 300 of them"}, "the ledger has 300"),
        ({"trials": None}, "not recorded"),
        ({"trials": 1}, "PSR"),
        ({"sample": np.empty((0, 4))}, "at least 10"),
    ],
)
def test_without_a_whole_ledger_the_deflated_figures_are_withheld_with_the_reason(facts, why) -> None:
    case = cards_world.case()
    known = dataclasses.replace(case.trials, **facts)
    made = judging.card(dataclasses.replace(case, trials=known), sections=("odds",))
    assert math.isnan(made.figure("odds.dsr"))
    assert why in made.refusal("odds.dsr")
    assert 0 <= made.figure("odds.psr") <= 1


def test_more_trials_deflate_more() -> None:
    case = cards_world.case()
    many = dataclasses.replace(case, trials=dataclasses.replace(case.trials, trials=1_000_000))
    assert judging.section("odds", many).figures["dsr"] < whole().figure("odds.dsr")


def test_a_leaderboard_of_one_has_no_overfitting_to_measure() -> None:
    alone = dataclasses.replace(cards_world.case(), trials=TrialFacts(campaign="c", trials=500))
    assert "at least 2 variants" in str(judging.section("overfitting", alone).refused)


def test_a_play_in_which_nothing_varies_has_no_plateau() -> None:
    fixed = Bench(cards_world.case()).variant
    case = dataclasses.replace(cards_world.case(), play=fixed, genome=np.empty(0), trials=TrialFacts(trials=500))
    made = judging.card(case, sections=("plateau", "in_sample", "stress"))
    assert "nothing varies" in made.refusal("plateau")
    assert made.figure("in_sample.sharpe") == whole().figure("in_sample.sharpe")
    assert made.figure("stress.delay_sharpe") == whole().figure("stress.delay_sharpe")


def test_a_case_needs_a_market_and_a_genome_that_fits() -> None:
    with pytest.raises(errors.InvalidArgument, match="market"):
        cards_world.case(markets=())
    with pytest.raises(errors.ShapeMismatch, match="genes"):
        cards_world.case(genome=np.zeros(1))
    with pytest.raises(errors.NotFound, match="section"):
        judging.section("fortune", cards_world.case())


def test_the_page_shows_every_section_figures_refusals_and_nothing_that_is_fetched() -> None:
    sections = {**whole().sections, "plateau": Section(name="plateau", title="Plateau", refused="<b>nothing varies</b>")}
    judged = dataclasses.replace(whole(), sections=sections)
    page = cards.render(judged, gates.check(gates.load(), judged), meanings=names.FIGURES)
    assert all(f'id="{name}"' in page for name in sections)
    assert "&lt;b&gt;nothing varies&lt;/b&gt;" in page
    assert "SYNTHETIC" in page
    assert "://" not in page
