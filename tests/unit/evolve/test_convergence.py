from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coinswarm.evolve import Members, Search, SearchSettings, convergence, diversity
from coinswarm.evolve.space import Scale
from tests import search_problems as problems
from tests.search_problems import Axis


def island(*rows):
    """An island whose history holds (hypervolume, best) after each generation."""
    empty = Search(problems.box(1), SearchSettings(population=4)).start().islands[0]
    return replace(empty, history=np.array([[0.0, 0.0, 0.0, volume, best] for volume, best in rows]))


def test_an_island_is_stagnant_after_a_whole_window_without_progress_and_not_before():
    assert not convergence.stagnant(island((1, -1), (2, -2), (2, -2)), 2, 1e-4)
    assert convergence.stagnant(island((1, -1), (2, -2), (2, -2), (2, -2)), 2, 1e-4)


@pytest.mark.parametrize("last", [(2.1, -2.0), (2.0, -2.1)])
def test_growth_of_either_hypervolume_or_best_is_progress(last):
    assert not convergence.stagnant(island((2, -2), (2, -2), last), 2, 1e-4)


def test_an_island_that_never_found_anything_feasible_is_not_stagnant():
    assert not convergence.stagnant(island((0, np.nan), (0, np.nan), (0, np.nan)), 1, 1e-4)


def members(*objectives):
    count = len(objectives)
    return Members(
        genomes=np.zeros((count, 1)), identities=np.arange(count).astype("S64"), births=np.arange(count),
        objectives=np.array(objectives, dtype=float), violation=np.zeros(count), failed=np.zeros(count, dtype=bool),
    )  # fmt: skip


def test_hypervolume_is_the_area_under_the_front():
    assert convergence.hypervolume(members([0, 2], [1, 1], [2, 2]), np.array([3.0, 3.0])) == pytest.approx(5.0)
    assert convergence.hypervolume(members([4, 4]), np.array([3.0, 3.0])) == 0.0
    assert convergence.hypervolume(members([1.0], [2.0]), np.array([3.0])) == 2.0


def test_the_reference_point_is_fixed_by_the_first_feasible_members():
    point = convergence.reference(np.full(2, np.nan), members([0, 2], [1, 1]))
    assert point.tolist() == pytest.approx([1.1, 2.1])
    assert convergence.reference(point, members([9, 9])) is point


def test_the_hypervolume_of_a_large_front_in_six_dimensions_is_bounded_in_work():
    corner = np.abs(np.random.default_rng(0).standard_normal((1000, 6)))
    front = members(*(1.0 - corner / np.linalg.norm(corner, axis=1)[:, None]))
    assert 0.0 < convergence.hypervolume(front, np.full(6, 1.1)) < 1.1**6


def test_diversity_is_nothing_for_copies_and_counts_words_by_their_frequency():
    scale = Scale.of([Axis(path="x"), Axis(path="w", kind="choice", choices=("a", "b"))])
    assert diversity.diversity(np.zeros((10, 2)), scale) == 0.0
    assert diversity.diversity(np.array([[0.0, 0.0], [1.0, 1.0]]), scale) == pytest.approx(0.5)
