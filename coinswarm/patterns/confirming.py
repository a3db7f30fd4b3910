"""Out-of-sample confirmation: chosen patterns are tested once, on trades that begin after an embargo, which spends alpha of the library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from coinswarm.ledger.patterns import spending
from coinswarm.patterns import evidence, figures
from coinswarm.patterns.conditions import Pattern
from coinswarm.patterns.figures import Figures
from coinswarm.patterns.search import PatternSearch, SegmentTrades
from coinswarm.patterns.settings import DiscoverSettings
from coinswarm.patterns.slices import Slice
from coinswarm.types import FloatArray

FLIPS = 9_999
"""The library's levels go below a thousandth, so its p-values must."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A pattern that survived the search.

    Attributes:
        pattern: the conditions.
        status: "confirmed", "rejected" by the later segment, or "candidate" where that could not be asked.
        t: its statistic in discovery. p_value, p_family: of it alone, and family-wise over all that were tested.
        discovery: figures on the segment it was found on.
        shrunk_effect: its effect there, without what it owes to selection.
        confirmation: figures on the later segment; None without one.
        p_confirm: the larger of two one-sided p there: better than random trades, and better than nothing net of costs. NaN if not asked.
        level: at which that p was tested; NaN if not asked.
        reason: why it is what it is.
        naive: p of the usual tests, alone and corrected for the number tested.
        slices: the effect by holding time, market, side and time, over both segments.
    """

    pattern: Pattern
    status: str
    t: float
    p_value: float
    p_family: float
    discovery: Figures
    shrunk_effect: float
    confirmation: Figures | None
    p_confirm: float
    level: float
    reason: str
    naive: dict[str, float] = field(default_factory=dict)
    slices: tuple[Slice, ...] = ()


def figures_of(search: PatternSearch, segment: SegmentTrades, pattern: Pattern, turnover: FloatArray | None) -> Figures:
    """Figures of a pattern on one segment of a search; `turnover` is (n,) of all trades, or None."""
    own = None if turnover is None else turnover[segment.places]
    return figures.measure(
        segment.trades, pattern.mask(segment.trades), segment.excess, segment.blocks, segment.n_blocks, search.segments.block_ms, own
    )


def p_value(segment: SegmentTrades, pattern: Pattern, *, rng: np.random.Generator, flips: int = FLIPS) -> float:
    """One-sided p of a pattern doing better than random trades, or than nothing net of costs: the larger of the two.

    To be believed a pattern must do both, so the larger p holds its level (Berger 1982, intersection-union).
    """
    member, like = pattern.mask(segment.trades), pattern.stratum.mask(segment.trades)
    against_random = evidence.scored(member, like, segment.excess, segment.blocks, segment.n_blocks)
    against_nothing = np.bincount(segment.blocks[member], weights=segment.trades.net[member], minlength=segment.n_blocks).astype(np.float64)
    return max(evidence.alone(sums, rng=rng, n_flips=flips) for sums in (against_random, against_nothing))


def ask(search: PatternSearch, finding: Finding, turnover: FloatArray | None) -> Finding:
    """Test a finding on the later segment, if that has enough of it; `turnover` is (n,) of all trades, or None."""
    part, settings = search.confirmation, search.settings
    if len(part.trades) == 0:
        return replace(finding, reason="there is no later segment to confirm on")
    later = figures_of(search, part, finding.pattern, turnover)
    if later.active_blocks < settings.min_active:
        reason = f"active in {later.active_blocks} blocks of the later segment, {settings.min_active} are needed to ask"
        return replace(finding, confirmation=later, reason=reason)
    rng = np.random.default_rng([settings.seed, 2])
    return replace(finding, confirmation=later, p_confirm=p_value(part, finding.pattern, rng=rng))


def decide(findings: Sequence[Finding], earlier: Sequence[float], settings: DiscoverSettings) -> tuple[Finding, ...]:
    """Spend alpha on the findings that were asked, in order, after all that the library has tested before."""
    asked = [finding.p_confirm for finding in findings if not math.isnan(finding.p_confirm)]
    levels = spending([*earlier, *asked], settings.alpha, settings.procedure)[len(earlier) :]
    left = iter(levels)
    return tuple(finding if math.isnan(finding.p_confirm) else _settled(finding, next(left)) for finding in findings)


def _settled(finding: Finding, level: float) -> Finding:
    good = finding.p_confirm <= level
    words = "at or below" if good else "above"
    reason = f"p {finding.p_confirm:.4f} on later bars is {words} the level {level:.4f}"
    return replace(finding, status="confirmed" if good else "rejected", level=level, reason=reason)
