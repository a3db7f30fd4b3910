"""Chaos trades as columns, what a job's trades have in common, and the contract of a store that keeps them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from coinswarm import errors
from coinswarm.ledger.records import GenerationRecord, Job, Json, Lease
from coinswarm.types import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    import polars as pl

COLUMNS = (
    "market", "side", "decision", "hold", "entry_ts", "exit_ts", "entry_price", "exit_price", "size", "gross", "net", "fees", "slippage",
    "funding", "volatility", "reason", "state", "exit_state",
)  # fmt: skip
"""Every column of `ChaosTrades` but its number, in the order of `ChaosTrades`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChaosFrame:
    """What all trades of a job share.

    Attributes:
        markets: data set keys; `ChaosTrades.market` counts in them.
        features: canonical names of the columns of `state` and `exit_state`.
        bar_ms: length of a bar, milliseconds.
    """

    markets: tuple[str, ...]
    features: tuple[str, ...]
    bar_ms: int


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class ChaosTrades:
    """Random trades and what became of them, one a row; n trades.

    Attributes:
        markets: data set keys.
        features: names of the columns of `state`, in catalogue syntax, such as `momentum(5)` or `rsi(14)@1h`.
        bar_ms: length of a bar, milliseconds.
        number: (n,) which trade of the draw it is, from 0.
        market: (n,) index into `markets`.
        side: (n,) int8, +1 long and -1 short.
        decision: (n,) bar of the market at whose close the trade is decided; it is filled at the open of the next.
        hold: (n,) bars from the entry bar to the one at whose open it is closed, as drawn.
        entry_ts, exit_ts: (n,) open times of those bars, milliseconds since 1970 UTC; of a liquidation, that of its bar.
        entry_price, exit_price: (n,) fills, slippage included.
        size: (n,) notional at the entry, quote currency.
        gross: (n,) result before all costs, as a fraction of the notional.
        net: (n,) `gross - fees - slippage - funding`, as a fraction of the notional: what `backtest` calls `return`.
        fees, slippage, funding: (n,) paid, as fractions of the notional; negative funding was received.
        volatility: (n,) `volatility(20)` at the decision, as a fraction a bar.
        reason: (n,) int8, `kernels.codes.Reason`: MAX_HOLD, or LIQUIDATION for a short whose price doubled.
        state: (n, n_features) known at the close of the decision bar; NaN where a feature has no value.
        exit_state: (n, n_features) float32, known when it was closed: at the close of the bar before the exit. Never a condition for an
            entry.
    """

    markets: tuple[str, ...]
    features: tuple[str, ...]
    bar_ms: int
    number: IntArray
    market: IntArray
    side: npt.NDArray[np.int8]
    decision: IntArray
    hold: IntArray
    entry_ts: IntArray
    exit_ts: IntArray
    entry_price: FloatArray
    exit_price: FloatArray
    size: FloatArray
    gross: FloatArray
    net: FloatArray
    fees: FloatArray
    slippage: FloatArray
    funding: FloatArray
    volatility: FloatArray
    reason: npt.NDArray[np.int8]
    state: FloatArray
    exit_state: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return int(self.number.size)

    @property
    def frame(self) -> ChaosFrame:
        """What these trades share with all of their job."""
        return ChaosFrame(markets=self.markets, features=self.features, bar_ms=self.bar_ms)

    @property
    def gross_sigmas(self) -> FloatArray:
        """(n,) `gross` over the deviation that `hold` bars have at the volatility of the decision; NaN where that is 0."""
        return self._sigmas(self.gross)

    @property
    def net_sigmas(self) -> FloatArray:
        """(n,) `net` over the deviation that `hold` bars have at the volatility of the decision; NaN where that is 0."""
        return self._sigmas(self.net)

    def feature(self, name: str) -> FloatArray:
        """(n,) one column of `state`.

        Raises:
            NotFound: the trades are not described by it.
        """
        if name not in self.features:
            raise errors.not_found("feature of these trades", name, self.features)
        return self.state[:, self.features.index(name)]

    def select(self, rows: IntArray | BoolArray | slice) -> ChaosTrades:
        """The trades of some rows, in that order."""
        return replace(self, number=self.number[rows], **{name: getattr(self, name)[rows] for name in COLUMNS})

    def to_polars(self) -> pl.DataFrame:
        """One row a trade: market, side and reason in words, times in UTC, each feature under its name and, at the exit, as `exit NAME`."""
        import polars as pl

        from coinswarm.kernels.codes import Reason

        words: dict[str, Any] = {
            "number": self.number,
            "market": pl.Series(np.array(self.markets, dtype=object)[self.market], dtype=pl.String),
            "side": pl.Series(np.where(self.side > 0, "long", "short"), dtype=pl.String),
            "reason": pl.Series([Reason(code).name.lower() for code in self.reason.tolist()], dtype=pl.String),
        }
        times = {name: pl.Series(getattr(self, name)).cast(pl.Datetime("ms", "UTC")) for name in ("entry_ts", "exit_ts")}
        plain = {name: getattr(self, name) for name in COLUMNS if name not in {*words, *times, "state", "exit_state"}}
        known = {name: self.state[:, place] for place, name in enumerate(self.features)}
        later = {f"exit {name}": self.exit_state[:, place] for place, name in enumerate(self.features)}
        sigmas = {"gross_sigmas": self.gross_sigmas, "net_sigmas": self.net_sigmas}
        table = pl.DataFrame({**words, **times, **plain, **sigmas, **known, **later})
        return table.with_columns(pl.col(pl.Float64, pl.Float32).fill_nan(None))

    def _sigmas(self, result: FloatArray) -> FloatArray:
        spread = self.volatility * np.sqrt(self.hold)
        return np.divide(result, spread, out=np.full(len(self), np.nan), where=spread > 0)


