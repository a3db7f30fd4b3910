"""Which trades are made: trade k of a seed is the same trade in any process, drawn alone or among a million.

Its four random numbers are block k of a Philox stream (Salmon et al. 2011): hold, place, side and size. The hold follows its law; then
every pair of a market and a bar that allows this hold is as likely as any other, so a market that starts late or has gaps has fewer
trades, in proportion. A bar allows a hold when every feature is warm at its close and no bar is missing from it to the exit, which lies in
the data. Only additions, multiplications and divisions are used, which every machine rounds alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coinswarm import check, errors
from coinswarm.chaos import markets, naming
from coinswarm.chaos.markets import DescribedMarket
from coinswarm.chaos.settings import ChaosSettings
from coinswarm.kernels import outcomes
from coinswarm.ledger.chaos import ChaosFrame
from coinswarm.market import overlap
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.types import FloatArray, IntArray

_STREAM = 0x6368616F73
"""Tells these numbers from those that other parts draw of the same seed: "chaos"."""
_WORDS = 4


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class TradeSampler:
    """All trades that can be drawn.

    Attributes:
        settings: what was asked for.
        markets: described markets, in the order given.
        low: shortest hold in bars; `chances` (n_holds,) are running sums of the weights of `low`, `low + 1`, …
        owners, starts: (n_runs,) market and first bar of each run of bars, longest run first.
        sums: (n_runs + 1,) running sums of the lengths of runs.
        many: (n_holds,) how many of the runs allow each hold.
        pairs: (n_holds,) how many pairs of market and bar allow each hold.
    """

    settings: ChaosSettings
    markets: tuple[DescribedMarket, ...]
    low: int
    chances: FloatArray
    owners: IntArray
    starts: IntArray
    sums: IntArray
    many: IntArray
    pairs: IntArray

    @property
    def frame(self) -> ChaosFrame:
        """What all trades of this sampler share."""
        first = self.markets[0]
        return ChaosFrame(
            markets=tuple(market.bars.key for market in self.markets), features=tuple(map(str, first.names)), bar_ms=first.bars.timeframe.ms
        )

    def shares(self) -> FloatArray:
        """(n_markets,) chance of each market, averaged over the law of holds."""
        lengths = np.diff(self.sums)
        weights = np.diff(self.chances, prepend=0.0) / self.chances[-1]
        shares = np.zeros(len(self.markets))
        for place, weight in enumerate(weights.tolist()):
            room = np.maximum(lengths - 1 - (self.low + place), 0) / self.pairs[place]
            shares += weight * np.bincount(self.owners, weights=room, minlength=shares.size)
        return shares


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Drawn:
    """Trades as drawn, (n,) each; see `ChaosTrades`."""

    number: IntArray
    market: IntArray
    decision: IntArray
    hold: IntArray
    side: npt.NDArray[np.int8]
    size: FloatArray


def sampler(bars: Sequence[Bars], settings: ChaosSettings, others: Mapping[str, Bars] | None = None) -> TradeSampler:
    """The trade sampler of some markets: they are described, and the trades that can be drawn are counted.

    Args:
        bars: candles of each market, of one timeframe.
        settings: see `settings.make`.
        others: bars of markets that features name and that are not traded, by canonical symbol.

    Raises:
        InvalidArgument: there is no market, one stands twice, or they have different timeframes.
        SpanTooShort: a market allows no trade at all, or none allows the longest hold.
        NotFound: a feature names a market that is not here.
    """
    _check(bars)
    low, high = settings.hold_bars(bars[0].timeframe.ms)
    names = naming.described_by(settings.features)
    by_symbol = {market.symbol: market for market in bars} | dict(others or {})
    described = tuple(markets.describe(market, names, by_symbol, warmup_tolerance=settings.warmup_tolerance) for market in bars)
    owners = np.repeat(np.arange(len(bars), dtype=np.int64), [market.starts.size for market in described])
    starts, lengths = np.concatenate([market.starts for market in described]), np.concatenate([market.lengths for market in described])
    order = np.argsort(-lengths, kind="stable")
    sums = np.r_[0, np.cumsum(lengths[order])].astype(np.int64)
    holds = np.arange(low, high + 1, dtype=np.int64)
    many = np.searchsorted(-lengths[order], -(holds + 2), side="right").astype(np.int64)
    made = TradeSampler(
        settings=settings, markets=described, low=low, chances=_chances(holds, settings.hold_law),
        owners=owners[order], starts=starts[order], sums=sums, many=many, pairs=sums[many] - many * (holds + 1),
    )  # fmt: skip
    _refuse_short(made, by_symbol)
    return made


def draw(sampler: TradeSampler, start: int, stop: int) -> Drawn:
    """Trades `start` to `stop` of the sampler's seed.

    Raises:
        InvalidArgument: `start` is below 0 or `stop` below `start`.
    """
    check.at_least(start, "the first trade", 0)
    check.at_least(stop, "the end of trades", start)
    chance = uniforms(sampler.settings.seed, start, stop)
    row = np.searchsorted(sampler.chances, chance[:, 0] * sampler.chances[-1], side="right")
    row = np.minimum(row, sampler.chances.size - 1)
    hold = sampler.low + row.astype(np.int64)
    place = np.minimum((chance[:, 1] * sampler.pairs[row]).astype(np.int64), sampler.pairs[row] - 1)
    run, decision = np.empty(hold.size, dtype=np.int64), np.empty(hold.size, dtype=np.int64)
    outcomes.settle(sampler.sums, sampler.starts, sampler.many[row], hold, place, run, decision)
    least, largest = sampler.settings.size
    return Drawn(
        number=np.arange(start, stop, dtype=np.int64),
        market=sampler.owners[run],
        decision=decision,
        hold=hold,
        side=_sides(sampler.settings.side, chance[:, 2]),
        size=least + chance[:, 3] * (largest - least),
    )


def uniforms(seed: int, start: int, stop: int) -> FloatArray:
    """(stop - start, 4) numbers in [0, 1); row k - start depends on the seed and k alone."""
    key = np.random.SeedSequence([_STREAM, seed]).generate_state(2, np.uint64)
    raw = np.random.Philox(key=key, counter=start).random_raw(_WORDS * (stop - start))
    return (raw >> np.uint64(11)).astype(np.float64).reshape(-1, _WORDS) * 2.0**-53


def _sides(side: str, chance: FloatArray) -> npt.NDArray[np.int8]:
    if side == "both":
        return np.where(chance < 0.5, 1, -1).astype(np.int8)
    return np.full(chance.size, 1 if side == "long" else -1, dtype=np.int8)


def _chances(holds: IntArray, law: str) -> FloatArray:
    return np.cumsum(1.0 / holds if law == "log" else np.ones(holds.size))


def _check(bars: Sequence[Bars]) -> None:
    if not bars:
        raise errors.InvalidArgument("chaos trades need a market", found="none", hint="name one, such as BTC/USDT")
    keys = [market.key for market in bars]
    if len(set(keys)) < len(keys):
        raise errors.InvalidArgument("each market is named once", found=", ".join(keys))
    lengths = sorted({market.timeframe for market in bars})
    if len(lengths) > 1:
        raise errors.InvalidArgument("markets of one job share a timeframe", found=", ".join(map(str, lengths)), hint="draw them apart")


def _refuse_short(sampler: TradeSampler, by_symbol: Mapping[str, Bars]) -> None:
    for market in sampler.markets:
        longest = int(market.lengths.max(initial=0))
        if longest < sampler.low + 2:
            raise errors.SpanTooShort(
                f"{market.bars.key} allows no trade: once {market.slowest} is warm it needs {sampler.low + 2} bars in a row",
                found=f"{longest} of {len(market.bars)}",
                hint="leave it out, widen the span, hold shorter, or describe trades by features that are warm sooner"
                + _apart(market, by_symbol),
            )
    if sampler.pairs[-1] == 0:
        high, longest_run = sampler.low + sampler.pairs.size - 1, int(np.diff(sampler.sums).max())
        bar_ms = sampler.markets[0].bars.timeframe.ms
        raise errors.SpanTooShort(
            f"a hold of {high} bars needs {high + 2} warm bars in a row in some market",
            found=longest_run,
            hint=f"hold at most {Timeframe(max(1, longest_run - 2) * bar_ms)}, or widen the span",
        )


def _apart(market: DescribedMarket, by_symbol: Mapping[str, Bars]) -> str:
    """Which market begins when, where a feature is of another market that does not begin with this one."""
    others = sorted({name.market for name in market.names if name.market is not None} - {market.bars.symbol})
    looked_at = [by_symbol[symbol] for symbol in others if len(by_symbol[symbol])]
    common = overlap.of([market.bars, *looked_at])
    return "" if common.alike else f"; {common.text}"
