"""Named features of bars: importing this package fills the catalogue."""

from __future__ import annotations

from coinswarm.indicators import averages, market_state, oscillators, ranges, structures, trends, volumes

__all__ = ["averages", "market_state", "oscillators", "ranges", "structures", "trends", "volumes"]
