"""`coinswarm submit`: hand a search to the driver service, here or elsewhere, with the options of `coinswarm evolve`."""

from __future__ import annotations

import inspect
from typing import Any

from cluster.cli import evolve

_OF_A_RUN = ("workers", "address", "estimate", "detach")
"""Options of a run that is driven by the command itself."""


def command(**given: Any) -> None:
    """Hand a search in; a driver service (`coinswarm serve`) runs it when its turn comes."""
    evolve.command(**given, queued=True)


def _options() -> inspect.Signature:
    known = inspect.signature(evolve.command, eval_str=True)
    return known.replace(parameters=[each for name, each in known.parameters.items() if name not in (*_OF_A_RUN, "queued")])


command.__signature__ = _options()  # type: ignore[attr-defined]
command.__annotations__ = {}
