"""Results of a search: records of the library, and JSON that reports are written from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from coinswarm.ledger.patterns import PatternRecord, pattern_id
from coinswarm.patterns import conditions
from coinswarm.patterns.confirming import Finding
from coinswarm.patterns.discovery import Discovery, TestedPattern


def summary(discovery: Discovery) -> dict[str, Any]:
    """All of a discovery but its findings' figures as JSON; numbers may be NaN or infinite."""
    left = ("settings", "segments", "findings", "best", "tested_by_depth", "left_out", "leaks")
    plain = {field.name: getattr(discovery, field.name) for field in fields(discovery) if field.name not in left}
    return {
        **plain,
        "settings": discovery.settings.model_dump(mode="json"),
        "segments": asdict(discovery.segments),
        "blocks": {"discovery": discovery.segments.discovery_blocks, "confirmation": discovery.segments.confirmation_blocks},
        "left_out": list(discovery.left_out),
        "leaks": [asdict(leak) for leak in discovery.leaks],
        "tested_by_depth": {str(depth): number for depth, number in discovery.tested_by_depth.items()},
        "confirmed": len(discovery.confirmed),
        "findings": [finding_json(finding) for finding in discovery.findings],
        "best": [_tested(one) for one in discovery.best],
    }


def finding_json(finding: Finding) -> dict[str, Any]:
    """One finding as JSON."""
    return {
        "pattern": str(finding.pattern), "conditions": conditions.to_json(finding.pattern),
        **{name: value for name, value in asdict(finding).items() if name != "pattern"},
    }  # fmt: skip


def records(discovery: Discovery, *, job: str, synthetic: bool, found_at: datetime, made_of: dict[str, Any]) -> tuple[PatternRecord, ...]:
    """The findings as the library keeps them, in the order they are to be tested.

    Args:
        discovery: what was found.
        job: by which job.
        synthetic: whether the bars were made.
        found_at: when, in UTC.
        made_of: what else is to be known of where they come from, such as the jobs whose trades were searched.
    """
    return tuple(_record(discovery, finding, job, synthetic, found_at, made_of) for finding in discovery.findings)


def _record(
    discovery: Discovery, finding: Finding, job: str, synthetic: bool, found_at: datetime, made_of: dict[str, Any]
) -> PatternRecord:
    plain = conditions.to_json(finding.pattern)
    parts: Sequence[tuple[str, Any]] = (("discovery", finding.discovery), ("confirmation", finding.confirmation))
    return PatternRecord(
        id=pattern_id("chaos", job, plain), source="chaos", name=str(finding.pattern), conditions=plain,
        figures={name: None if figures is None else asdict(figures) for name, figures in parts}
        | {"slices": [asdict(part) for part in finding.slices]},
        job=job, p_confirm=finding.p_confirm, discovered_at=found_at, synthetic=synthetic,
        evidence={
            "t": finding.t, "p_value": finding.p_value, "p_family": finding.p_family, "tested": discovery.tested,
            "threshold": discovery.threshold, "shrunk_effect": finding.shrunk_effect, "naive": finding.naive,
            "segments": asdict(discovery.segments), "bar_ms": discovery.bar_ms, **made_of,
        },
    )  # fmt: skip


def _tested(one: TestedPattern) -> dict[str, Any]:
    return {**asdict(one), "pattern": str(one.pattern)}
