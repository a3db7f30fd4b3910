"""From random trades to patterns that may be believed: mine, test, choose, confirm on later time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coinswarm.ledger.chaos import ChaosTrades
from coinswarm.patterns import choosing, confirming, evidence, figures, foresight, mining, naive
from coinswarm.patterns.choosing import Chosen
from coinswarm.patterns.conditions import Pattern
from coinswarm.patterns.confirming import Finding
from coinswarm.patterns.evidence import Evidence
from coinswarm.patterns.foresight import FeatureLeak
from coinswarm.patterns.mining import Conjunctions, Spread
from coinswarm.patterns.naive import Naive
from coinswarm.patterns.search import PatternSearch, mined, prepare
from coinswarm.patterns.segments import Segments
from coinswarm.patterns.settings import DiscoverSettings
from coinswarm.patterns.slices import slices
from coinswarm.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, kw_only=True, slots=True)
class TestedPattern:
    """One of the patterns that came closest, whatever was made of it."""

    pattern: Pattern
    t: float
    p_value: float
    p_family: float
    trades: int
    active_blocks: int
    expectancy: float
    win_rate: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Discovery:
    """What a search tried, what survived, and what the usual tests would have made of it.

    Attributes:
        settings, segments, left_out: how it was done, where time was cut, and what could not be conditioned on.
        discovery_trades, confirmation_trades: trades of each segment.
        tested: patterns that were tested: the family of the correction. counted: conjunctions whose support was counted.
        tested_by_depth: the same by number of conditions.
        threshold: statistic that the best of such a family reaches with a chance of alpha on noise.
        p_family: smallest family-wise p; 1 where nothing was tested.
        significant: patterns with a family-wise p of at most alpha. profitable: those of them with a mean net result above 0.
        unproductive, redundant: significant ones that do not beat a generalisation, or add nothing to those chosen before them.
        unlooked: significant ones that were not looked at, because enough were chosen before.
        findings: what was chosen, best first, as confirmation left it.
        best: the patterns with the largest statistics.
        naive_promoted: how many patterns the usual tests promote, by test and correction.
        leaks: features that know what comes next. With one of them nothing is chosen: the data are wrong, and so is all they show.
        bar_ms: length of a bar.
    """

    settings: DiscoverSettings
    segments: Segments
    left_out: tuple[str, ...]
    discovery_trades: int
    confirmation_trades: int
    tested: int
    counted: int
    tested_by_depth: dict[int, int]
    threshold: float
    p_family: float
    significant: int
    profitable: int
    unproductive: int
    redundant: int
    unlooked: int
    findings: tuple[Finding, ...]
    best: tuple[TestedPattern, ...]
    naive_promoted: dict[str, int]
    leaks: tuple[FeatureLeak, ...]
    bar_ms: int

    @property
    def confirmed(self) -> tuple[Finding, ...]:
        """The findings that were confirmed: the only ones that count as promoted."""
        return tuple(finding for finding in self.findings if finding.status == "confirmed")


N_BEST = 20


def discover(
    trades: ChaosTrades,
    settings: DiscoverSettings | None = None,
    *,
    earlier: Sequence[float] = (),
    turnover: FloatArray | None = None,
    first_moves: FloatArray | None = None,
    spread: Spread = map,
) -> Discovery:
    """Search patterns among random trades.

    Everything that is learned (bins, expectations, what to test) comes from the discovery segment; the later one only answers. Equal
    trades and settings give equal results.

    Args:
        trades: n random trades.
        settings: how to search.
        earlier: p-values the library has tested before, in order: they have spent alpha.
        turnover: (n,) quote turnover of each trade's decision bar, for the hint on capacity.
        first_moves: (n,) simple return of the bar after each decision, to see whether a feature knows it; None: see `foresight.leaks`.
        spread: who mines; `map` does it here.

    Returns:
        What was tried and what survived.

    Raises:
        InvalidArgument: there are no trades, or depth is more than the things that vary.
        Refused: there are too few independent blocks of time; the message says how many bars are needed.
    """
    chosen = settings or DiscoverSettings()
    ready = prepare(trades, chosen)
    rng = np.random.default_rng([chosen.seed, 1])
    parts = mined(ready, spread)
    family_evidence = evidence.family_wise(parts, n_flips=chosen.flips, alpha=chosen.alpha, rng=rng)
    every = mining.join([part for part, _ in parts])
    usual = naive.judge(every, ready.table, ready.discovery.trades.net, alpha=chosen.alpha)
    family = PatternFamily(search=ready, mined=every, evidence=family_evidence, naive=usual)
    leaks = foresight.leaks(trades, chosen.features, first_moves)
    order = family.order[:0] if leaks else family.order
    picked = choosing.choose(ready.table, every.picks, order, limit=chosen.max_candidates, alpha=chosen.alpha, rng=rng)
    findings = [confirming.ask(ready, _finding(family, place, turnover), turnover) for place in picked.places]
    return _report(family, picked, confirming.decide(findings, earlier, chosen), leaks)


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class PatternFamily:
    """All that was tested: n conjunctions, what sign flips say of them and what the usual tests do."""

    search: PatternSearch
    mined: Conjunctions
    evidence: Evidence
    naive: Naive

    @property
    def significant(self) -> BoolArray:
        """(n,) family-wise p of at most alpha."""
        return self.evidence.p_adjusted <= self.search.settings.alpha

    @property
    def order(self) -> IntArray:
        """Places of those that are significant and made money, largest statistic first."""
        places = np.flatnonzero(self.significant & (self.naive.mean_net > 0))
        return places[np.argsort(-self.evidence.t[places], kind="stable")]

    def pattern(self, place: int) -> Pattern:
        """The conditions of one."""
        return self.search.bins.pattern(self.mined.picks[place].tolist())


def _finding(family: PatternFamily, place: int, turnover: FloatArray | None) -> Finding:
    pattern, t, n = family.pattern(place), float(family.evidence.t[place]), len(family.mined)
    seen = confirming.figures_of(family.search, family.search.discovery, pattern, turnover)
    usual = {"welch": float(family.naive.welch[place]), "binomial": float(family.naive.binomial[place])}
    return Finding(
        pattern=pattern, status="candidate", t=t,
        p_value=float(family.evidence.p_value[place]), p_family=float(family.evidence.p_adjusted[place]),
        discovery=seen, shrunk_effect=figures.shrunk(seen.effect, t, family.evidence.threshold),
        confirmation=None, p_confirm=math.nan, level=math.nan, reason="",
        naive=usual | {f"{name} bonferroni": min(1.0, p * n) for name, p in usual.items()},
        slices=slices(family.search, pattern),
    )  # fmt: skip


def _report(family: PatternFamily, picked: Chosen, findings: tuple[Finding, ...], leaks: tuple[FeatureLeak, ...]) -> Discovery:
    search, p = family.search, family.evidence.p_adjusted
    depths, numbers = np.unique((family.mined.picks >= 0).sum(axis=1), return_counts=True)
    return Discovery(
        settings=search.settings, segments=search.segments, left_out=search.bins.left_out,
        discovery_trades=len(search.discovery.trades), confirmation_trades=len(search.confirmation.trades),
        tested=len(family.mined), counted=family.mined.counted, tested_by_depth=dict(zip(depths.tolist(), numbers.tolist(), strict=True)),
        threshold=family.evidence.threshold, p_family=float(p.min()) if p.size else 1.0,
        significant=int(family.significant.sum()), profitable=len(family.order),
        unproductive=picked.unproductive, redundant=picked.redundant, unlooked=picked.unlooked,
        findings=findings, best=_best(family), naive_promoted=family.naive.promoted, leaks=leaks,
        bar_ms=search.discovery.trades.bar_ms,
    )  # fmt: skip


def _best(family: PatternFamily) -> tuple[TestedPattern, ...]:
    order = np.argsort(-family.evidence.t, kind="stable")[:N_BEST]
    return tuple(_tested(family, place) for place in order.tolist())


def _tested(family: PatternFamily, place: int) -> TestedPattern:
    return TestedPattern(
        pattern=family.pattern(place), t=float(family.evidence.t[place]), p_value=float(family.evidence.p_value[place]),
        p_family=float(family.evidence.p_adjusted[place]), trades=int(family.mined.trades[place]),
        active_blocks=int(family.mined.active[place]), expectancy=float(family.naive.mean_net[place]),
        win_rate=float(family.naive.win_rate[place]),
    )  # fmt: skip
