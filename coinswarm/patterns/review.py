"""Whether a confirmed pattern still works on bars that came later, and when to retire it.

The rule. A pattern is judged on random trades that begin after everything it was confirmed on is over, in the markets it was found in and
no others, at most the newest as many blocks of time as confirmation had, so that an edge that dies late is seen too. It is retired when the
mean result beyond random trades is below half of what it was believed to be, at level alpha * 6 / (pi k)^2 in its k-th review: the levels
of all reviews together are alpha, so a pattern that lives is retired in at most 5 % of lives however often it is looked at. A review
without later bars is no review.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from coinswarm import errors
from coinswarm.ledger.chaos import ChaosTrades
from coinswarm.patterns import bins, evidence, figures, foresight, search
from coinswarm.patterns.conditions import Market, Pattern
from coinswarm.patterns.confirming import FLIPS
from coinswarm.patterns.figures import Figures
from coinswarm.patterns.search import SegmentTrades
from coinswarm.patterns.segments import HOLDS_A_BLOCK
from coinswarm.patterns.settings import DiscoverSettings
from coinswarm.types import FloatArray

Verdict = Literal["alive", "dead", "undecided", "nothing new"]
NOTE = "review"
HALF = 0.5
"""An edge that lost more than this part of what was believed of it is no longer that edge."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Belief:
    """What is known of a pattern before a review.

    Attributes:
        pattern: the conditions.
        effect: what is believed of it: the smaller of its effect in confirmation and of the shrunk one in discovery.
        end_ts: time by which everything it was judged on is over.
        blocks: blocks of time that confirmation had.
        markets: keys of the data sets it was found in.
        reviews: how many there were. reviewed_ts: time up to which bars were looked at in them.
    """

    pattern: Pattern
    effect: float
    end_ts: int
    blocks: int
    markets: tuple[str, ...]
    reviews: int = 0
    reviewed_ts: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewResult:
    """The result of a review.

    Attributes:
        verdict: dead ones are retired; undecided where the later bars are too few to ask.
        number: which review of the pattern it is, from 1. p_value, level: of the effect being below half of what was believed.
        figures: on the later bars; None where there are none. from_ts, until_ts: the bars, in ms.
        reason: in words.
    """

    verdict: Verdict
    number: int
    p_value: float
    level: float
    figures: Figures | None
    from_ts: int
    until_ts: int
    reason: str

    def note(self, job: str) -> dict[str, Any]:
        """What the library remembers of it."""
        return {"what": NOTE, "job": job, **asdict(self)}


def belief(pattern: Pattern, stored_figures: Mapping[str, Any], stored_evidence: Mapping[str, Any]) -> Belief:
    """What the library knows of a confirmed pattern.

    Raises:
        InvalidArgument: it was never confirmed.
    """
    confirmation = stored_figures.get("confirmation")
    if not confirmation or "segments" not in stored_evidence:
        raise errors.InvalidArgument("only a pattern that was confirmed on later bars can be reviewed", found=str(pattern))
    cut = stored_evidence["segments"]
    done = [note for note in stored_evidence.get("notes", []) if note.get("what") == NOTE and note["verdict"] != "undecided"]
    return Belief(
        pattern=pattern,
        effect=min(float(confirmation["effect"]), float(stored_evidence["shrunk_effect"])),
        end_ts=int(cut["end_ts"]) + int(cut["block_ms"]) // HOLDS_A_BLOCK,
        blocks=int(confirmation["blocks"]),
        markets=_markets(pattern, stored_figures),
        reviews=len(done),
        reviewed_ts=max((int(note["until_ts"]) for note in done), default=0),
    )


def _markets(pattern: Pattern, stored_figures: Mapping[str, Any]) -> tuple[str, ...]:
    named = tuple(condition.key for condition in pattern.conditions if isinstance(condition, Market))
    return named or tuple(part["name"] for part in stored_figures.get("slices", ()) if part["kind"] == "market")


def review(
    belief: Belief, trades: ChaosTrades, settings: DiscoverSettings | None = None, *, first_moves: FloatArray | None = None
) -> ReviewResult:
    """Look at a confirmed pattern again.

    Args:
        belief: what is believed of it.
        trades: n random trades, some of which are later than all it was judged on; those of other markets than its own are left out.
        settings: alpha, seed, hold bins, and active blocks that are needed to ask.
        first_moves: (n,) simple return of the bar after each decision; see `foresight.leaks`.

    Raises:
        NotFound: the trades are not described by a feature of the pattern, or none is of its markets.
        Refused: a feature of the pattern knows what comes next.
    """
    chosen = settings or DiscoverSettings()
    own = np.isin(trades.market, [number for number, key in enumerate(trades.markets) if key in belief.markets])
    if not own.any():
        raise errors.NotFound(
            f"a pattern is reviewed on random trades of its own markets, {', '.join(belief.markets)}",
            found=f"trades of {', '.join(trades.markets)}",
            hint="`coinswarm chaos run` draws some",
        )
    trades, first_moves = trades.select(own), None if first_moves is None else first_moves[own]
    belief.pattern.mask(trades)
    later = np.flatnonzero(trades.entry_ts >= belief.end_ts)
    until = int(trades.entry_ts[later].max()) if later.size else belief.end_ts
    number = belief.reviews + 1
    level = chosen.alpha * 6 / (math.pi * number) ** 2
    if until <= belief.reviewed_ts or not later.size:
        return _said("nothing new", belief, number, level, None, until, "no trade is later than the bars it was judged on before")
    if belief.pattern.features:
        foresight.refuse(foresight.leaks(trades, belief.pattern.features, first_moves))
    segment, block_ms = _window(belief, trades, later, until, chosen)
    member = belief.pattern.mask(segment.trades)
    measured = figures.measure(segment.trades, member, segment.excess, segment.blocks, segment.n_blocks, block_ms, None)
    if measured.active_blocks < chosen.min_active:
        why = f"active in {measured.active_blocks} blocks of later bars, {chosen.min_active} are needed to ask"
        return _said("undecided", belief, number, level, measured, until, why)
    short = HALF * belief.effect - segment.excess[member]
    lost = np.bincount(segment.blocks[member], weights=short, minlength=segment.n_blocks).astype(np.float64)
    p = evidence.alone(lost, rng=np.random.default_rng([chosen.seed, 3, number]), n_flips=FLIPS)
    verdict: Verdict = "dead" if p <= level else "alive"
    why = f"effect {measured.effect:+.4%} a trade where {belief.effect:+.4%} was believed: p {p:.4f} of being below half, level {level:.4f}"
    return _said(verdict, belief, number, level, measured, until, why, p)


def _window(belief: Belief, trades: ChaosTrades, later: np.ndarray, until: int, settings: DiscoverSettings) -> tuple[SegmentTrades, int]:
    """The newest trades, as many blocks of time as confirmation had."""
    block_ms = HOLDS_A_BLOCK * int(trades.hold.max()) * trades.bar_ms
    start = max(belief.end_ts, until + 1 - max(belief.blocks, settings.min_active) * block_ms)
    own = later[trades.entry_ts[later] >= start]
    own = own[np.argsort(trades.entry_ts[own], kind="stable")]
    return search.side(trades, own, bins.hold_bands(trades.select(own), settings.hold_bins), start, block_ms), block_ms


def _said(
    verdict: Verdict, belief: Belief, number: int, level: float, figures: Figures | None, until: int, reason: str, p: float = math.nan
) -> ReviewResult:
    return ReviewResult(
        verdict=verdict, number=number, p_value=p, level=level, figures=figures, from_ts=belief.end_ts, until_ts=until, reason=reason
    )  # fmt: skip
