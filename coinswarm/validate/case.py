"""What a report card is made of: the variant, the bars it may be judged on, and what was tried before it was picked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from coinswarm import check, errors
from coinswarm.market.bars import Bars
from coinswarm.market.splits import Span
from coinswarm.play.model import Play
from coinswarm.types import FloatArray

NO_VARIANTS: FloatArray = np.empty((0, 0))


@dataclass(frozen=True, kw_only=True, slots=True)
class Splits:
    """Where the search was, and where it was not. Both end before the vault begins.

    Attributes:
        train: what the search saw.
        validation: what it did not; None: nothing was held out.
    """

    train: Span
    validation: Span | None = None

    @property
    def whole(self) -> Span:
        """From the first bar of the search to the last bar that validation may see."""
        return self.train if self.validation is None else Span(start_ts=self.train.start_ts, end_ts=self.validation.end_ts)


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class TrialFacts:
    """What the ledger knows of the tries behind a variant.

    Attributes:
        campaign: whose trials are counted; empty: none.
        trials: distinct pairs of variant and data; None: not known.
        hole: why the count, or what was tried, cannot be trusted to be whole; empty: it can. The deflated figures are not printed then.
        sample: (n, n_dims) trials of this play, drawn evenly from all of them, good and bad: their spread is that of luck.
        leaderboard: (n, n_dims) the best of this play, best first.
    """

    campaign: str = ""
    trials: int | None = None
    hole: str = ""
    sample: FloatArray = field(default_factory=lambda: NO_VARIANTS)
    leaderboard: FloatArray = field(default_factory=lambda: NO_VARIANTS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """How much is drawn.

    Attributes:
        resamples: of each bootstrap, at least 99.
        lotteries: random entries with the variant's exits, at least 19.
        neighbours: variants drawn around this one.
        worlds: runs on resampled bars.
        moments: positions of each market that a crash is put into.
        folds: test stretches of the walk forward.
        periods: most periods that bars are put together to where matrices are resampled.
    """

    resamples: int = 999
    lotteries: int = 199
    neighbours: int = 200
    worlds: int = 12
    moments: int = 4
    folds: int = 6
    periods: int = 6000

    def __post_init__(self) -> None:
        for name, low in (
            ("resamples", 99),
            ("lotteries", 19),
            ("neighbours", 1),
            ("worlds", 1),
            ("moments", 1),
            ("folds", 1),
            ("periods", 64),
        ):
            check.at_least(getattr(self, name), name, low)


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Case:
    """One variant before its judges.

    Attributes:
        play: with costs and account as the run had them.
        genome: (n_dims,) the variant; empty for a play in which nothing varies.
        markets: bars of the search, warm-up bars before the first span included.
        splits: which of their bars the search saw and which not; bars after the last of them are cut away, so that nothing can see them.
        others: bars of markets that features name, by symbol.
        unseen: bars of markets that the search did not use.
        trials: what was tried.
        seed: of everything that is drawn.
        effort: how much is drawn.

    Raises:
        InvalidArgument: there is no market, or the genome does not fit the play.
    """

    play: Play
    genome: FloatArray
    markets: tuple[Bars, ...]
    splits: Splits
    others: Mapping[str, Bars] = field(default_factory=dict)
    unseen: tuple[Bars, ...] = ()
    trials: TrialFacts = field(default_factory=TrialFacts)
    seed: int = 0
    effort: Effort = field(default_factory=Effort)

    def __post_init__(self) -> None:
        check.at_least(self.seed, "seed", 0)
        if not self.markets:
            raise errors.InvalidArgument("a report card needs a market", found="none")
        if np.shape(self.genome) != (len(self.play.space),):
            hint = "name a value for every parameter the play leaves open"
            raise errors.ShapeMismatch(f"the genome must have {len(self.play.space)} genes", found=np.shape(self.genome), hint=hint)
        end = self.splits.whole.end_ts
        object.__setattr__(self, "markets", tuple(_until(bars, end) for bars in self.markets))
        object.__setattr__(self, "unseen", tuple(_until(bars, end) for bars in self.unseen))
        object.__setattr__(self, "others", {symbol: _until(bars, end) for symbol, bars in self.others.items()})

    def stream(self, *words: object) -> np.random.Generator:
        """The source of what is drawn under these words: the same wherever and in whatever order it is asked for."""
        digest = hashlib.sha256(":".join(map(str, words)).encode()).digest()
        return np.random.Generator(np.random.Philox(np.random.SeedSequence([self.seed, int.from_bytes(digest[:8], "big")])))


def _until(bars: Bars, end_ts: int) -> Bars:
    """The bars that open before a time; the same object when all do."""
    return bars if not len(bars) or int(bars.ts[-1]) < end_ts else bars[: bars.index_at(end_ts)]
