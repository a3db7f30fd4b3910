"""Where a run on all bars and one on tampered bars must agree, and the search for the first place where they do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from coinswarm.kernels.codes import Reason
from coinswarm.types import FloatArray
from coinswarm.validate.lookahead.engine import Trading
from coinswarm.validate.lookahead.findings import Findings, Offence, Tie, Value, differing, plain, usual
from coinswarm.validate.lookahead.history import LEVELS, SIGNALS, RunHistory, Witness
from coinswarm.validate.lookahead.ties import TIE, Flips
from coinswarm.validate.lookahead.worlds import World

EXACT = 1e-12
"""Relative difference that the order of additions may leave where nothing else differs."""
WARM = 1e-9
"""Relative difference that a warm feature may always keep from where the data began; a run's warm-up tolerance may allow more."""
MONEY = 1e-9
"""Relative difference of prices, quantities and equity with the same signals and levels."""
WARM_MONEY = 1e-6
"""The same after a different start, which a stop that is close by magnifies; ten times the tolerance where that is more."""
_RUNNING_TOTAL = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """Two runs of a variant; bar `i` of the tampered one is bar `i + shift` of the whole.

    Attributes:
        cut: first bar that was tampered with, or at which the shorter data begins.
        high: values are compared on bars before this one.
        decided: signals are compared on bars before this one.
        warm_only: compare warm values only, and to `warm`: the data begins elsewhere.
        opened: the open of bar `cut` was kept, so that fills at it can be compared.
        traded: trades are compared before this bar; None: before `high`.
    """

    witness: Witness
    variant: str
    worlds: tuple[World, World]
    whole: RunHistory
    part: RunHistory
    cut: int
    high: int
    decided: int
    shift: int = 0
    warm_only: bool = False
    opened: bool = False
    traded: int | None = None

    @property
    def warm(self) -> float:
        """Relative difference that a warm feature may keep from where the data began."""
        return max(WARM, self.witness.play.warmup_tolerance)

    @property
    def money(self) -> float:
        """Relative difference of prices, quantities and equity."""
        return max(WARM_MONEY, 10 * self.warm) if self.warm_only else MONEY

    @property
    def whole_size(self) -> int:
        """Number of bars of the whole."""
        return len(self.worlds[0].bars)

    @property
    def first(self) -> int:
        """The first bar on which both runs decide."""
        return max(self.whole.wanted.first, self.part.wanted.first + self.shift)

    @cached_property
    def flips(self) -> Flips:
        """The comparisons behind decisions that differ."""
        return Flips(
            engine=self.witness.engine, play=self.witness.play, whole=self.worlds[0], part=self.worlds[1], shift=self.shift,
            near=self.warm if self.warm_only else TIE,
        )  # fmt: skip

    def offence(self, kind: str, name: str, bar: int, whole: Value, part: Value, note: str = "") -> Offence:
        """An offence of this pair."""
        ts = self.worlds[0].bars.ts
        return Offence(
            kind=kind, name=name, bar=bar, ts=int(ts[min(bar, ts.size - 1)]), cut=self.cut, whole=whole, part=part, variant=self.variant,
            note=note,
        )  # fmt: skip

    def columns(self, whole: np.ndarray, part: np.ndarray, low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
        """Both sides of a column on bars `low` to `high`."""
        return whole[low:high], part[max(low - self.shift, 0) : max(high - self.shift, 0)]


def knowledge(pair: Pair, findings: Findings) -> Pair:
    """Compare features and decisions.

    Returns:
        The pair as its trades are to be compared: up to the first tie, after which either run may rightly go its own way.
    """
    _features(pair, findings)
    if not pair.warm_only:
        _warmth(pair, findings)
    tied = _signals(pair, findings)
    _levels(pair, findings)
    return replace(pair, high=min(pair.high, tied + 1), traded=min(pair.traded or pair.high, tied + 1)) if tied < pair.whole_size else pair


def _features(pair: Pair, findings: Findings) -> None:
    for name, values in pair.whole.features.items():
        feature = name.partition(".")[0]
        low = max(pair.whole.warm[feature], pair.part.warm[feature] + pair.shift) if pair.warm_only else 0
        whole, part = pair.columns(values, pair.part.features[name], low, pair.high)
        scale = usual(values[: pair.high])
        wrong = differing(whole, part, pair.warm if pair.warm_only else EXACT, scale)
        findings.compared += whole.size
        if wrong.size and pair.warm_only and _one_apart(whole, part):
            findings.notes[f"{name} is a running total: its level depends on where the data begins, only its differences are compared"] = (
                None
            )
        elif wrong.size:
            at = int(wrong[0])
            findings.add(pair.offence("feature", name, low + at, plain(whole[at]), plain(part[at])), wrong.size)


def _one_apart(whole: FloatArray, part: FloatArray) -> bool:
    """Whether both columns differ by the same amount everywhere, as running totals that began elsewhere do."""
    apart = whole - part
    if apart.size < _RUNNING_TOTAL or not np.isfinite(apart).all():
        return False
    return bool(np.ptp(apart) <= WARM * max(float(np.abs(whole).max()), float(np.abs(part).max())))


def _warmth(pair: Pair, findings: Findings) -> None:
    """The first warm bar must not depend on what comes later either."""
    pairs = {name: (first, pair.part.warm[name]) for name, first in pair.whole.warm.items()}
    pairs["first decision"] = (pair.whole.wanted.first, pair.part.wanted.first)
    for name, (whole, part) in pairs.items():
        findings.compared += 1
        if min(whole, pair.high) != min(part, pair.high):
            findings.add(pair.offence("warm-up", name, min(whole, part), float(whole), float(part)))


def _signals(pair: Pair, findings: Findings) -> int:
    """The first bar of a tie behind a decision, or the number of bars."""
    earliest = pair.whole_size
    low = pair.first if pair.warm_only else 0
    for name in SIGNALS:
        whole, part = pair.columns(getattr(pair.whole.wanted, name), getattr(pair.part.wanted, name), low, pair.decided)
        findings.compared += whole.size
        earliest = min(earliest, _unexplained(pair, name, np.flatnonzero(whole != part) + low, findings))
    return earliest


def _unexplained(pair: Pair, name: str, bars: np.ndarray, findings: Findings) -> int:
    """Excuse the decisions that hang on a tie; the first one that does not is an offence. The first bar of a tie, or the number of bars."""
    left, earliest = 0, pair.whole_size
    for bar in bars.tolist():
        flips = pair.flips.behind(bar)
        ties = [flip for flip in flips if flip.tie]
        if ties:
            tie = ties[-1]
            ts = int(pair.worlds[0].bars.ts[tie.bar])
            findings.excuse(Tie(name=f"{name}: {tie.text}", bar=tie.bar, ts=ts, left=tie.left, right=tie.right, variant=pair.variant))
            earliest = min(earliest, ties[0].bar)
        elif left == 0:
            whole = bool(getattr(pair.whole.wanted, name)[bar])
            note = f"{flips[-1].text} ({flips[-1].left:.12g} against {flips[-1].right:.12g} on all bars)" if flips else ""
            findings.add(pair.offence("decision", name, bar, whole, not whole, note))
            left = 1
        else:
            findings.n_offences += 1
    return earliest


def _levels(pair: Pair, findings: Findings) -> None:
    low = pair.first if pair.warm_only else 0
    for name in LEVELS:
        values = getattr(pair.whole.wanted.levels, name)
        whole, part = pair.columns(values, getattr(pair.part.wanted.levels, name), low, pair.high)
        wrong = differing(whole, part, pair.warm if pair.warm_only else EXACT, usual(values[: pair.high]))
        findings.compared += int((~np.isnan(whole)).sum())
        if wrong.size:
            at = int(wrong[0])
            findings.add(pair.offence("level", name, low + at, plain(whole[at]), plain(part[at])), wrong.size)


# --- trades ---------------------------------------------------------------------------------------------------------------


def trades(pair: Pair, simulator: str, findings: Findings) -> None:
    """Compare the trades closed before `pair.high`, those open then, and the equity at closes before it."""
    whole, part = pair.whole.trades[simulator], pair.part.trades[simulator]
    end = pair.high if pair.traded is None else pair.traded
    _table(pair, "trade", simulator, whole.until(end), part.until(end - pair.shift), findings)
    _equity(pair, simulator, whole, part, findings)


def fills(pair: Pair, simulator: str, findings: Findings) -> None:
    """Compare what was filled at the open of the bar whose open alone was kept: the rest of that bar must not matter."""
    whole, part = pair.whole.trades[simulator], pair.part.trades[simulator]
    opening = float(pair.worlds[0].bars.open[pair.cut])
    _table(pair, "fill", simulator, whole.entered_at_open(pair.cut, opening), part.entered_at_open(pair.cut, opening), findings)
    _table(pair, "fill", simulator, whole.left_at_open(pair.cut), part.left_at_open(pair.cut), findings)


def _equity(pair: Pair, simulator: str, whole: Trading, part: Trading, findings: Findings) -> None:
    if not whole.equity.size or not part.equity.size:
        return
    left, right = pair.columns(whole.equity, part.equity, pair.shift, pair.high if pair.traded is None else pair.traded)
    wrong = differing(left, right, pair.money, pair.witness.account.starting_equity)
    findings.compared += left.size
    if wrong.size:
        at = int(wrong[0])
        findings.add(pair.offence("equity", simulator, pair.shift + at, plain(left[at]), plain(right[at])), wrong.size)


def _table(
    pair: Pair, kind: str, simulator: str, whole: Mapping[str, FloatArray], part: Mapping[str, FloatArray], findings: Findings
) -> None:
    """Compare two lists of trades; the first row that does not agree is the offence, all further ones follow from it."""
    sizes = [next(iter(table.values())).size for table in (whole, part)]
    both = min(sizes)
    findings.compared += sizes[0] * len(whole)
    wrong = [row for name in whole if name in part for row in _rows(pair, name, whole[name][:both], part[name][:both])]
    if not wrong and sizes[0] == sizes[1]:
        return
    row = min([*wrong, both])
    shown = [_row(table, row, shift) for table, shift in ((whole, 0), (part, pair.shift))]
    bars = [int(table["entry_bar"][row]) + shift for table, shift in ((whole, 0), (part, pair.shift)) if row < table["entry_bar"].size]
    findings.add(pair.offence(kind, simulator, min(bars), shown[0], shown[1]), max(sizes) - row)


def _rows(pair: Pair, name: str, whole: FloatArray, part: FloatArray) -> list[int]:
    shifted = part
    if name in ("entry_bar", "exit_bar"):
        shifted = np.where(part < 0, part, part + pair.shift)
    exact = name in ("entry_bar", "exit_bar", "side", "reason")
    scale = 0.0 if exact or name in ("qty", "entry_price", "exit_price") else 1.0
    return differing(whole, shifted, 0.0 if exact else pair.money, scale)[:1].tolist()


def _row(table: Mapping[str, FloatArray], row: int, shift: int) -> str:
    """A trade in words."""
    if row >= table["side"].size:
        return "none"
    side = "long" if table["side"][row] > 0 else "short"
    text = f"{side} from bar {int(table['entry_bar'][row]) + shift}"
    if "entry_price" in table:
        text += f" at {table['entry_price'][row]:.10g}"
    if "exit_bar" in table and table["exit_bar"][row] >= 0:
        reason = Reason(int(table["reason"][row])).name.lower()
        text += f", {reason} in bar {int(table['exit_bar'][row]) + shift} at {table['exit_price'][row]:.10g}"
    return text
