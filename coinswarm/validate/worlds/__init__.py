"""Made-up worlds on which the machinery is judged: null worlds where nothing may be found, planted ones where something must be.

`make("N3", bars, seed=1)` gives markets that every other part of the project accepts.
"""

from __future__ import annotations

from coinswarm.validate.worlds.families import FAMILIES, NULLS, Family, family, make
from coinswarm.validate.worlds.planted import Plant

__all__ = ["FAMILIES", "NULLS", "Family", "Plant", "family", "make"]
