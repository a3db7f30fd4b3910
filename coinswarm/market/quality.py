"""Can these candles be trusted? What is broken is refused on import; what is only odd is reported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from coinswarm import errors
from coinswarm.market.bars import COLUMNS, Bars
from coinswarm.market.timeframe import DAY_MS, Timeframe
from coinswarm.types import BoolArray, FloatArray, IntArray

PRICES = ("open", "high", "low", "close")
OUTLIER_DEVIATIONS = 40.0
"""Robust deviations from which a move is called an outlier: real 5-minute bars of 2024 pass 20 about once in 3,000 bars."""
_FLIP_FACTOR = 100.0
_FLIP_WINDOW = 24
_FLIP_NEARNESS = 3.0
_SHOWN = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class QualityFinding:
    """One kind of trouble in a data set, with where it happens.

    Attributes:
        kind: a word for it, such as `gap`, `duplicate` or `order`.
        text: a sentence on it.
        broken: such bars are refused; otherwise this is only odd.
        count: how often it happens.
        rows: the first few bars that show it, counted from 0.
        times: their open times, milliseconds since 1970 UTC.
        about_time: it concerns the times, not the numbers.
    """

    kind: str
    text: str
    broken: bool = True
    count: int = 1
    rows: tuple[int, ...] = ()
    times: tuple[int, ...] = ()
    about_time: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class QualityReport:
    """What a check of bars found.

    Attributes:
        key: the data set.
        n_bars: how many bars were looked at.
        findings: what is broken first, then what is odd.
        synthetic: the bars were made, not traded.
    """

    key: str
    n_bars: int
    findings: tuple[QualityFinding, ...]
    synthetic: bool = False

    @property
    def broken(self) -> tuple[QualityFinding, ...]:
        """Findings for which bars are refused."""
        return tuple(finding for finding in self.findings if finding.broken)

    @property
    def odd(self) -> tuple[QualityFinding, ...]:
        """Findings that are only reported."""
        return tuple(finding for finding in self.findings if not finding.broken)


def check(bars: Bars) -> QualityReport:
    """Look for gaps, duplicates, disorder, impossible candles, missing numbers, zero volume, flat bars and outliers.

    Args:
        bars: (n_bars,) as read; nothing is assumed about order or values.

    Returns:
        All findings, broken ones first.
    """
    broken = [*_times(bars), *_numbers(bars), *_candles(bars), *_funding(bars)]
    odd = [] if broken else [*_gaps(bars), *_activity(bars), *_outliers(bars), *_volume_units(bars)]
    return QualityReport(key=bars.key, n_bars=len(bars), findings=(*broken, *odd), synthetic=bars.synthetic)


def require(bars: Bars, *, name: str = "") -> QualityReport:
    """Check bars and refuse broken ones.

    Args:
        bars: (n_bars,) as read.
        name: what to call them in the message; their key unless given.

    Raises:
        BadTimestamps: only the times are broken.
        BadBars: anything else is broken, or there are no bars.
    """
    report = check(bars)
    if report.broken:
        raise refusal(name or bars.key, report.broken)
    return report


def refusal(name: str, findings: Iterable[QualityFinding], *, first_row: int = 1, unit: str = "row", hint: str = "") -> errors.BadBars:
    """One error that tells every finding, with rows counted as the reader of the file counts them.

    Args:
        name: file or data set.
        findings: what is broken.
        first_row: number of the first bar in the file, 1 for the first row.
        unit: `row` or `line`.
        hint: what to do about it.
    """
    found = tuple(findings)
    lines = [f"  - {finding.text}{_places(finding, first_row, unit)}" for finding in found]
    plural = "problem" if len(found) == 1 else "problems"
    kind = errors.BadTimestamps if all(finding.about_time for finding in found) else errors.BadBars
    return kind("\n".join([f"{name} has {len(found)} {plural}:", *lines]), hint=hint)


def _places(finding: QualityFinding, first_row: int, unit: str) -> str:
    if not finding.rows:
        return ""
    times = finding.times or (None,) * len(finding.rows)
    when = ["" if ts is None else f" ({moment(ts)})" for ts in times]
    shown = [f"{unit} {row + first_row}{time}" for row, time in zip(finding.rows, when, strict=True)]
    more = f" and {finding.count - len(shown)} more" if finding.count > len(shown) else ""
    return f": {', '.join(shown)}{more}"


def moment(ts: int) -> str:
    """A time in milliseconds since 1970 UTC as text; the number itself when no calendar holds it."""
    try:
        return datetime.fromtimestamp(ts / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return str(ts)


def at_rows(kind: str, text: str, mask: BoolArray, ts: IntArray, *, broken: bool = True, about_time: bool = False) -> list[QualityFinding]:
    """A finding at the bars where `mask` is true, or nothing when it is nowhere true.

    Args:
        kind: a word for it.
        text: a sentence in which `{n}` becomes the count and `{s}` a plural s.
        mask: (n_bars,) where it happens.
        ts: (n_bars,) open times in milliseconds.
        broken: such bars are refused.
        about_time: it concerns the times, not the numbers.
    """
    rows = np.flatnonzero(mask)
    if not rows.size:
        return []
    shown = rows[:_SHOWN]
    places = {"rows": tuple(int(row) for row in shown), "times": tuple(int(ts[row]) for row in shown)}
    return [
        QualityFinding(
            kind=kind,
            text=text.format(n=rows.size, s="" if rows.size == 1 else "s"),
            broken=broken,
            count=int(rows.size),
            about_time=about_time,
            **places,
        )
    ]


def _times(bars: Bars) -> list[QualityFinding]:
    if not len(bars):
        return [QualityFinding(kind="empty", text="there are no bars")]
    return [*_range(bars.ts), *order(bars.ts), *spacing(bars.ts, bars.timeframe)]


def _range(ts: IntArray) -> list[QualityFinding]:
    low, high = 1_230_768_000_000, 4_102_444_800_000  # 2009, when the first coin was mined, to 2100
    return at_rows("range", "{n} time{s} outside 2009 to 2100", (ts < low) | (ts >= high), ts, about_time=True)


def order(ts: IntArray) -> list[QualityFinding]:
    """Whether times rise strictly: newest first, shuffled or repeated times are findings.

    Args:
        ts: (n_bars,) open times in milliseconds.
    """
    steps = np.diff(ts)
    _, first, counts = np.unique(ts, return_index=True, return_counts=True)
    repeated = np.ones(ts.size, dtype=bool)
    repeated[first] = False
    repeats = at_rows("duplicate", "{n} repeated time{s}", repeated, ts, about_time=True) if (counts > 1).any() else []
    if ts.size > 1 and (steps <= 0).all() and (steps < 0).any():
        text = f"newest first: times fall from {moment(int(ts[0]))} to {moment(int(ts[-1]))}"
        return [QualityFinding(kind="newest first", text=text, count=int((steps < 0).sum()), about_time=True), *repeats]
    return [*at_rows("order", "out of order: {n} bar{s} older than the one before", np.r_[False, steps < 0], ts, about_time=True), *repeats]


def spacing(ts: IntArray, timeframe: Timeframe) -> list[QualityFinding]:
    """Whether the distance between bars agrees with the timeframe.

    Args:
        ts: (n_bars,) open times in milliseconds, in any order.
        timeframe: the length that is claimed for the bars.
    """
    steps = _steps(ts)
    if not steps.size:
        return []
    usual = common_step(ts)
    if _months(ts, usual):
        text = "bars of calendar months: months have no one length, so when a bar is known cannot be said; take bars of days or weeks"
        return [QualityFinding(kind="months", text=text, about_time=True)]
    if (steps < timeframe.ms).any() or (steps.size > 1 and not (steps == timeframe.ms).any()):
        text = f"the timeframe {timeframe} contradicts the times, which are mostly {Timeframe(usual)} apart"
        if usual == timeframe.ms:
            text = f"{int((steps < timeframe.ms).sum())} bars open before the {timeframe} bar ahead of them is over"
        return [QualityFinding(kind="spacing", text=text, about_time=True)]
    return []


def _months(ts: IntArray, step: int) -> bool:
    """Whether bars begin with calendar months, on whatever day of UTC these begin where the exchange is."""
    if not 28 * DAY_MS <= step <= 31 * DAY_MS:
        return False
    days = ts.astype("datetime64[ms]").astype("datetime64[D]")
    firsts = days == days.astype("datetime64[M]")
    ordered = np.unique(ts)
    uneven = (ordered[1:] - ordered[:-1]) % step != 0
    return bool(uneven.any() or firsts.all())


def common_step(ts: IntArray) -> int:
    """The commonest distance between neighbouring times in milliseconds; 0 when there is none.

    Args:
        ts: (n,) times in any order.
    """
    steps, counts = np.unique(_steps(ts), return_counts=True)
    return int(steps[np.argmax(counts)]) if steps.size else 0


def _steps(ts: IntArray) -> IntArray:
    # times that rise already, as nearly all do, need no sorting: a third of the time a file takes
    ordered = ts if (ts[1:] > ts[:-1]).all() else np.unique(ts)
    return ordered[1:] - ordered[:-1]


def _numbers(bars: Bars) -> list[QualityFinding]:
    found: list[QualityFinding] = []
    for name in COLUMNS:
        values = getattr(bars, name)
        found += at_rows("missing", f"no number as {name} in {{n}} bar{{s}}", np.isnan(values), bars.ts)
        found += at_rows("infinite", f"an infinite {name} in {{n}} bar{{s}}", np.isinf(values), bars.ts)
        if name != "volume":
            found += at_rows("zero price", f"a zero {name} in {{n}} bar{{s}}", values == 0, bars.ts)
        found += at_rows("negative", f"a negative {name} in {{n}} bar{{s}}", values < 0, bars.ts)
    return found


def _candles(bars: Bars) -> list[QualityFinding]:
    inside_high = bars.high < np.maximum(bars.open, bars.close)
    inside_low = bars.low > np.minimum(bars.open, bars.close)
    crossed = bars.high < bars.low
    return [
        *at_rows("ohlc", "a high below the low in {n} bar{s}", crossed, bars.ts),
        *at_rows("ohlc", "a high below the open or close in {n} bar{s}", inside_high & ~crossed, bars.ts),
        *at_rows("ohlc", "a low above the open or close in {n} bar{s}", inside_low & ~crossed, bars.ts),
    ]


def _funding(bars: Bars) -> list[QualityFinding]:
    late = np.r_[False, np.diff(bars.funding_ts) <= 0][: bars.funding_ts.size]
    found = at_rows("funding", "{n} missing or infinite funding rate{s}", ~np.isfinite(bars.funding_rate), bars.funding_ts)
    found += at_rows("funding", "{n} funding rate{s} beyond 100 %", np.abs(bars.funding_rate) > 1, bars.funding_ts)
    return found + at_rows("funding", "{n} funding time{s} not after the one before", late, bars.funding_ts)


def _gaps(bars: Bars) -> list[QualityFinding]:
    steps = np.diff(bars.ts)
    wide = np.r_[False, steps > bars.timeframe.ms]
    missing = int((steps // bars.timeframe.ms - 1).clip(0).sum())
    found = at_rows("gap", f"{{n}} gap{{s}}, {missing} bars missing in all", wide, bars.ts, broken=False)
    off_grid = np.r_[False, steps % bars.timeframe.ms != 0]
    return found + at_rows("off grid", "{n} bar{s} not a whole number of bars after the one before", off_grid, bars.ts, broken=False)


def _activity(bars: Bars) -> list[QualityFinding]:
    flat = (bars.high == bars.low) & (bars.volume > 0)
    return [
        *at_rows("zero volume", "{n} bar{s} without volume", bars.volume == 0, bars.ts, broken=False),
        *at_rows("flat", "{n} bar{s} traded at one price only", flat, bars.ts, broken=False),
    ]


def _outliers(bars: Bars) -> list[QualityFinding]:
    before, after = np.r_[bars.open[0], bars.close[:-1]], np.r_[bars.open[1:], bars.close[-1]]
    moves = np.maximum(bars.high / np.maximum(before, after), np.minimum(before, after) / bars.low) - 1.0
    jumps = np.abs(np.log(bars.open / before))
    scale = _scale(np.log(bars.close / before))
    wild = (moves > OUTLIER_DEVIATIONS * scale) | (jumps > OUTLIER_DEVIATIONS * scale)
    text = f"{{n}} bar{{s}} with a spike or jump beyond {OUTLIER_DEVIATIONS:g} robust deviations"
    return at_rows("outlier", text, wild, bars.ts, broken=False) if scale > 0 else []


def _scale(returns: FloatArray) -> float:
    moved = np.abs(returns[returns != 0])
    return float(1.4826 * np.median(moved)) if moved.size else 0.0


def _volume_units(bars: Bars) -> list[QualityFinding]:
    """Places where the median volume jumps by about the price, and stays: base and quote volume have changed places."""
    if len(bars) < 4 * _FLIP_WINDOW:
        return []
    middle = np.median(np.lib.stride_tricks.sliding_window_view(bars.volume, _FLIP_WINDOW), axis=1)
    left, right = middle[:-_FLIP_WINDOW], middle[_FLIP_WINDOW:]
    high, low = np.maximum(left, right), np.minimum(left, right)
    jump = np.where(low > 0, high / np.where(low > 0, low, 1.0), 0.0)
    price = bars.close[_FLIP_WINDOW : _FLIP_WINDOW + jump.size]
    by_price = jump / np.maximum(price, 1 / price)
    rows = np.flatnonzero((jump > _FLIP_FACTOR) & (by_price > 1 / _FLIP_NEARNESS) & (by_price < _FLIP_NEARNESS)) + _FLIP_WINDOW
    mask = np.zeros(len(bars), dtype=bool)
    mask[rows[np.r_[True, np.diff(rows) > _FLIP_WINDOW]] if rows.size else rows] = True
    text = "{n} time{s} the volume jumps by about the price and stays: has its unit changed?"
    return at_rows("volume unit", text, mask, bars.ts, broken=False)
