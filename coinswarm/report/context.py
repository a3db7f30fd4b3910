"""What a report says besides the simulation itself: where the variant comes from, how much was tried, and which part was held out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from coinswarm.config import Account, Costs
from coinswarm.market.bars import Bars
from coinswarm.metrics.figures import Status
from coinswarm.types import FloatArray

if TYPE_CHECKING:
    import polars as pl

    from coinswarm.play.model import Play
    from coinswarm.play.warmth import WarmUp


class Simulated(Protocol):
    """What a report needs of a `coinswarm.backtest.Backtest`; see there for shapes and units."""

    @property
    def play(self) -> Play:
        """The play with every number fixed."""

    @property
    def bars(self) -> Bars:
        """What it was simulated on."""

    @property
    def start(self) -> int:
        """The first bar on which a decision was possible."""

    @property
    def warm_up(self) -> WarmUp:
        """The wait for its slowest feature."""

    @property
    def trades(self) -> pl.DataFrame:
        """One row a position."""

    @property
    def equity(self) -> FloatArray:
        """(n_bars,) account value at bar close, in quote currency."""

    @property
    def metrics(self) -> Mapping[str, float]:
        """Figures by name."""

    @property
    def status(self) -> Status:
        """What became of it."""

    @property
    def reason(self) -> str:
        """Why there is nothing to see; empty otherwise."""

    @property
    def costs(self) -> Costs:
        """What trading cost."""

    @property
    def account(self) -> Account:
        """What it was traded with."""


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

    backtest: Simulated
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
