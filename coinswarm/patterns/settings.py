"""How a search for patterns is done: everything that decides its result, with the data and the seed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from coinswarm.config import Settings


class DiscoverSettings(Settings):
    """What is tried, what is refused, and how belief is spent."""

    depth: Annotated[int, Field(ge=1, le=5, description="conditions a pattern may have; beyond 3 a beam is searched")] = 3
    bins: Annotated[int, Field(ge=2, le=20, description="parts that each feature is cut into, by quantiles of the discovery segment")] = 5
    hold_bins: Annotated[
        int, Field(ge=1, le=20, description="hold bands, by quantiles; also the buckets that expectations are taken in")
    ] = 5
    features: Annotated[tuple[str, ...], Field(description="features that may be conditions; none: all")] = ()
    min_trades: Annotated[int, Field(ge=10, description="trades a pattern must have to be tested")] = 100
    min_active: Annotated[int, Field(ge=10, description="independent blocks of time a pattern must have trades in")] = 30
    min_blocks: Annotated[int, Field(ge=20, description="independent blocks of time below which a search is refused")] = 70
    alpha: Annotated[float, Field(gt=0, lt=0.5, description="family-wise level of the search and rate of the library")] = 0.05
    flips: Annotated[int, Field(ge=99, le=99_999, description="sign flips behind the family-wise p")] = 999
    confirm_share: Annotated[float, Field(ge=0, le=0.8, description="share of time, at the end, kept back to confirm on")] = 0.3
    embargo_bars: Annotated[int, Field(ge=0, description="bars skipped before confirmation; none: the longest hold")] | None = None
    beam: Annotated[int, Field(ge=1, le=100_000, description="conjunctions that are taken a condition deeper beyond depth 3")] = 200
    max_candidates: Annotated[int, Field(ge=1, le=1000, description="patterns that may go to confirmation")] = 20
    procedure: Annotated[Literal["lond", "lord++"], Field(description="how alpha is spent over the life of the library")] = "lond"
    seed: Annotated[int, Field(ge=0)] = 0
