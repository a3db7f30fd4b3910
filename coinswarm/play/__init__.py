"""The play language: a strategy as data, the space of its variants, and the identity of each."""

from coinswarm.play.canonical import template as canonical_template
from coinswarm.play.dimension import Dimension
from coinswarm.play.model import Play
from coinswarm.play.reader import load, loads
from coinswarm.play.runs import check_runnable, one_side, with_run, with_tolerance
from coinswarm.play.space import Space
from coinswarm.play.variants import fix, identities, identity

__all__ = [
    "Dimension",
    "Play",
    "Space",
    "canonical_template",
    "check_runnable",
    "fix",
    "identities",
    "identity",
    "load",
    "loads",
    "one_side",
    "with_run",
    "with_tolerance",
]
