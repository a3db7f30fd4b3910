"""The page of a test of known rules: each side of each rule against random trades of its kind, and what a usual test would have said."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from coinswarm.report import intervals, page, tables, wording
from coinswarm.report.markup import Markup, empty, note, tag
from coinswarm.report.patterns import percent, probability

_HEAD = (
    "Rule", "Side", "Verdict", "Trades", "Blocks with trades", "Win rate", "Hold, bars", "Net (%)", "Random (%)", "Beyond random (%)",
    "95 % of it", "Naive p", "p alone", "p among all",
)  # fmt: skip


def render(result: Mapping[str, Any], config: Mapping[str, Any], *, job: str, synthetic: bool = False) -> str:
    """The page as text; equal arguments give equal pages.

    Args:
        result: of the job: `rulings`, each as `patterns.rule_tests.RuleVerdict`, and `refused`, why a rule could not be tested, by name.
        config: of the job: `test` (its settings), `source` and `markets`.
        job: its id.
        synthetic: whether the bars were made.
    """
    heading = f"Rules tested by {job}"
    ranked = sorted(result["rulings"], key=lambda entry: (entry["p_adjusted"], entry["p_value"], entry["rule"], entry["side"]))
    settings = {name.replace("_", " "): value for name, value in config["test"].items()}
    parts = [
        page.banner() if synthetic else None, _header(config, heading), _verdict(ranked, config["test"]["alpha"]),
        _naive(ranked, config["test"]["alpha"]), _chart(ranked), _table(ranked), _refused(result["refused"]),
        _section("settings", "Settings", tables.pairs(settings)),
        _section("reproduce", "How to look further", tag("pre", tag("code", f"coinswarm jobs show {job}"))),
    ]  # fmt: skip
    return f"<!doctype html>\n{tag('html', page.head(heading), tag('body', tag('main', *parts)), lang='en')}\n"


def _header(config: Mapping[str, Any], heading: str) -> Markup:
    chosen = config["test"]
    facts = [
        f"{config['source']} rules, each as it was published",
        *(str(span["key"]) for span in config["markets"]),
        f"{chosen['segments']:,} random stretches of {chosen['segment_bars']:,} bars",
    ]
    return tag(
        "header", tag("p", "coinswarm report", class_="eyebrow"), tag("h1", heading),
        tag("ul", *(tag("li", fact) for fact in facts), class_="facts"),
    )  # fmt: skip


def _tested(entry: Mapping[str, Any]) -> bool:
    return entry["verdict"] in ("better", "no better")


def _verdict(ranked: Sequence[Mapping[str, Any]], alpha: float) -> Markup:
    tested, better = sum(map(_tested, ranked)), sum(entry["verdict"] == "better" for entry in ranked)
    tried = tag("div", tag("span", "Sides of rules judged"), tag("b", f"{tested:,}"), class_="best tried")
    kept = tag("div", tag("span", "Better than random trades of their kind"), tag("b", f"{better:,}"), class_="best")
    words = (
        "Each trade is compared with what random trades of the same market, side and hold earned in the same stretches at the same costs."
        f" Were all rules worthless, one would be called better in {wording.percent(alpha, digits=0)} of such tests."
    )
    return tag("section", tried, kept, tag("p", words), class_="luck", id="verdict")


def _naive(ranked: Sequence[Mapping[str, Any]], alpha: float) -> Markup:
    judged = [entry for entry in ranked if _tested(entry)]
    counts = {
        "t test of trades against nothing, each rule alone": sum(entry["naive_p"] <= alpha for entry in judged),
        "Sign flips of blocks of time against random trades, each rule alone": sum(entry["p_value"] <= alpha for entry in judged),
        "… and for the number of rules": sum(entry["p_adjusted"] <= alpha for entry in judged),
        "… and made money net of costs": sum(entry["verdict"] == "better" for entry in judged),
    }
    rows: list[list[object]] = [[tag("th", name, scope="row", style=_WRAPPED), f"{number:,}"] for name, number in counts.items()]
    return _section("honesty", "What usual tests would promote, and what survives", tables.table(["Test", "Sides of rules"], rows))


_WRAPPED = "white-space:normal;min-width:min(20em,40vw)"


def _chart(ranked: Sequence[Mapping[str, Any]]) -> Markup:
    traded = sorted((entry for entry in ranked if entry["n_trades"]), key=lambda entry: (-entry["excess"], entry["rule"], entry["side"]))
    points = [
        intervals.Point(name=f"{entry['rule']}, {entry['side']}", value=entry["excess"], low=entry["low"], high=entry["high"])
        for entry in traded
    ]
    words = note("Intervals are of 95 % for each rule alone and count blocks of time, not trades: one in twenty misses its truth.")
    chart = intervals.chart(points, title="Mean of a trade beyond random ones") if points else empty("No rule traded.")
    return _section("excess", "A trade beyond random ones (%)", words, chart)


def _table(ranked: Sequence[Mapping[str, Any]]) -> Markup:
    words = note("Where there are too few blocks of time nothing is judged: such a rule needs more bars, or faster ones.")
    return _section("rules", "Every side of every rule", words, tables.table(_HEAD, map(_row, ranked), class_="patterns"))


def _row(entry: Mapping[str, Any]) -> list[object]:
    known, asked = entry["n_trades"] > 0, _tested(entry)
    between = f"{percent(entry['low'])} to {percent(entry['high'])}" if known else wording.MISSING
    return [
        tag("th", entry["rule"], scope="row"), entry["side"], entry["verdict"], f"{entry['n_trades']:,}",
        f"{entry['active_blocks']:,} of {entry['n_blocks']:,}", wording.percent(entry["win_rate"], digits=1),
        wording.number(entry["avg_hold"], digits=1), percent(entry["net"]), percent(entry["random"]), percent(entry["excess"]), between,
        probability(entry["naive_p"]), probability(entry["p_value"] if asked else math.nan),
        probability(entry["p_adjusted"] if asked else math.nan),
    ]  # fmt: skip


def _refused(refused: Mapping[str, str]) -> Markup | None:
    return _section("refused", "Not tested", tables.pairs(refused)) if refused else None


def _section(name: str, title: str, *content: object) -> Markup:
    return tag("section", tag("h2", title), *content, id=name)
