"""Whatever the dimensions and constraints: what is drawn or repaired is valid, and a genome and its parameters are one thing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinswarm import play
from coinswarm.play.constraint import ParameterConstraint
from coinswarm.play.dimension import Dimension
from coinswarm.play.expressions import Arithmetic, Literal, Slot
from coinswarm.play.space import Space

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "plays" / "examples").glob("*.yml"))


@st.composite
def dimensions(draw: st.DrawFn, path: str) -> Dimension:
    kind = draw(st.sampled_from(["choice", "words", "int", "float", "grid"]))
    if kind == "choice":
        return Dimension.choice(path, tuple(draw(st.lists(st.integers(-50, 50).map(float), min_size=2, max_size=5, unique=True))))
    if kind == "words":
        return Dimension.choice(path, ("open", "close", "hlc3"))
    low = draw(st.integers(1, 40))
    width = draw(st.integers(1, 400))
    if kind == "int":
        step = draw(st.integers(1, min(width, 7)))
        return Dimension(
            path=path, kind="int", low=float(low), high=float(low + width // step * step), step=float(step), log=draw(st.booleans())
        )
    return Dimension(path=path, kind="float", low=low / 10, high=(low + width) / 10, step=0.1 if kind == "grid" else 0.0)


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    found = tuple(draw(dimensions(f"d{i}")) for i in range(draw(st.integers(1, 5))))
    numbers = [i for i, dimension in enumerate(found) if not any(isinstance(choice, str) for choice in dimension.choices)]
    side = st.one_of(
        st.integers(-5, 60).map(lambda value: Literal(float(value))),
        *([st.sampled_from(numbers).map(lambda i: Literal(Slot(i)))] if numbers else []),
    )
    expression = st.one_of(side, st.builds(Arithmetic, st.sampled_from(["+", "-", "*", "/", "%"]), side, side))
    rules = st.builds(ParameterConstraint, expression, st.sampled_from(["<", "<=", ">", ">=", "!="]), expression)
    return Space(found, tuple(draw(st.lists(rules, max_size=3))))


@settings(max_examples=120, deadline=None)
@given(spaces(), st.integers(0, 2**32 - 1))
def test_drawn_and_repaired_genomes_are_valid_and_valid_ones_are_kept(space: Space, seed: int) -> None:
    rng = np.random.default_rng(seed)
    if space.is_empty:
        return
    drawn = space.sample(rng, 20)
    wild = rng.uniform(-100, 500, drawn.shape)
    wild[::5] = np.nan
    assert space.valid(drawn).all()
    assert space.valid(space.repair(wild, rng)).all()
    assert np.array_equal(space.repair(drawn, rng), drawn)


@settings(max_examples=80, deadline=None)
@given(spaces(), st.integers(0, 2**32 - 1))
def test_a_genome_and_its_parameters_are_one_thing(space: Space, seed: int) -> None:
    if space.is_empty:
        return
    for genome in space.sample(np.random.default_rng(seed), 5):
        assert np.array_equal(space.encode(space.decode(genome)), genome)


@settings(max_examples=40, deadline=None)
@given(spaces(), st.integers(0, 2**32 - 1))
def test_the_same_seed_draws_the_same_genomes(space: Space, seed: int) -> None:
    if space.is_empty:
        return
    first, second = (Space(space.dimensions, space.constraints).sample(np.random.default_rng(seed), 9) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_examples_can_be_drawn_fixed_and_named(file: Path) -> None:
    family = play.load(file)
    play.check_runnable(family)
    assert 20 < family.space.size < 1_000_000
    genomes = family.space.sample(np.random.default_rng(3), 200)
    names = play.identities(family, genomes)
    rows = {genome.tobytes() for genome in genomes}
    assert len(set(names)) == len(rows)
    for genome, name in list(zip(genomes, names, strict=True))[::20]:
        assert play.identity(play.fix(family, genome)) == name
        assert np.array_equal(family.space.encode(family.space.decode(genome)), genome)
