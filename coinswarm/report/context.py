"""What a report says besides the simulation itself: where the variant comes from, how much was tried, and which part was held out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coinswarm.backtest.run import Backtest


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A stretch of time that is shaded on the charts and has a column of figures of its own.

    Attributes:
        name: what stands above its figures, such as `in sample`.
        start_ts, end_ts: milliseconds since 1970 UTC; the end is not part of it.
        metrics: its figures, by the names of `coinswarm.metrics.figures.FIGURES`.
        held_out: the search never saw it; its figures are shown first.
    """

    name: str
    start_ts: int
    end_ts: int
    metrics: Mapping[str, float]
    held_out: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class MarketReport:
    """One market of a report: the variant simulated over the whole span, and the segments that span is made of."""

    backtest: Backtest
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """Where a variant comes from. Whatever is None is shown as not recorded.

    Attributes:
        job_id, evaluation_id: as `coinswarm top` and `coinswarm replay` know them.
        variant: SHA-256 identity of the variant.
        parameters: what this variant sets, by path.
        data: content hash of each data set, by key.
        seed: of the run.
        code_version: of the code that computed it.
        trials: how many distinct variants were tried before this one was picked.
        synthetic: the prices were made, not traded.
    """

    job_id: str | None = None
    evaluation_id: str | None = None
    variant: str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None
    code_version: str | None = None
    trials: int | None = None
    synthetic: bool = False
