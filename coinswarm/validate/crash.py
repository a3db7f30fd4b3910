"""A flash crash at the worst time: the price moves against an open position by a fifth, in one bar, over ten bars, or in a gap.

Each moment is tried on the real bars up to it, with the fall put in and the prices left down there. The fall in one bar runs through all
prices between, so a stop can fill; in the gap the next bar opens where the fall ends, and nothing fills on the way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from coinswarm import errors
from coinswarm.kernels.codes import Reason
from coinswarm.market.bars import Bars
from coinswarm.market.splits import Span
from coinswarm.types import FloatArray
from coinswarm.validate import names
from coinswarm.validate.bench import Bench
from coinswarm.validate.card import Section, Table
from coinswarm.validate.curves import MarketHistory
from coinswarm.validate.spans import portfolio_of

SIZE = 0.2
KINDS = {"one_bar": (1, False), "ten_bars": (10, False), "gap": (1, True)}
_AFTER = 30
_STOPPING = (Reason.STOP, Reason.LIQUIDATION, Reason.ACCOUNT_STOP)


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """A bar at whose beginning a position is open."""

    market: int
    bar: int
    side: int
    exposure: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Shock:
    """What became of the account: its fall since the close before, and whether a stop closed the position."""

    moment: Moment
    kind: str
    fall: float
    stopped: bool


def section(bench: Bench) -> Section:
    """The worst of all moments tried, over train and validation."""
    portfolio = portfolio_of(bench, bench.case.splits.whole)
    moments = [moment for number, history in enumerate(portfolio.markets) for moment in worst_moments(bench, number, history)]
    if not moments:
        raise errors.SpanTooShort("a crash needs an open position", found="no trade in train and validation")
    shocks = [shock(bench, moment, kind) for moment in moments for kind in KINDS]
    worst = {kind: max((one for one in shocks if one.kind == kind), key=lambda one: one.fall) for kind in KINDS}
    stopping = [one.stopped for one in shocks if one.kind != "gap"]
    figures = {
        **{f"drawdown_{kind}": one.fall for kind, one in worst.items()},
        **{f"stop_fired_{kind}": float(worst[kind].stopped) for kind in ("one_bar", "ten_bars")},
        "stop_rate": float(np.mean(stopping)),
        "exposure": worst["one_bar"].moment.exposure,
        "n_moments": float(len(moments)),
    }
    rows = tuple(_row(bench, kind, one) for kind, one in worst.items())
    table = Table(title="The worst moment of each kind", head=("fall", "market", "bar", "side", "exposure", "drawdown", "stop fired"),
                  rows=rows, units=("", "", "", "", "", "percent", ""))  # fmt: skip
    note = (
        f"{SIZE:.0%} against the position: a fall for a long, a rise for a short. Tried at the largest exposures and the largest open "
        f"gains of each market. Drawdown is of that market's account, since the close before, within {_AFTER} bars."
    )
    return Section(name="crash", title=names.TITLES["crash"], figures=figures, tables=(table,), notes=(note,))


def worst_moments(bench: Bench, market: int, history: MarketHistory) -> list[Moment]:
    """Bars at which most is at stake: the beginning and the best price of the trades with the largest exposure and open gain."""
    trades = history.trades
    if not trades.entry.size:
        return []
    n = bench.case.effort.moments
    best = np.array([_open_gain(history, number) for number in range(trades.entry.size)])
    chosen = dict.fromkeys(
        [*np.argsort(-trades.notional, kind="stable")[:n].tolist(), *np.argsort(-best[:, 1], kind="stable")[:n].tolist()]
    )
    bars = {(int(trades.entry[number]) + 1, number) for number in chosen} | {(int(best[number, 0]) + 1, number) for number in chosen}
    return [
        Moment(market=market, bar=bar, side=int(trades.side[number]), exposure=float(trades.notional[number]))
        for bar, number in sorted(bars)
        if trades.entry[number] < bar <= trades.exit[number] and bar < len(history.bars) - 1
    ]


def shock(bench: Bench, moment: Moment, kind: str) -> Shock:
    """Put one fall into the bars at one moment and run the variant into it."""
    bars, whole = bench.case.markets[moment.market], bench.case.splits.whole
    length, gap = KINDS[kind]
    fallen = crashed(bars[: moment.bar + length + _AFTER], moment.bar, length, side=moment.side, gap=gap)
    span = Span(start_ts=whole.start_ts, end_ts=int(fallen.close_ts[-1]))
    after = bench.history(bench.scorer(fallen, span, play=bench.case.play))
    before = float(after.equity[moment.bar - 1])
    fall = max(0.0, 1 - float(after.equity[moment.bar :].min()) / before) if before > 0 else 1.0
    touched = (after.trades.entry < moment.bar) & (after.trades.exit >= moment.bar) & (after.trades.exit < moment.bar + length)
    return Shock(moment=moment, kind=kind, fall=fall, stopped=bool(np.isin(after.trades.reason[touched], _STOPPING).any()))


def crashed(bars: Bars, at: int, length: int, *, side: int, gap: bool = False, size: float = SIZE) -> Bars:
    """Bars in which prices move by `size` against a side from bar `at` on, within `length` bars, and stay there.

    Args:
        bars: real ones.
        at: the first bar of the fall, at least 1.
        length: bars it takes.
        side: +1 for a long: prices fall; -1 for a short: they rise.
        gap: the first bar opens at the end of the fall.
        size: fraction of the price, in (0, 1).

    Returns:
        The same times and volumes; bars before `at` are untouched.
    """
    goal = 1 - side * size
    steps = goal ** (np.arange(1, length + 1) / length)
    start = float(bars.close[at - 1])
    columns = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close")}
    closes = start * steps
    opens = np.concatenate([[start * goal if gap else start], closes[:-1]])
    end = min(at + length, len(bars))
    n = end - at
    columns["open"][at:end], columns["close"][at:end] = opens[:n], closes[:n]
    columns["high"][at:end], columns["low"][at:end] = np.maximum(opens, closes)[:n], np.minimum(opens, closes)[:n]
    if end < len(bars):
        scale = closes[-1] / float(bars.close[end - 1])
        for column in columns.values():
            column[end:] *= scale
    return replace(bars, **columns)


def _open_gain(history: MarketHistory, number: int) -> tuple[int, float]:
    """The bar at which a trade was furthest ahead, and by how much of its price."""
    first, last = int(history.trades.entry[number]), int(history.trades.exit[number])
    close = history.bars.close[first : max(last, first + 1)]
    moves: FloatArray = history.trades.side[number] * (close / history.bars.open[first] - 1)
    best = int(moves.argmax())
    return first + best, float(moves[best])


def _row(bench: Bench, kind: str, one: Shock) -> tuple[str | float | bool, ...]:
    bars = bench.case.markets[one.moment.market]
    when = str(np.datetime64(int(bars.ts[one.moment.bar]), "ms").astype("datetime64[m]")).replace("T", " ")
    words = {"one_bar": "in one bar", "ten_bars": "over ten bars", "gap": "as a gap"}
    side = "long" if one.moment.side > 0 else "short"
    return words[kind], bars.key, when, side, one.moment.exposure, one.fall, one.stopped
