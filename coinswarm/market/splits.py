"""Cutting bars in time: what the search may see, and what it is judged on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coinswarm import check, errors
from coinswarm.market.bars import Bars


@dataclass(frozen=True, kw_only=True)
class Span:
    """A stretch of time, as simulators take it.

    Attributes:
        start_ts: first time (ms) at which a decision may be taken; older bars only warm features up.
        end_ts: bars opening at or after it (ms) are not used.
    """

    start_ts: int
    end_ts: int


def chronological(markets: Sequence[Bars], shares: Sequence[float], *, purge: int = 0, embargo: int = 0) -> tuple[Span, ...]:
    """Cut time into spans that hold given shares of all bars, oldest first, the same spans for every market.

    At each cut the older span loses its last `purge` bars, so that no trade of it reaches into the next one, and the newer span
    starts `embargo` bars late. With several markets the widest of their gaps counts.

    Args:
        markets: bars of one or more markets.
        shares: part of the bars that each span gets, all above 0, adding up to 1.
        purge: bars dropped before a cut, not negative; at least the longest hold.
        embargo: bars skipped after a cut, not negative.

    Returns:
        One span for each share.

    Raises:
        InvalidArgument: shares, purge or embargo lie outside their domain.
        SpanTooShort: a span would have no bars.
    """
    _require(markets, shares, purge, embargo)
    times = np.sort(np.concatenate([bars.ts for bars in markets]))
    places = (np.cumsum(shares)[:-1] * times.size).round().astype(int).clip(0, times.size - 1)
    cuts = [int(times[place]) for place in places]
    starts = [int(times[0]), *(max(_after(bars, cut, embargo) for bars in markets) for cut in cuts)]
    ends = [
        *(min(_before(bars, cut, purge) for bars in markets) for cut in cuts),
        max(int(bars.close_ts[-1]) for bars in markets if len(bars)),
    ]
    spans = tuple(Span(start_ts=start, end_ts=end) for start, end in zip(starts, ends, strict=True))
    _require_bars(markets, spans)
    return spans


def holdout(markets: Sequence[Bars], out_of_sample: float, *, purge: int = 0, embargo: int = 0) -> tuple[Span, Span]:
    """Keep the newest part of the bars from the search.

    Args:
        markets: bars of one or more markets.
        out_of_sample: share of the bars kept back, in (0, 1).
        purge: bars dropped before the cut, not negative; at least the longest hold.
        embargo: bars skipped after the cut, not negative.

    Returns:
        The span to search on and the span to judge on.
    """
    train, test = chronological(markets, (1 - out_of_sample, out_of_sample), purge=purge, embargo=embargo)
    return train, test


def _require(markets: Sequence[Bars], shares: Sequence[float], purge: int, embargo: int) -> None:
    check.at_least(purge, "purge", 0)
    check.at_least(embargo, "embargo", 0)
    if not shares or not all(share > 0 for share in shares) or abs(sum(shares) - 1) > 1e-9:
        raise errors.InvalidArgument("shares of a split must be above 0 and add up to 1", found=tuple(shares))
    if not any(len(bars) for bars in markets):
        raise errors.SpanTooShort("bars must exist before they can be split", found="none")


def _before(bars: Bars, cut: int, purge: int) -> int:
    place = bars.index_at(cut) - purge
    return cut if purge == 0 or not len(bars) else int(bars.ts[max(0, place)]) if place < len(bars) else cut


def _after(bars: Bars, cut: int, embargo: int) -> int:
    place = bars.index_at(cut) + embargo
    return cut if embargo == 0 or not len(bars) else int(bars.ts[place]) if place < len(bars) else int(bars.close_ts[-1])


def _require_bars(markets: Sequence[Bars], spans: Sequence[Span]) -> None:
    for number, span in enumerate(spans, 1):
        if not any(bars.index_at(span.start_ts) < bars.index_at(span.end_ts) for bars in markets):
            raise errors.SpanTooShort(
                f"part {number} of {len(spans)} of the split must have bars", found="none", hint="use more bars, or a smaller purge"
            )
