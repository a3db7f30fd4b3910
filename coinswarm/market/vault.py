"""The vault: the newest bars of a campaign, which no search may see.

A fence stands where bars are loaded. It lets nothing through that is known after its time, whatever the market or the timeframe, and the
only way past it is a pass, which is given out when an opening has been written down. A pass cannot be sent to another process, so no
worker of a cluster ever holds one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

from coinswarm import errors
from coinswarm.market.bars import Bars

_WRITTEN_DOWN = object()


class VaultPass:
    """Leave to look at the vault of one campaign once; `issue` makes it, for an opening that is in the ledger."""

    __slots__ = ("campaign", "opening")

    def __init__(self, campaign: str, opening: str, *, proof: object = None) -> None:
        if proof is not _WRITTEN_DOWN:
            raise errors.Refused("a pass is given out for an opening of the vault that was written down", hint="`coinswarm vault open`")
        self.campaign = campaign
        self.opening = opening

    def __reduce__(self) -> NoReturn:
        raise errors.Refused("a pass to the vault stays in the process it was given to", found=f"an attempt to send that of {self.opening}")


def issue(campaign: str, opening: str) -> VaultPass:
    """The pass for an opening; called by the stores of campaigns only, after they have written the opening down.

    Raises:
        Refused: the opening has no name.
    """
    if not opening:
        raise errors.Refused("a pass names its opening", found="none")
    return VaultPass(campaign, opening, proof=_WRITTEN_DOWN)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fence:
    """Where the bars end that a campaign may see.

    Attributes:
        campaign: whose vault it is.
        ts: bars that close after it (ms) are behind the fence, in every market and timeframe.
    """

    campaign: str
    ts: int

    def require(self, end_ts: int | None, leave: VaultPass | None = None) -> None:
        """Raise unless bars that open before `end_ts` are this side of the fence, or there is leave.

        Raises:
            Refused: they are not; `end_ts` None asks for all bars there are.
        """
        if self._admits(leave) or (end_ts is not None and end_ts <= self.ts):
            return
        asked = "all bars" if end_ts is None else f"bars up to {_moment(end_ts)}"
        raise errors.Refused(
            f"the vault of campaign {self.campaign} is closed from {_moment(self.ts)} on",
            found=asked,
            hint="`coinswarm vault open EVALUATION --why …` judges one variant on it, and counts as a trial",
        )

    def cut(self, bars: Bars, leave: VaultPass | None = None) -> Bars:
        """The (n,) bars that close this side of the fence, with the funding of their span; all of them with leave."""
        return bars if self._admits(leave) else bars[: bars.closed_by(self.ts)]

    def _admits(self, leave: Any) -> bool:
        if leave is None:
            return False
        if not isinstance(leave, VaultPass) or leave.campaign != self.campaign:
            raise errors.Refused(f"the vault of campaign {self.campaign} opens for its own passes only", found=type(leave).__name__)
        return True


def _moment(ts: int) -> str:
    # a bound may lie far outside the calendar: it is printed as a number then
    return datetime.fromtimestamp(ts / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC") if abs(ts) < 10**14 else f"{ts} ms"
