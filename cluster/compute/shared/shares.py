"""Whose call is next when several jobs want the same workers."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Client = TypeVar("Client", bound=Hashable)
_SMOOTHING = 0.3


@dataclass(kw_only=True, slots=True)
class _Share:
    """What one client has had: seconds computed, calls under way, and what a call of it takes (s)."""

    used_s: float
    under_way: int = 0
    typical_s: float = 0.0

    @property
    def due_s(self) -> float:
        """Seconds that it will have had when what is under way is done."""
        return self.used_s + self.under_way * self.typical_s


class FairShares(Generic[Client]):
    """Equal shares of computing time among those who have work: next is the client that has had the least.

    Shares are of seconds and not of calls, so a client with long calls makes fewer. A client that had no work saves nothing up: it begins
    again with what the least served of the others has had (start-time fair queuing, Goyal, Vin and Cheng 1997).
    """

    def __init__(self) -> None:
        self._shares: dict[Client, _Share] = {}
        self._busy: set[Client] = set()

    def next(self, waiting: Collection[Client]) -> Client:
        """The client whose turn it is, one of `waiting`, in whose order ties are broken."""
        for client in waiting:
            if client not in self._busy:
                self._join(client)
        return min(waiting, key=lambda client: (self._shares[client].due_s, self._shares[client].under_way))

    def begin(self, client: Client) -> None:
        """A call of a client is under way."""
        self._shares[client].under_way += 1

    def end(self, client: Client, seconds: float, *, waits: bool) -> None:
        """A call of a client is over.

        Args:
            client: whose it was.
            seconds: that it computed; 0: it was dropped or lost.
            waits: whether the client has calls that wait.
        """
        if (share := self._shares.get(client)) is None:
            return
        share.under_way -= 1
        share.used_s += seconds
        share.typical_s += (seconds - share.typical_s) * (_SMOOTHING if share.typical_s else 1.0)
        if not waits and not share.under_way:
            self._busy.discard(client)

    def leave(self, client: Client) -> None:
        """Forget a client."""
        self._shares.pop(client, None)
        self._busy.discard(client)

    def _join(self, client: Client) -> None:
        least = min((self._shares[other].due_s for other in self._busy), default=0.0)
        share = self._shares.setdefault(client, _Share(used_s=least))
        share.used_s = max(share.used_s, least)
        self._busy.add(client)