def concatenate(parts: Sequence[ChaosTrades]) -> ChaosTrades:
    """Trades of one frame, one part after the other.

    Raises:
        InvalidArgument: there is no part, or they differ in markets, features or bars.
    """
    if not parts or len({part.frame for part in parts}) > 1:
        raise errors.InvalidArgument("parts of chaos trades share markets, features and bars", found=f"{len(parts)} parts")
    joined: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ("number", *COLUMNS)}
    return replace(parts[0], **joined)


def empty(frame: ChaosFrame) -> ChaosTrades:
    """No trades of that frame."""
    width = len(frame.features)
    whole: dict[str, Any] = {name: np.empty(0, np.int64) for name in ("number", "market", "decision", "hold", "entry_ts", "exit_ts")}
    small: dict[str, Any] = {name: np.empty(0, np.int8) for name in ("side", "reason")}
    states: dict[str, Any] = {"state": np.empty((0, width)), "exit_state": np.empty((0, width), np.float32)}
    floats: dict[str, Any] = {name: np.empty(0) for name in COLUMNS if name not in {*whole, *small, *states}}
    return ChaosTrades(markets=frame.markets, features=frame.features, bar_ms=frame.bar_ms, **whole, **small, **states, **floats)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChaosSummary:
    """One job's trades in a line: how many, how many won, and means of what they made, as fractions; NaN without trades."""

    job: str
    campaign: str
    trades: int
    markets: int
    win_rate: float
    gross: float
    net: float


SUMS = {"win_rate": "wins", "gross": "gross", "net": "net"}
"""Means of a summary, by the figure of a step's record that holds the sum of it."""


def figures(trades: ChaosTrades) -> Json:
    """What the record of a step says of its trades: sums, and a hash over every number of them."""
    digest = hashlib.sha256()
    for name in ("number", *COLUMNS):
        digest.update(np.ascontiguousarray(getattr(trades, name)).data)
    sums = {"wins": int((trades.net > 0).sum()), "gross": float(trades.gross.sum()), "net": float(trades.net.sum())}
    return {"trades": len(trades), **sums, "hash": digest.hexdigest()}


def no_trades(job: Job) -> errors.NotFound:
    """What is raised of a job without chaos trades."""
    why = "none was drawn yet, or they were dropped" if job.kind == "chaos" else f"it is of kind {job.kind}"
    return errors.NotFound(f"job {job.id} has no chaos trades: {why}", hint="`coinswarm chaos list` shows which have")


class ChaosStore(Protocol):
    """Keeps the trades of chaos jobs. Every call is one transaction; a job must be in the `Store` of the same database.

    Concurrency: `commit` checks the lease and stores record and trades at once or not at all, so a killed driver leaves whole steps only,
    and a step that is committed again changes nothing.
    """

    def prepare(self, job: str, frame: ChaosFrame) -> None:
        """Make room for a job's trades; doing it again with the same frame changes nothing.

        Raises:
            Conflict: the job's trades have another frame. NotFound: there is no such job.
        """

    def commit(self, lease: Lease, record: GenerationRecord, trades: ChaosTrades) -> bool:
        """Store a step's trades with its record; False: that step was there and nothing changed.

        Raises:
            Conflict: the lease is not held, the step is stored with another state, or the trades are not of the job's frame.
            NotFound: `prepare` was not called.
        """

    def frame(self, job: str) -> ChaosFrame:
        """What all trades of a job share; by a prefix of its id too.

        Raises:
            NotFound: there is no such job, or it has no chaos trades.
        """

    def trades(self, job: str) -> ChaosTrades:
        """Every trade of a job in order of number; by a prefix of its id too.

        Raises:
            NotFound: there is no such job, or it has no chaos trades.
        """

    def count(self, job: str) -> int:
        """How many trades of a job are stored, counted row by row; by a prefix of its id too.

        Raises:
            NotFound: there is no such job, or it has no chaos trades.
        """

    def summaries(self, *, campaign: str | None = None, limit: int = 100) -> tuple[ChaosSummary, ...]:
        """Jobs that have chaos trades, newest first."""

    def drop(self, job: str) -> None:
        """Forget the trades of a job; the job itself and its record of trials stay. Repeating it changes nothing.

        Raises:
            NotFound: there is no such job. Conflict: it is being driven.
        """


def row_bytes(frame: ChaosFrame) -> int:
    """About how many bytes a stored trade takes in a database, its index included: 305 measured with the base features alone."""
    return 210 + 12 * len(frame.features)


def check_frame(job: str, stored: ChaosFrame, given: ChaosFrame) -> None:
    """Raise `Conflict` when trades have other markets, features or bars than those of the job."""
    if stored != given:
        raise errors.Conflict(f"the chaos trades of {job} share markets, features and bars", found=given, hint="start a new job")
