"""Operators and selection against DEAP's, which run one genome at a time; its random numbers come from the `random` module."""

from __future__ import annotations

import random

import numpy as np
import pytest
from deap import base, tools
from scipy import stats

from coinswarm.evolve import operators, selection
from coinswarm.evolve.settings import Variation

N = 4000
PLAIN = np.zeros(1, dtype=bool)


class Fitness(base.Fitness):
    weights = (-1.0, -1.0)


class Individual(list):
    def __init__(self, values):
        super().__init__(values)
        self.fitness = Fitness(values)


@pytest.fixture
def deap_random():
    before = random.getstate()
    random.seed(7)
    yield
    random.setstate(before)


def crossed(variation, left, right):
    size = (N, 1)
    pair = operators.cross(np.random.default_rng(7), np.full(size, left), np.full(size, right), variation, PLAIN)
    return np.concatenate(pair).ravel()


def deap_crossed(operator, left, right):
    return np.concatenate([operator([left], [right]) for _ in range(N)]).ravel()


def assert_same_distribution(ours, theirs):
    assert stats.ks_2samp(ours, theirs).pvalue > 0.01


@pytest.mark.parametrize(("left", "right"), [(0.3, 0.6), (0.02, 0.9), (0.0, 1.0)])
def test_bounded_sbx_has_the_distribution_of_deaps(deap_random, left, right):
    theirs = deap_crossed(lambda a, b: tools.cxSimulatedBinaryBounded(a, b, eta=15.0, low=0.0, up=1.0), left, right)
    assert_same_distribution(crossed(Variation(crossover="sbx"), left, right), theirs)


def test_blend_has_the_distribution_of_deaps_inside_the_bounds(deap_random):
    theirs = deap_crossed(lambda a, b: tools.cxBlend(a, b, alpha=0.5), 0.4, 0.6)
    assert_same_distribution(crossed(Variation(crossover="blend", gene_rate=1.0), 0.4, 0.6), theirs)


def test_uniform_crossover_exchanges_genes_as_often_as_deaps(deap_random):
    theirs = deap_crossed(lambda a, b: tools.cxUniform(a, b, indpb=0.3), 0.0, 1.0)
    ours = crossed(Variation(crossover="uniform", gene_rate=0.3), 0.0, 1.0)
    assert abs(ours[:N].mean() - theirs[::2].mean()) < 0.03


@pytest.mark.parametrize("start", [0.0, 0.1, 0.5, 1.0])
def test_polynomial_mutation_has_the_distribution_of_deaps(deap_random, start):
    theirs = [tools.mutPolynomialBounded([start], eta=20.0, low=0.0, up=1.0, indpb=1.0)[0][0] for _ in range(N)]
    ours = operators.mutate(np.random.default_rng(7), np.full((N, 1), start), Variation(mutation_rate=1.0), np.zeros((N, 1)), PLAIN)
    assert_same_distribution(ours.ravel(), np.array(theirs))


def test_gaussian_mutation_has_the_distribution_of_deaps_inside_the_bounds(deap_random):
    theirs = [tools.mutGaussian([0.5], mu=0.0, sigma=0.1, indpb=1.0)[0][0] for _ in range(N)]
    variation = Variation(mutation="gaussian", mutation_rate=1.0, mutation_sigma=0.1)
    ours = operators.mutate(np.random.default_rng(7), np.full((N, 1), 0.5), variation, np.zeros((N, 1)), PLAIN)
    assert_same_distribution(ours.ravel(), np.array(theirs))


@pytest.mark.parametrize("seed", range(5))
def test_fronts_and_crowding_equal_deaps(seed):
    objectives = np.random.default_rng(seed).random((60, 2)).round(3)
    front = selection.ranks(objectives, np.zeros(60))
    distance = selection.crowding(objectives, front)
    individuals = [Individual(row) for row in objectives]
    for rank, group in enumerate(tools.sortNondominated(individuals, 60)):
        rows = [next(i for i, one in enumerate(individuals) if one is member) for member in group]
        assert (front[rows] == rank).all()
        tools.emo.assignCrowdingDist(group)
        theirs = np.array([member.fitness.crowding_dist for member in group])
        assert np.allclose(distance[rows], theirs * objectives.shape[1], rtol=1e-12)
