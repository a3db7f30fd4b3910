"""What can be asked of a count."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from cluster.jobs.options import Options
from cluster.jobs.settings import MAX_MARKETS, Campaign, JobSettings, Name
from cluster.jobs.typed import BARS, MARKETS


class CountRequest(JobSettings):
    """Count the bars of markets that rise: see `coinswarm count --help`."""

    kind: Literal["count"] = "count"
    markets: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_MARKETS, description="names of data sets")]
    pause_s: Annotated[float, Field(ge=0, le=60, description="seconds to rest after each market")] = 0.0
    campaign: Campaign = "default"


OPTIONS = Options(settings=CountRequest, options=(MARKETS, BARS))
