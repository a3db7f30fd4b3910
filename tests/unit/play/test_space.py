"""Genomes keep their dimensions and constraints, however tight."""

from __future__ import annotations

import math

import numpy as np
import pytest

from coinswarm import errors
from coinswarm.play.constraint import ParameterConstraint
from coinswarm.play.dimension import Dimension
from coinswarm.play.expressions import Arithmetic, Literal, Slot
from coinswarm.play.space import Space


def at(index: int) -> Literal:
    return Literal(Slot(index))


def whole(name: str, low: float, high: float, *, step: float = 1.0, log: bool = False) -> Dimension:
    return Dimension(path=name, kind="int", low=low, high=high, step=step, log=log)


def real(name: str, low: float, high: float, *, step: float = 0.0) -> Dimension:
    return Dimension(path=name, kind="float", low=low, high=high, step=step)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_the_size_counts_only_variants_that_keep_the_constraints() -> None:
    space = Space((whole("a", 1, 4), whole("b", 1, 4), Dimension.choice("c", ("x", "y"))), (ParameterConstraint(at(0), "<", at(1)),))
    assert (space.size, space.size_is_bound) == (12, False)
    assert len(space.enumerate(100)) == 12
    assert space.valid(space.enumerate(100)).all()


def test_every_valid_variant_of_a_listed_space_is_drawn_equally_often(rng: np.random.Generator) -> None:
    space = Space((whole("a", 1, 4), whole("b", 1, 4)), (ParameterConstraint(at(0), "<", at(1)),))
    _, counts = np.unique(space.sample(rng, 6000), axis=0, return_counts=True)
    assert counts.size == 6
    assert counts.min() > 800


def test_a_logarithmic_range_is_drawn_evenly_on_its_scale(rng: np.random.Generator) -> None:
    drawn = Space((whole("a", 1, 1000, log=True),)).sample(rng, 4000)[:, 0]
    assert 0.4 < (drawn < 32).mean() < 0.6


@pytest.mark.parametrize("size", [8, 400])
def test_a_long_chain_of_orderings_is_drawn_and_repaired(size: int, rng: np.random.Generator) -> None:
    chain = tuple(ParameterConstraint(at(i), "<", at(i + 1)) for i in range(7))
    space = Space(tuple(whole(f"d{i}", 1, size) for i in range(8)), chain)
    assert space.valid(space.sample(rng, 300)).all()
    assert space.valid(space.repair(rng.uniform(-9, 999, (300, 8)), rng)).all()


def test_equations_between_real_numbers_are_solved(rng: np.random.Generator) -> None:
    rules = (
        ParameterConstraint(Arithmetic("+", at(0), at(1)), "==", at(2)),
        ParameterConstraint(at(0), ">=", Arithmetic("*", at(1), Literal(3.0))),
    )
    space = Space((real("a", 0, 10), real("b", 0, 10), real("c", 0, 10)), rules)
    drawn = space.sample(rng, 200)
    assert space.valid(drawn).all()
    assert len(np.unique(drawn, axis=0)) > 100


def test_a_space_without_a_variant_says_so(rng: np.random.Generator) -> None:
    space = Space((real("a", 0, 1), real("b", 0, 1)), (ParameterConstraint(Arithmetic("+", at(0), at(1)), ">", Literal(3.0), "a + b > 3"),))
    assert space.is_empty
    with pytest.raises(errors.InvalidArgument, match=r"none keeps a \+ b > 3"):
        space.sample(rng, 1)


def test_division_by_zero_breaks_a_constraint() -> None:
    space = Space((whole("a", 0, 2),), (ParameterConstraint(Arithmetic("/", Literal(1.0), at(0)), ">", Literal(0.0)),))
    assert space.valid(np.array([[0.0], [1.0], [2.0]])).tolist() == [False, True, True]


def test_genes_off_the_grid_missing_or_out_of_range_are_not_valid() -> None:
    space = Space((real("a", 1.0, 2.0, step=0.25), Dimension.choice("b", ("x", "y"))))
    genomes = np.array([[1.25, 0], [1.3, 0], [np.nan, 0], [2.25, 0], [1.0, 2], [1.0, 0.5], [np.inf, 1]])
    assert space.valid(genomes).tolist() == [True, False, False, False, False, False, False]


def test_repair_keeps_valid_genomes_and_moves_others_to_the_grid(rng: np.random.Generator) -> None:
    space = Space((real("a", 1.0, 2.0, step=0.25), whole("b", 0, 9)))
    fixed = space.repair(np.array([[1.25, 3.0], [1.3, 99.0], [np.nan, -np.inf]]), rng)
    assert fixed.tolist() == [[1.25, 3.0], [1.25, 9.0], [1.0, 0.0]]


def test_values_are_numbers_of_choices_and_indices_of_words() -> None:
    space = Space((Dimension.choice("a", (8.0, 12.0)), Dimension.choice("b", ("x", "y")), whole("c", 5, 9)))
    assert space.values(np.array([[1.0, 1.0, 7.0]])).tolist() == [[12.0, 1.0, 7.0]]


def test_the_grid_of_a_decimal_step_has_the_decimals_that_were_written() -> None:
    dimension = real("a", 1.0, 2.0, step=0.1)
    assert dimension.grid(np.arange(11.0)).tolist() == [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0]


def test_encode_fills_from_a_base_and_refuses_what_the_space_does_not_have() -> None:
    space = Space((whole("a", 1, 4), Dimension.choice("b", ("x", "y"))), (ParameterConstraint(at(0), "!=", Literal(3.0), "a != 3"),))
    assert space.encode({"b": "y"}, base=np.array([2.0, 0.0])).tolist() == [2.0, 1.0]
    for settings, text in (
        ({"c": 1}, "there is a, b"),
        ({"a": 9, "b": "x"}, r"1\.\.4"),
        ({"a": 1}, "missing: b"),
        ({"a": 3, "b": "x"}, "a != 3"),
        ({"a": 1, "b": 0}, "one of x, y"),
    ):
        with pytest.raises(errors.InvalidArgument, match=text):
            space.encode(settings)


def test_real_numbers_make_a_space_infinite_and_impossible_to_list() -> None:
    space = Space((real("a", 0, 1),))
    assert math.isinf(space.size)
    with pytest.raises(errors.InvalidArgument, match="every range has a step"):
        space.enumerate(5)


def test_a_space_too_large_to_list_bounds_its_size() -> None:
    space = Space((whole("a", 1, 1000), whole("b", 1, 1000)), (ParameterConstraint(at(0), "<", at(1)),))
    assert (space.size, space.size_is_bound) == (1_000_000, True)


def test_a_play_without_dimensions_has_one_variant(rng: np.random.Generator) -> None:
    space = Space()
    assert space.size == 1
    assert space.sample(rng, 3).shape == space.repair(np.empty((3, 0)), rng).shape == (3, 0)
    assert space.enumerate(5).shape == (1, 0)
    assert space.valid(np.empty((2, 0))).tolist() == [True, True]
    assert space.encode({}).shape == (0,)


def test_genomes_of_another_width_are_refused(rng: np.random.Generator) -> None:
    space = Space((whole("a", 1, 4),))
    for call in (space.values, space.valid, lambda rows: space.repair(rows, rng)):
        with pytest.raises(errors.ShapeMismatch):
            call(np.zeros((2, 3)))
