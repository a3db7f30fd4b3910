from __future__ import annotations

import numpy as np
import pytest

from coinswarm.evolve import operators
from coinswarm.evolve.settings import EXPLORE, JUMP, RECOMBINE, REFINE, Variation
from coinswarm.evolve.space import Scale
from tests import search_problems as problems
from tests.search_problems import Axis

PRESETS = pytest.mark.parametrize("variation", [REFINE, EXPLORE, RECOMBINE, JUMP])


def drawn(n=500, seed=0):
    space = problems.PLANTED_SPACE
    scale = Scale.of(space.dimensions)
    genomes = space.sample(np.random.default_rng(seed), n)
    return scale, genomes, scale.unit(genomes)


@PRESETS
def test_children_stay_in_the_unit_cube(variation):
    scale, genomes, unit = drawn()
    pair = operators.cross(np.random.default_rng(1), unit, unit[::-1], variation, scale.nominal)
    gaps = scale.gaps(np.tile(genomes, (2, 1)))
    children = operators.mutate(np.random.default_rng(1), np.concatenate(pair), variation, gaps, scale.nominal)
    assert ((children >= 0) & (children <= 1)).all()


@PRESETS
def test_words_of_children_are_words_of_their_parents(variation):
    scale, _, unit = drawn()
    left, right = operators.cross(np.random.default_rng(1), unit, unit[::-1], variation, scale.nominal)
    for column in np.flatnonzero(scale.nominal):
        pairs = np.sort([left[:, column], right[:, column]], axis=0)
        assert (pairs == np.sort([unit[:, column], unit[::-1, column]], axis=0)).all()


@PRESETS
def test_equal_parents_have_children_equal_to_them(variation):
    scale, _, unit = drawn()
    left, right = operators.cross(np.random.default_rng(1), unit, unit, variation, scale.nominal)
    assert np.allclose(left, unit, atol=1e-12)
    assert np.allclose(right, unit, atol=1e-12)


@PRESETS
def test_a_forced_mutation_changes_every_genome_even_on_a_coarse_grid(variation):
    scale, genomes, unit = drawn()
    moved = operators.mutate(np.random.default_rng(1), unit, variation, scale.gaps(genomes), scale.nominal, forced=True)
    changed = (scale.genomes(moved) != genomes).any(axis=1)
    assert changed.mean() > 0.99


def test_a_mutated_word_is_another_word_and_each_is_equally_likely():
    scale = Scale.of([Axis(path="w", kind="choice", choices=tuple("abcde"))])
    genomes = np.full((8000, 1), 2.0)
    moved = operators.mutate(
        np.random.default_rng(1), scale.unit(genomes), Variation(mutation_rate=1.0), scale.gaps(genomes), scale.nominal
    )
    counts = np.bincount(scale.genomes(moved).ravel().astype(int), minlength=5)
    assert counts[2] == 0
    assert (np.abs(counts[[0, 1, 3, 4]] - 2000) < 200).all()


def test_one_gene_in_a_genome_is_mutated_unless_told_otherwise():
    unit = np.full((4000, 20), 0.5)
    moved = operators.mutate(np.random.default_rng(1), unit, REFINE, np.zeros_like(unit), np.zeros(20, dtype=bool))
    assert (moved != unit).sum(axis=1).mean() == pytest.approx(1.0, abs=0.05)


def test_an_operators_code_tells_its_crossover_and_mutation():
    codes = operators.code(EXPLORE, np.array([True, True, False, False]), np.array([True, False, True, False]))
    assert [operators.NAMES[code] for code in codes] == ["blend+gaussian", "blend", "gaussian", "copy"]
    specials = [operators.NAMES[code] for code in (operators.SAMPLE, operators.WARM, operators.IMMIGRANT)]
    assert specials == ["sample", "warm", "immigrant"]


def test_either_child_of_sbx_may_be_the_lower_one_at_each_gene():
    ends = np.full((2000, 3), 0.3), np.full((2000, 3), 0.7)
    first, second = operators.cross(np.random.default_rng(1), *ends, Variation(gene_rate=1.0), np.zeros(3, dtype=bool))
    assert (first < second).mean(axis=0) == pytest.approx([0.5] * 3, abs=0.05)
