"""One variant of a play as a person names it: parameters that are set, and a rule for those that are left open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coinswarm import errors, play
from coinswarm.play.dimension import Value
from coinswarm.types import FloatArray


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """A variant that was picked: its play, its parameters by name, its identity."""

    play: play.Play
    parameters: Mapping[str, Value]
    identity: str


def choose(wanted: play.Play, settings: Sequence[str], variant: str | None) -> Variant:
    """The variant that `NAME=VALUE` settings name; what they leave open comes from `variant`.

    Args:
        wanted: a play, with or without dimensions.
        settings: `NAME=VALUE` texts.
        variant: `first`, `middle` or `random:SEED`; None: everything must be set.

    Raises:
        InvalidArgument: a parameter is left open, or outside its values.
        NotFound: a name is no parameter that the play leaves open.
    """
    values = dict(_setting(text) for text in settings)
    _require_known(wanted, values)
    for dimension in wanted.space.dimensions:
        if dimension.path in values:
            dimension.encode(values[dimension.path])
    base = None if variant is None else _base(wanted, variant)
    left = [dimension for dimension in wanted.space.dimensions if dimension.path not in values]
    if left and base is None:
        example = " ".join(f"--set {dimension.path}={wanted.space.decode(_base(wanted, 'first'))[dimension.path]}" for dimension in left)
        named = "; ".join(f"{dimension.path} ({dimension.text()})" for dimension in left)
        raise errors.InvalidArgument(
            f"{wanted.name} leaves parameters open: {named}", hint=f"{example}, or --variant first, middle or random:SEED"
        )
    genome = wanted.space.encode(values, base)
    fixed = play.fix(wanted, genome)
    return Variant(play=fixed, parameters=wanted.space.decode(genome), identity=play.identity(fixed))


def _require_known(wanted: play.Play, names: Iterable[str]) -> None:
    paths = [dimension.path for dimension in wanted.space.dimensions]
    for name in names:
        if name not in paths:
            raise errors.not_found(f"open parameter of {wanted.name}", name, paths)


def _setting(text: str) -> tuple[str, Value]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise errors.InvalidArgument("--set takes NAME=VALUE", found=repr(text), hint="--set ema_fast.length=8")
    return name.strip(), _value(value.strip())


def _value(text: str) -> Value:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return float(text)
    except ValueError:
        return text


def _base(wanted: play.Play, variant: str) -> FloatArray:
    """(n_dims,) the genome that `first`, `middle` or `random:SEED` stands for."""
    space = wanted.space
    kind, _, seed = variant.partition(":")
    if kind == "random" and seed.isdecimal():
        return space.sample(np.random.default_rng(int(seed)), 1)[0]
    places = {"first": 0.0, "middle": 0.5}
    if variant not in places:
        raise errors.InvalidArgument("--variant must be first, middle or random:SEED", found=repr(variant))
    genome = np.array([[entry.low + places[variant] * (entry.high - entry.low) for entry in space.dimensions]])
    return space.repair(genome, np.random.default_rng(0))[0]
