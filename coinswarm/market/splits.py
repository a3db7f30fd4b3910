"""Cutting bars in time: what the search may see, and what it is judged on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coinswarm import check, errors
from coinswarm.market.bars import Bars


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A stretch of time, as simulators take it.

    Attributes:
        start_ts: first time (ms) at which a decision may be taken; older bars only warm features up.
        end_ts: bars opening at or after it (ms) are not used. Where a split made the span, no bar that is used closes after the cut.
    """

    start_ts: int
    end_ts: int


def chronological(markets: Sequence[Bars], shares: Sequence[float], *, purge: int = 0, embargo: int = 0) -> tuple[Span, ...]:
    """Cut time into spans that hold given shares of all bars, oldest first, the same spans for every market.

    At each cut the older span loses its last `purge` bars, so that no trade of it reaches into the next one, and the newer span
    starts `embargo` bars late. With several markets the widest of their gaps counts. A bar that opens before a cut and closes after it, as
    those of a market on another grid may, belongs to neither side.

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """Time cut in three, oldest first: what is searched on, what finds are judged on, and what is not looked at before the end."""

    train: Span
    validation: Span
    vault: Span


MIN_BLOCKS = 70
"""Independent blocks of time, of twice the longest hold each, below which the project's tests lose their level."""


def three_way(markets: Sequence[Bars], validation: float, vault: float, *, hold: int, embargo: int | None = None) -> Parts:
    """Cut time into train, validation and vault, the same for every market.

    Args:
        markets: bars of one or more markets, of one timeframe.
        validation: share of the bars that finds are judged on, in (0, 1).
        vault: share of the newest bars that stay closed, in (0, 1); both add up to less than 1.
        hold: bars that the longest trade is held, at least 1; as many are dropped before each cut.
        embargo: bars skipped after each cut; as many as are held unless given.

    Returns:
        The three spans.

    Raises:
        InvalidArgument: a share, the hold or the embargo lies outside its domain, or the markets have several timeframes.
        SpanTooShort: training leaves fewer than 70 blocks of twice the hold, or another part is shorter than such a block.
    """
    check.at_least(hold, "hold", 1, hint="in bars, the longest that any play of the campaign may hold")
    for name, share in (("validation", validation), ("vault", vault)):
        if not 0 < share < 1:
            raise errors.InvalidArgument(f"{name} must be a share in (0, 1)", found=share)
    if not validation + vault < 1:
        raise errors.InvalidArgument("validation and vault must leave bars to train on", found=f"{validation:g} + {vault:g}")
    if len({bars.timeframe for bars in markets}) > 1:
        raise errors.InvalidArgument("markets of one split share a timeframe", found=", ".join(sorted({bars.key for bars in markets})))
    shares = (1 - validation - vault, validation, vault)
    parts = chronological(markets, shares, purge=hold, embargo=hold if embargo is None else embargo)
    for name, span, blocks in zip(("train", "validation", "vault"), parts, (MIN_BLOCKS, 1, 1), strict=True):
        _require_blocks(markets, name, span, blocks, hold)
    return Parts(train=parts[0], validation=parts[1], vault=parts[2])


def _require_blocks(markets: Sequence[Bars], name: str, span: Span, blocks: int, hold: int) -> None:
    most = max(bars.index_at(span.end_ts) - bars.index_at(span.start_ts) for bars in markets)
    if most < blocks * 2 * hold:
        what = f"{blocks} blocks of twice the longest hold" if blocks > 1 else "a block of twice the longest hold"
        raise errors.SpanTooShort(
            f"{name} must have {what}, {blocks * 2 * hold} bars", found=f"{most}", hint="use more bars, or a shorter hold"
        )


def _require(markets: Sequence[Bars], shares: Sequence[float], purge: int, embargo: int) -> None:
    check.at_least(purge, "purge", 0)
    check.at_least(embargo, "embargo", 0)
    if not shares or not all(share > 0 for share in shares) or abs(sum(shares) - 1) > 1e-9:
        raise errors.InvalidArgument("shares of a split must be above 0 and add up to 1", found=tuple(shares))
    if not any(len(bars) for bars in markets):
        raise errors.SpanTooShort("bars must exist before they can be split", found="none")


def _before(bars: Bars, cut: int, purge: int) -> int:
    place = max(0, bars.closed_by(cut) - purge)
    return cut if place >= len(bars) else min(cut, int(bars.ts[place]))


def _after(bars: Bars, cut: int, embargo: int) -> int:
    place = bars.index_at(cut) + embargo
    return cut if embargo == 0 or not len(bars) else int(bars.ts[place]) if place < len(bars) else int(bars.close_ts[-1])


def _require_bars(markets: Sequence[Bars], spans: Sequence[Span]) -> None:
    for number, span in enumerate(spans, 1):
        if not any(bars.index_at(span.start_ts) < bars.index_at(span.end_ts) for bars in markets):
            raise errors.SpanTooShort(
                f"part {number} of {len(spans)} of the split must have bars", found="none", hint="use more bars, or a smaller purge"
            )
