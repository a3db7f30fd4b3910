"""One section of a report card in whatever process one is in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coinswarm import codec
from coinswarm.ledger.records import Json
from coinswarm.market.bars import Bars
from coinswarm.play.model import Play
from coinswarm.types import FloatArray
from coinswarm.validate import judging
from coinswarm.validate.bench import Bench
from coinswarm.validate.case import Case, Effort, Splits, TrialFacts

_KEPT = 2
"""Cases whose histories a process remembers from one section to the next."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SectionTask:
    """A section of one case; the bars that come along are the markets, then those of `others`, then the unseen ones."""

    key: str
    name: str
    play: Play
    genome: FloatArray
    n_markets: int
    others: tuple[str, ...]
    splits: Splits
    trials: TrialFacts
    seed: int
    effort: Effort


_benches: dict[str, Bench] = {}


def section(item: SectionTask, *bars: Bars) -> Json:
    """The section as JSON values."""
    if item.key not in _benches:
        _benches[item.key] = Bench(case_of(item, *bars))
        while len(_benches) > _KEPT:
            _benches.pop(next(iter(_benches)))
    return codec.encode(judging.section(item.name, _benches[item.key]))


def case_of(item: SectionTask, *bars: Bars) -> Case:
    """The case that an item and its bars make."""
    n, after = item.n_markets, item.n_markets + len(item.others)
    traded = bars[:n]
    named: Mapping[str, Bars] = {**{one.symbol: one for one in traded}, **dict(zip(item.others, bars[n:after], strict=True))}
    return Case(
        play=item.play, genome=item.genome, markets=traded, splits=item.splits, others=named, unseen=bars[after:], trials=item.trials,
        seed=item.seed, effort=item.effort,
    )  # fmt: skip
