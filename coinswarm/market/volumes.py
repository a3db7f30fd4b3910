"""Which of a file's amounts counts coins: money / coins must lie between the low and the high of its bar.

The names of the columns come second: exchanges call contracts, coins and money alike `volume`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coinswarm import errors
from coinswarm.market import columns
from coinswarm.types import BoolArray, FloatArray

_AGREEING = 0.95
"""Share of bars in which coins and money must agree with the prices: archives have a few bars that their own exchange garbled."""
_TOLERANCE = 0.01
"""By how much money / coins may pass the bar's low and high, for volumes are rounded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Amounts:
    """The amounts of a file, with the prices that judge them.

    Attributes:
        named: which columns are amounts, by their names.
        numbers: (n_bars,) numbers of each of them.
        low: (n_bars,) lowest price of each bar.
        high: (n_bars,) highest price of each bar.
        file: what to call the file in messages.
    """

    named: columns.Volumes
    numbers: Mapping[str, FloatArray]
    low: FloatArray
    high: FloatArray
    file: str

    def fit(self, coins: str, money: str) -> BoolArray:
        """Where money / coins lies between low and high: (n_bars,)."""
        least, most = self.numbers[coins] * self.low * (1 - _TOLERANCE), self.numbers[coins] * self.high * (1 + _TOLERANCE)
        return (self.numbers[money] >= least) & (self.numbers[money] <= most)

    def share(self, coins: str, money: str) -> float | None:
        """Share of the bars with trades in which `fit` holds; none where no bar has both amounts."""
        traded = (self.numbers[coins] > 0) & (self.numbers[money] > 0)
        return float(np.mean(self.fit(coins, money)[traded])) if traded.any() else None

    def swapped(self, coins: str, money: str) -> BoolArray:
        """Where both have changed places: (n_bars,)."""
        return self.fit(money, coins) & ~self.fit(coins, money)


@dataclass(frozen=True, kw_only=True, slots=True)
class BaseVolume:
    """The volume of a file in coins: (n_bars,) amounts, and how amounts that disagree were settled."""

    volume: FloatArray
    notes: tuple[str, ...] = ()


def coins(amounts: Amounts) -> BaseVolume:
    """The traded amount in coins.

    Args:
        amounts: of a file; some of them may count coins by their names.

    Raises:
        UnknownColumns: two columns could be the volume, and nothing tells which.
        BadBars: the amounts contradict the prices.
    """
    named = amounts.named
    names = tuple(dict.fromkeys((*named.coins, *named.quote, *named.either)))
    first = next(iter((*named.coins, *named.either)))
    right = [name for name in names if _money_of(amounts, name, names) is not None]
    if first in right or len(right) == 1:
        return _taken(amounts, first if first in right else right[0], first, names)
    if right:
        raise errors.UnknownColumns(f"{amounts.file}: {' and '.join(right)} could all be the volume")
    return _without_agreement(amounts, first)


def _money_of(amounts: Amounts, name: str, names: Sequence[str]) -> str | None:
    """The column that agrees best with `name` as coins, of those that do in nearly all bars; one that is money by its name first."""
    shares = {other: amounts.share(name, other) or 0.0 for other in names if other != name}
    fits = [other for other, share in shares.items() if share >= _AGREEING]
    return max(fits, key=lambda other: (shares[other], other in amounts.named.quote), default=None)


def _taken(amounts: Amounts, name: str, first: str, names: Sequence[str]) -> BaseVolume:
    money = _money_of(amounts, name, names) or name
    notes = [] if name == first else [f"{name} is the volume, not {first}: {money} / {name} lies between low and high"]
    swapped = amounts.swapped(name, money)
    odd = (amounts.numbers[name] > 0) & (amounts.numbers[money] > 0) & ~amounts.fit(name, money) & ~swapped
    if odd.any():
        notes.append(f"{money} / {name} lies outside low and high in {int(odd.sum())} of {odd.size} bars")
    return _put_right(amounts, name, money, notes)


def _put_right(amounts: Amounts, name: str, money: str, notes: Sequence[str] = ()) -> BaseVolume:
    swapped = amounts.swapped(name, money)
    if not swapped.any():
        return BaseVolume(volume=amounts.numbers[name], notes=tuple(notes))
    note = f"{name} and {money} have changed places in {int(swapped.sum())} of {swapped.size} bars, and are put right by the prices"
    return BaseVolume(volume=np.where(swapped, amounts.numbers[money], amounts.numbers[name]), notes=(*notes, note))


def _without_agreement(amounts: Amounts, first: str) -> BaseVolume:
    """No column counts coins in nearly all bars: two have changed places, say nothing of each other, or contradict the prices."""
    for money in amounts.named.quote:
        share = amounts.share(first, money)
        if share is None:
            continue
        right = amounts.fit(first, money) | amounts.swapped(first, money)
        if float(np.mean(right)) >= _AGREEING:
            return _put_right(amounts, first, money)
        hint = f"one of both is not what its name says: leave {money} out, or rename them"
        raise errors.BadBars(
            f"{amounts.file}: {money} / {first} must lie between low and high", found=f"outside in {1 - share:.0%} of the bars", hint=hint
        )
    others = [name for name in amounts.named.coins if name != first and amounts.numbers[name].any()]
    if any(not np.array_equal(amounts.numbers[first], amounts.numbers[name], equal_nan=True) for name in others):
        raise errors.UnknownColumns(
            f"{amounts.file}: {' and '.join([first, *others])} could all be the volume", hint="leave the others out"
        )
    return BaseVolume(volume=amounts.numbers[first])
