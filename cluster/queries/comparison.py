"""Evaluations beside each other: how their jobs, their parameters and their figures differ. Ledger and server give the same records."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from coinswarm.ledger.records import IN_SAMPLE, OUT_OF_SAMPLE
from coinswarm.market.timeframe import MINUTE_MS, Timeframe
from coinswarm.metrics.figures import FIGURES

SEGMENTS = (IN_SAMPLE, OUT_OF_SAMPLE)
Differences = dict[str, list[Any]]
"""Names with a value for each evaluation, where they are not all the same; None where one has no such name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """One evaluation as it is compared.

    Attributes:
        evaluation, job: their ids.
        fitness: as its search had it; NaN where it failed.
        settings: of its job and its play, by dotted names.
        params: the parameters that its play leaves open.
        figures: by segment, the mean over the markets of each figure; NaN where none has it.
        bar_minutes: length of a bar.
        synthetic: the bars of its job were made.
    """

    evaluation: str
    job: str
    fitness: float
    settings: Mapping[str, Any]
    params: Mapping[str, Any]
    figures: Mapping[str, Mapping[str, float]]
    bar_minutes: float
    synthetic: bool


def compared(evaluation: Mapping[str, Any], job: Mapping[str, Any]) -> Compared:
    """An evaluation and its job, as JSON has them."""
    scores = evaluation["scores"]
    timeframe = next((score["data_set"].rpartition(":")[2] for score in scores), "1m")
    return Compared(
        evaluation=evaluation["id"], job=job["id"], fitness=_known(evaluation["fitness"]), settings=_settings(evaluation, job),
        params=evaluation["params"], figures={segment: _means(scores, segment) for segment in SEGMENTS},
        bar_minutes=Timeframe.parse(timeframe).ms / MINUTE_MS, synthetic=evaluation["synthetic"],
    )  # fmt: skip


def differing(tables: Sequence[Mapping[str, Any]]) -> Differences:
    """The names under which the tables do not all have the same, in the order in which they are met."""
    names = dict.fromkeys(name for table in tables for name in table)
    rows = {name: [table.get(name) for table in tables] for name in names}
    return {name: values for name, values in rows.items() if any(value != values[0] for value in values)}


def as_json(subjects: Sequence[Compared]) -> dict[str, Any]:
    """What differs, each list with an entry for each evaluation; all figures, also those that are equal."""
    figures = {
        segment: {name: [each.figures[segment].get(name, math.nan) for each in subjects] for name in FIGURES} for segment in SEGMENTS
    }
    return {
        "evaluations": [each.evaluation for each in subjects], "jobs": [each.job for each in subjects],
        "fitness": [each.fitness for each in subjects], "settings": differing([each.settings for each in subjects]),
        "parameters": differing([each.params for each in subjects]), "figures": figures,
    }  # fmt: skip


def _settings(evaluation: Mapping[str, Any], job: Mapping[str, Any]) -> dict[str, Any]:
    """What a search was asked for, and what its play costs and trades with."""
    config = job["config"]
    play: Mapping[str, Any] = next((entry for entry in config.get("plays", ()) if entry["sha256"] == evaluation["play"]), {})
    spans = config.get("markets", ())
    whole = {
        "play": play.get("name"), "markets": ", ".join(span["key"] for span in spans),
        "from": _day(min((span["first_ts"] for span in spans), default=None)),
        "to": _day(max((span["last_ts"] for span in spans), default=None)),
        "out of sample from": _day(config.get("split_ts")), "campaign": job["campaign"], "seed": job["seed"],
        "code version": job["code_version"],
    }  # fmt: skip
    parts = {
        "search": config.get("search"),
        "costs": play.get("costs"),
        "account": play.get("account"),
        "overrides": config.get("overrides"),
    }
    return {**whole, **dict(_flat({name: part for name, part in parts.items() if part}))}


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        elif f"{before}{name}" != "search.seed":  # it is the job's
            yield f"{before}{name}", value


def _means(scores: Iterable[Mapping[str, Any]], segment: str) -> dict[str, float]:
    rows = [score["figures"] for score in scores if score["segment"] == segment]
    found = {name: [value for row in rows if math.isfinite(value := _known(row.get(name)))] for name in FIGURES}
    return {name: sum(values) / len(values) if values else math.nan for name, values in found.items()}


def _day(ts: int | None) -> str | None:
    return None if ts is None else f"{datetime.fromtimestamp(ts / 1000, UTC):%Y-%m-%d %H:%M}"


def _known(value: float | None) -> float:
    return math.nan if value is None else value
