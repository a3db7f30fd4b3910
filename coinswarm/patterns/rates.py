"""How often searches promote something, over many worlds: on worlds without an edge that is the rate of false promotions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from coinswarm import stats
from coinswarm.ledger.chaos import ChaosTrades
from coinswarm.patterns.discovery import Discovery, discover
from coinswarm.patterns.settings import DiscoverSettings

STAGES = ("significant", "profitable", "candidate", "confirmed")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """In how many worlds something got how far.

    Attributes:
        worlds: how many there were.
        reached: by stage (family-wise p of at most alpha; and money made; and a rule of its own; and confirmed) the number of worlds.
        naive: the same for usual tests, by test and correction.
    """

    worlds: int
    reached: dict[str, int]
    naive: dict[str, int]

    def interval(self, stage: str, confidence: float = 0.99) -> tuple[float, float]:
        """Wilson interval of the rate of one stage or one usual test."""
        return stats.wilson_interval({**self.naive, **self.reached}[stage], self.worlds, confidence)


def promotions(worlds: Iterable[ChaosTrades], settings: DiscoverSettings | None = None) -> Rates:
    """Search each world as if it were real and count how far anything got.

    Args:
        worlds: random trades of one world each.
        settings: of the search; the seed is the same in every world.
    """
    n, reached, naive = 0, Counter(dict.fromkeys(STAGES, 0)), Counter[str]()
    for trades in worlds:
        found = discover(trades, settings)
        n += 1
        reached.update(stage for stage in STAGES if _got(found, stage))
        naive.update({name: int(count > 0) for name, count in found.naive_promoted.items()})
    return Rates(worlds=n, reached=dict(reached), naive=dict(naive))


def _got(found: Discovery, stage: str) -> bool:
    numbers = {"significant": found.significant, "profitable": found.profitable, "candidate": len(found.findings)}
    return numbers.get(stage, len(found.confirmed)) > 0
