"""The time that several markets share: exchanges list them at different times, and a search needs bars of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from coinswarm.market.bars import Bars


@dataclass(frozen=True, kw_only=True, slots=True)
class Overlap:
    """The time that markets have in common.

    Attributes:
        start_ts: open (ms) of the first bar of the market that begins last.
        end_ts: close (ms) of the last bar of the market that ends first; not after `start_ts` where there is no such time.
        begins: key and first open (ms) of each market, the earliest first.
        ends: key and last close (ms) of each market, the earliest first.
    """

    start_ts: int
    end_ts: int
    begins: tuple[tuple[str, int], ...]
    ends: tuple[tuple[str, int], ...]

    @property
    def alike(self) -> bool:
        """Whether all of them begin at the same time and have some in common."""
        return self.begins[0][1] == self.start_ts < self.end_ts

    @property
    def text(self) -> str:
        """Which market begins when, and what all of them have."""
        begin = ", ".join(f"{key} begins {moment(ts)}" for key, ts in self.begins)
        if self.end_ts <= self.start_ts:
            key, end = self.ends[0]
            return f"{begin}, and {key} ends {moment(end)}: there is no time that all of them have"
        return f"{begin}: all of them have bars from then on"

    @property
    def option(self) -> str:
        """What to type so that only the time of all of them is used."""
        return f"`--from {moment(self.start_ts)}` (`start_ts={self.start_ts}` in Python and over HTTP)"


def of(markets: Sequence[Bars]) -> Overlap:
    """The overlap of markets, each with at least one bar."""
    begins = sorted(((bars.key, int(bars.ts[0])) for bars in markets), key=lambda entry: entry[1])
    ends = sorted(((bars.key, int(bars.close_ts[-1])) for bars in markets), key=lambda entry: entry[1])
    return Overlap(start_ts=begins[-1][1], end_ts=ends[0][1], begins=tuple(begins), ends=tuple(ends))


def moment(ts: int) -> str:
    """A time in ms as `--from` takes it: the day, with the time of day where it is not midnight UTC."""
    text = datetime.fromtimestamp(ts / 1000, UTC).isoformat(timespec="minutes" if ts % 60_000 == 0 else "milliseconds")
    return text.removesuffix("+00:00").removesuffix("T00:00")
