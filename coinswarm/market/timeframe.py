"""Bar lengths: `1m`, `5m`, `1h`, `4h`, `D`, `1w`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from coinswarm import errors

MINUTE_MS = 60_000
DAY_MS = 86_400_000
YEAR_MS = 365.25 * DAY_MS
_UNIT_MS = {"s": 1000, "m": MINUTE_MS, "h": 3_600_000, "d": DAY_MS, "w": 7 * DAY_MS}
_FORM = re.compile(r"(\d*)\s*([smhdwSHDW]|min)")


@dataclass(frozen=True, order=True, slots=True)
class Timeframe:
    """The length of a bar.

    Attributes:
        ms: length in milliseconds, above 0.
    """

    ms: int

    @classmethod
    def parse(cls, text: str) -> Timeframe:
        """Read `5m`, `1h`, `D`, `1d`, `240` (minutes) and the like.

        Raises:
            InvalidArgument: the text names no length.
        """
        word = str(text).strip()
        if word.isdigit() and int(word) > 0:
            return cls(int(word) * MINUTE_MS)
        match = _FORM.fullmatch(word)
        if match is None or match[1] == "0":
            raise errors.InvalidArgument("a timeframe must read like 5m, 1h, 4h or 1d", found=repr(text))
        unit = "m" if match[2] == "min" else match[2].lower()
        return cls(int(match[1] or 1) * _UNIT_MS[unit])

    def __str__(self) -> str:
        for unit in ("w", "d", "h", "m", "s"):
            if self.ms % _UNIT_MS[unit] == 0:
                return f"{self.ms // _UNIT_MS[unit]}{unit}"
        return f"{self.ms}ms"

    @property
    def periods_per_year(self) -> float:
        """Bars in 365.25 days: crypto never closes."""
        return YEAR_MS / self.ms

    def periods_in(self, n_bars: int, first_ts: int, last_ts: int) -> float:
        """Bars in 365.25 days of the time that `n_bars` bars span, so that bars that are missing count as time.

        Args:
            n_bars: how many there are, at least 1.
            first_ts: open time of the first of them, milliseconds.
            last_ts: open time of the last of them.

        Returns:
            Above 0; exactly `periods_per_year` where no bar is missing.
        """
        return self.periods_per_year * (n_bars * self.ms / (last_ts + self.ms - first_ts))
