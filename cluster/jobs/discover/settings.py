"""What can be asked of a search for patterns."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from cluster.jobs.options import Option, Options
from cluster.jobs.settings import MAX_JOBS, Campaign, JobName, JobSettings
from coinswarm.patterns.settings import DiscoverSettings


class DiscoverRequest(JobSettings):
    """Search patterns among the trades of chaos jobs: see `coinswarm patterns discover --help`."""

    kind: Literal["discover"] = "discover"
    jobs: Annotated[tuple[JobName, ...], Field(max_length=MAX_JOBS, description="chaos jobs; none: all that the campaign has")] = ()
    campaign: Campaign = "default"
    settings: DiscoverSettings = DiscoverSettings()


OPTIONS = Options(
    settings=DiscoverRequest,
    panel="Search",
    options=(
        Option(names=("--job", "-j"), fills=("jobs",), help="A chaos job whose trades are searched; repeat for several."),
        Option(names=("--campaign",), fills=("campaign",), help="All finished chaos jobs of this campaign, where no job is named."),
        Option(names=("--depth",), fills=("settings.depth",),
               help="Conditions a pattern may have; every one up to 3, a beam beyond, at most 5."),
        Option(names=("--bins",), fills=("settings.bins",), help="Parts that each feature is cut into."),
        Option(names=("--feature", "-f"), fills=("settings.features",), help="Condition on these features only; repeat for several."),
        Option(names=("--seed",), fills=("settings.seed",), help="The same seed gives the same sign flips and verdicts."),
        Option(names=("--embargo-bars",), fills=("settings.embargo_bars",),
               help="Bars skipped before confirmation; else the longest hold."),
    ),
)  # fmt: skip
