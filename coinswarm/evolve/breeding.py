"""From a population to the children that will be evaluated: the `ask` of one island, a pure function of what the island knows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from coinswarm import errors
from coinswarm.evolve import diversity, lineage, operators, randomness, selection
from coinswarm.evolve.randomness import Purpose
from coinswarm.evolve.settings import SearchSettings
from coinswarm.evolve.space import Scale, SearchSpace
from coinswarm.evolve.state import Island, Known, Names, Proposals, names
from coinswarm.types import BoolArray, FloatArray, IntArray

Identify = Callable[[FloatArray], Sequence[str]]
"""(n, n_dims) genomes -> n identities: equal for variants that are the same play."""

NOVELTY_ROUNDS = 3
"""How often a child that repeats a known variant is mutated again before the repetition is accepted."""


def identify_genomes(genomes: FloatArray) -> list[str]:
    """SHA-256 of the bytes of (n, n_dims) genomes: the identity of variants where different genomes are different variants."""
    rows = np.ascontiguousarray(genomes + 0.0)
    return [hashlib.sha256(row.tobytes()).hexdigest() for row in rows]


@dataclass
class Brood:
    """Children while they are being made: genomes, identities, operator codes, and rows of both parents (-1: none)."""

    genomes: FloatArray
    identities: Names
    codes: npt.NDArray[np.int8]
    parents: IntArray


@dataclass(frozen=True, slots=True)
class Nursery:
    """What breeding needs beside the island: the space, the settings and the name of a variant."""

    space: SearchSpace
    scale: Scale
    settings: SearchSettings
    identify: Identify

    def propose(self, island: Island, shared: Known, warm: FloatArray, count: int) -> Proposals:
        """The next `count` proposals of `island`: its first generation, or children of its population."""
        if island.generation == 0:
            return self._proposals(island, shared, self._founders(island, warm, count))
        breeders = int((~island.population.failed).sum())
        if breeders == 0:
            return self._proposals(island, shared, self._orphans(self._samples(island, Purpose.IMMIGRATION, count), operators.IMMIGRANT))
        rng = self._rng(island, Purpose.PARENTS)
        rows = selection.tournament(rng, breeders, 2 * ((count + 1) // 2), self.settings.tournament_size)
        brood = self._children(island, rows, count)
        self._renew(island, shared, brood)
        self._immigrate(island, brood)
        return self._proposals(island, shared, brood)

    def _founders(self, island: Island, warm: FloatArray, count: int) -> Brood:
        """The first generation: the island's share of the `warm` genomes, the rest sampled."""
        mine = warm[island.index :: self.settings.islands][:count]
        sampled = self._samples(island, Purpose.SAMPLE, count - len(mine))
        genomes = np.concatenate([self._legal(mine, island, 0), sampled]) if len(mine) else sampled
        brood = self._orphans(genomes, operators.SAMPLE)
        brood.codes[: len(mine)] = operators.WARM
        return brood

    def _orphans(self, genomes: FloatArray, code: int) -> Brood:
        no_parents = np.full((len(genomes), 2), lineage.NO_PARENT, dtype=np.int64)
        return Brood(genomes, self._names(genomes), np.full(len(genomes), code, dtype=np.int8), no_parents)

    def _children(self, island: Island, rows: IntArray, count: int) -> Brood:
        """Children of the pairs (0, 1), (2, 3), … of `rows`."""
        variation, genomes = self.settings.variation(island.index), island.population.genomes
        rng = self._rng(island, Purpose.CROSSOVER)
        left, right = rows[0::2], rows[1::2]
        paired = np.repeat(rng.random(len(left)) < variation.crossover_rate, 2)[:count]
        unit = self.scale.unit(genomes)
        pair = operators.cross(rng, unit[left], unit[right], variation, self.scale.nominal)
        one, other = _interleave(left, right)[:count], _interleave(right, left)[:count]
        children = np.where(paired[:, None], _interleave(*pair)[:count], unit[one])
        settled = self._settle(children, unit[one], genomes[one])
        crossed = paired & (settled != genomes[one]).any(axis=1)
        children, mutated = self._mutated(settled, island, Purpose.MUTATION)
        parents = np.stack([one, np.where(crossed, other, lineage.NO_PARENT)], axis=1)
        return Brood(children, self._names(children), operators.code(variation, crossed, mutated), parents)

    def _settle(self, unit: FloatArray, before: FloatArray, genomes: FloatArray) -> FloatArray:
        """Genomes at `unit`; a gene that did not move keeps its exact value, so that no rounding of the scale creeps in."""
        return np.asarray(np.where(unit == before, genomes, self.scale.genomes(unit)))

    def _mutated(self, genomes: FloatArray, island: Island, purpose: Purpose, turn: int = 0) -> tuple[FloatArray, BoolArray]:
        """Mutated and legal genomes, and which of them mutation changed; in the search for novelty each gets a mutation."""
        rng, forced = self._rng(island, purpose, turn), purpose is Purpose.NOVELTY
        unit = self.scale.unit(genomes)
        moved = operators.mutate(
            rng, unit, self.settings.variation(island.index), self.scale.gaps(genomes), self.scale.nominal, forced=forced
        )
        children = self._settle(moved, unit, genomes)
        return self._legal(children, island, turn + forced), np.asarray((children != genomes).any(axis=1))

    def _renew(self, island: Island, shared: Known, brood: Brood) -> None:
        """Mutate again what repeats a known variant or an earlier child, a few times."""
        mutation = operators.mutation_code(self.settings.variation(island.index))
        for turn in range(NOVELTY_ROUNDS):
            stale = np.flatnonzero(_stale(brood.identities, island, shared))
            if not len(stale):
                return
            again, changed = self._mutated(brood.genomes[stale], island, Purpose.NOVELTY, turn)
            brood.genomes[stale] = again
            brood.codes[stale[changed]] = brood.codes[stale[changed]] // 3 * 3 + mutation
            brood.identities[stale] = self._names(again)

    def _immigrate(self, island: Island, brood: Brood) -> None:
        """Replace the last children by fresh samples when the population has grown too alike."""
        count = int(np.ceil(len(brood.genomes) * self.settings.immigration_share))
        if count == 0 or not diversity.fallen(island, self.settings.immigration_below):
            return
        brood.genomes[-count:] = self._samples(island, Purpose.IMMIGRATION, count)
        brood.identities[-count:] = self._names(brood.genomes[-count:])
        brood.codes[-count:], brood.parents[-count:] = operators.IMMIGRANT, lineage.NO_PARENT

    def _samples(self, island: Island, purpose: Purpose, count: int) -> FloatArray:
        if count == 0:
            return np.empty((0, len(self.space.dimensions)))
        return np.asarray(self.space.sample(self._rng(island, purpose), count), dtype=np.float64)

    def _legal(self, genomes: FloatArray, island: Island, turn: int) -> FloatArray:
        """Genomes with the invalid ones repaired."""
        broken = ~self.space.valid(genomes)
        if not broken.any():
            return genomes
        repaired = genomes.copy()
        repaired[broken] = self.space.repair(genomes[broken], self._rng(island, Purpose.REPAIR, turn))
        return repaired

    def _names(self, genomes: FloatArray) -> Names:
        identities = names(self.identify(genomes))
        if len(identities) != len(genomes):
            raise errors.ShapeMismatch(f"identify must return {len(genomes)} names", found=len(identities))
        return identities

    def _proposals(self, island: Island, shared: Known, brood: Brood) -> Proposals:
        count, population = len(brood.genomes), island.population
        copies = first_of_each(brood.identities)
        known = known_to(island, shared, brood.identities)[0]
        orphan = brood.parents < 0
        rows = np.where(orphan, 0, brood.parents)
        no_parents = orphan if len(population) else np.ones_like(orphan)
        births = np.where(no_parents, lineage.NO_PARENT, population.births[rows] if len(population) else rows)
        ancestors = np.where(no_parents, b"", population.identities[rows] if len(population) else b"").astype("S64")
        return Proposals(
            island=island.index, generation=island.generation, genomes=brood.genomes, identities=brood.identities,
            births=lineage.births(island.index, island.generation, count), parents=births, parent_identities=ancestors,
            operators=brood.codes, seeds=randomness.variant_seeds(self.settings.seed, island.index, island.generation, count),
            todo=np.flatnonzero(~known & (copies == np.arange(count))), copies=copies,
        )  # fmt: skip

    def _rng(self, island: Island, purpose: Purpose, turn: int = 0) -> np.random.Generator:
        return randomness.generator(self.settings.seed, island.index, island.generation, purpose, turn)


def known_to(island: Island, shared: Known, identities: Names) -> tuple[BoolArray, Known]:
    """(n,) which identities `island` knows the score of, and those scores: one row for each True, in order."""
    mine, rows = island.own.find(identities)
    common, others = shared.find(identities, island.epoch)
    common &= ~mine
    scored = mine | common
    scores = island.own.take(rows[mine]).join(shared.take(others[common]))
    place = np.concatenate([np.flatnonzero(mine), np.flatnonzero(common)])
    return scored, scores.take(np.argsort(place))


def first_of_each(identities: Names) -> IntArray:
    """(n,) for each row the earliest row with the same identity."""
    _, first, inverse = np.unique(identities, return_index=True, return_inverse=True)
    return np.asarray(first[inverse], dtype=np.int64)


def _stale(identities: Names, island: Island, shared: Known) -> BoolArray:
    scored = island.own.find(identities)[0] | shared.find(identities, island.epoch)[0]
    return np.asarray(scored | (first_of_each(identities) != np.arange(len(identities))))


def _interleave(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Rows 0, 0, 1, 1, … taken from `left` and `right` in turn."""
    return np.stack([left, right], axis=1).reshape(2 * len(left), *left.shape[1:])
