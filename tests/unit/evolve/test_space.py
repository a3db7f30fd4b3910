from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm import errors
from coinswarm.evolve.space import Scale
from tests import search_problems as problems
from tests.search_problems import Axis

SPACE = problems.PLANTED_SPACE


@given(st.integers(0, 2**32))
def test_a_genome_survives_the_way_to_the_unit_cube_and_back(seed):
    scale, genomes = Scale.of(SPACE.dimensions), SPACE.sample(np.random.default_rng(seed), 50)
    unit = scale.unit(genomes)
    assert ((unit >= 0) & (unit <= 1)).all()
    assert np.allclose(scale.genomes(unit), genomes, rtol=1e-12)


@given(st.integers(0, 2**32))
def test_any_point_maps_to_a_valid_genome(seed):
    unit = np.random.default_rng(seed).normal(0.5, 1.0, (50, len(SPACE.dimensions)))
    assert SPACE.valid(Scale.of(SPACE.dimensions).genomes(unit)).all()


def test_a_log_dimension_is_halved_at_its_geometric_mean():
    scale = Scale.of([Axis(path="x", low=1.0, high=100.0, log=True)])
    assert scale.unit(np.array([[10.0]]))[0, 0] == pytest.approx(0.5)


def test_a_grid_that_does_not_divide_its_range_ends_below_the_bound():
    scale = Scale.of([Axis(path="x", low=0.0, high=1.0, step=0.3)])
    assert scale.genomes(np.array([[1.0]]))[0, 0] == pytest.approx(0.9)


def test_ascending_numbers_have_an_order_and_words_have_none():
    axes = [Axis(path="n", kind="choice", choices=(5, 10, 20)), Axis(path="w", kind="choice", choices=("a", "b", "c")),
            Axis(path="u", kind="choice", choices=(20, 5, 10)), Axis(path="b", kind="choice", choices=(False, True))]  # fmt: skip
    assert Scale.of(axes).nominal.tolist() == [False, True, True, True]


@pytest.mark.parametrize("axis", [Axis(path="x", low=2.0, high=1.0), Axis(path="x", low=0.0, high=1.0, log=True)])
def test_bounds_that_make_no_range_are_refused(axis):
    with pytest.raises(errors.InvalidArgument, match="x needs bounds"):
        Scale.of([axis])


def test_a_dimension_with_one_value_stays_there():
    scale = Scale.of([Axis(path="x", kind="int", low=3, high=3), Axis(path="c", kind="choice", choices=("only",))])
    assert scale.genomes(scale.unit(np.array([[3.0, 0.0]]))).tolist() == [[3.0, 0.0]]


def test_points_of_a_grid_are_the_numbers_as_they_are_written():
    scale = Scale.of([Axis(path="x", low=0.1, high=2.0, step=0.1), Axis(path="y", low=1.0, high=2.0, step=1 / 3)])
    points = scale.snap(np.array([[0.3999, 1.34], [0.7001, 1.9], [1.1, 1.0]]))
    assert points.tolist() == [[0.4, 1 + 1 / 3], [0.7, 2.0], [1.1, 1.0]]
