"""The families of worlds by name, and the one function that makes any of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from coinswarm import check, errors
from coinswarm.market.bars import Bars
from coinswarm.market.files import MADE
from coinswarm.validate.worlds import canary, drawn, flipped, shuffled
from coinswarm.validate.worlds.planted import planted
from coinswarm.validate.worlds.settings import Plant

Make = Callable[[Sequence[Bars], np.random.Generator, str], tuple[Bars, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """A way to make worlds.

    Attributes:
        name: as it is asked for.
        number: part of every seed; it never changes, or equal seeds would give other worlds.
        text: what it is, in a line.
        null: whether there is nothing in it that could be found.
        make: markets to be like, source of chance and name of the exchange -> the world's markets.
        plant: what is hidden in it, for those that can hide another.
    """

    name: str
    number: int
    text: str
    null: bool
    make: Make | None = None
    plant: Plant | None = None


_ALL = (
    Family(name="N0", number=0, null=True, text="random walk: normal returns, constant volatility", make=drawn.random_walk),
    Family(name="N1", number=1, null=True, text="GARCH(1,1) with Student t shocks", make=drawn.clustered),
    Family(name="N2", number=2, null=True, text="real bars in another order, gaps and insides apart", make=shuffled.permuted),
    Family(name="N3", number=3, null=True, text="real bars, each mirrored or not by a coin", make=flipped.by_bar),
    Family(name="N3d", number=4, null=True, text="real bars, whole days mirrored or not", make=flipped.by_day),
    Family(name="planted", number=10, null=False, text="a conjunction that moves prices", plant=Plant()),
    Family(name="dying", number=11, null=False, text="a conjunction whose edge is gone half-way", plant=Plant(shape="dying", effect=0.3)),
    Family(name="below-cost", number=12, null=False, text="an edge smaller than costs", plant=Plant(gross=0.0005)),
    Family(
        name="losing-winners", number=13, null=False, text="7 of 10 trades win, the mean loses",
        plant=Plant(shape="winners", gross=-0.0002, support=0.02),
    ),
    Family(name="look-ahead", number=14, null=False, text="volume that knows the next bar", make=canary.leaking),
)  # fmt: skip
FAMILIES: Mapping[str, Family] = {family.name: family for family in _ALL}
NULLS = tuple(family.name for family in _ALL if family.null)
"""Families in which nothing may be promoted."""


def family(name: str) -> Family:
    """The family of that name, in any case.

    Raises:
        NotFound: there is none; the nearest are named.
    """
    families = {entry.lower(): entry for entry in FAMILIES}
    if name.lower() not in families:
        raise errors.not_found("family of worlds", name, FAMILIES)
    return FAMILIES[families[name.lower()]]


def make(name: str, like: Sequence[Bars], *, seed: int, plant: Plant | None = None) -> tuple[Bars, ...]:
    """A world: as many markets as it is made like, with the same names and times. Equal arguments give equal bars.

    Args:
        name: one of `FAMILIES`.
        like: markets of one timeframe, at least 2 bars each; they may begin and end at different times.
        seed: at least 0.
        plant: what to hide, for the families that hide something; none: the family's own.

    Returns:
        Bars of exchange `world-n3-17` (family and seed), marked as synthetic, without funding.

    Raises:
        NotFound: there is no such family.
        InvalidArgument: the markets do not fit together, or a null family is asked to hide something.
    """
    kind = family(name)
    check.at_least(seed, "seed", 0)
    if plant is not None and kind.plant is None:
        raise errors.InvalidArgument(f"{kind.name} hides nothing", found=repr(plant), hint="family planted takes a plant")
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, kind.number])))
    maker = kind.make or partial(_hiding, plant=plant or kind.plant or Plant())
    return maker(like, rng, f"{MADE}{kind.name.lower()}-{seed}")


def _hiding(like: Sequence[Bars], rng: np.random.Generator, exchange: str, *, plant: Plant) -> tuple[Bars, ...]:
    return planted(like, rng, exchange, plant)
