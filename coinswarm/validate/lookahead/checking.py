"""The check: a few variants of a play, each run on all bars and on bars that were tampered with in three ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from coinswarm import errors
from coinswarm.backtest.run import fixed
from coinswarm.backtest.tape import VOLATILITY_BARS
from coinswarm.check import at_least
from coinswarm.config import Account, Costs
from coinswarm.market.bars import Bars
from coinswarm.play import describe
from coinswarm.play.model import Play
from coinswarm.types import FloatArray
from coinswarm.validate.lookahead import comparing, cuts
from coinswarm.validate.lookahead.comparing import Pair
from coinswarm.validate.lookahead.engine import HONEST, Engine
from coinswarm.validate.lookahead.findings import Findings, Offence, Tie
from coinswarm.validate.lookahead.history import RunHistory, Witness
from coinswarm.validate.lookahead.worlds import World

TRUNCATION, SCRAMBLE, WARM_UP = NAMES = ("truncation", "scramble", "warm-up")
SIMULATORS = ("fast", "reference")
_SETTLE = 5_000
"""Bars after the latest start that both simulators trade on in the warm-up test."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeVerdict:
    """What one kind of tampering has shown.

    Attributes:
        name: truncation, scramble or warm-up.
        compared: values that were compared.
        cuts: tampered data sets, over all variants.
        n_offences: values that did not agree; `offences` holds the first of them.
        n_ties: decisions that differ because two operands are as good as equal; `ties` holds the first of them.
        notes: what a reader should know.
    """

    name: str
    compared: int
    cuts: int
    n_offences: int
    offences: tuple[Offence, ...]
    n_ties: int
    ties: tuple[Tie, ...]
    notes: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Something was compared and all of it agreed."""
        return self.compared > 0 and self.n_offences == 0


@dataclass(frozen=True, kw_only=True, slots=True)
class LookaheadReport:
    """The verdicts on a play.

    Attributes:
        play, market: what was checked on which bars.
        variants: parameters of each variant that was checked, in one line.
        skipped: variants that never decide on these bars.
        trades: trades of the checked variants on all bars, by the fast simulator.
        verdicts: in the order of `NAMES`.
    """

    play: str
    market: str
    seed: int
    variants: tuple[str, ...]
    skipped: tuple[str, ...]
    trades: int
    verdicts: tuple[ProbeVerdict, ...]

    @property
    def passed(self) -> bool:
        """Every verdict passed."""
        return all(verdict.passed for verdict in self.verdicts)

    def __getitem__(self, name: str) -> ProbeVerdict:
        """One verdict by name."""
        return self.verdicts[NAMES.index(name)]


def check(
    play: Play,
    bars: Bars,
    *,
    markets: Mapping[str, Bars] | None = None,
    genomes: FloatArray | None = None,
    variants: int = 3,
    cuts: int = 8,
    seed: int = 0,
    costs: Costs | None = None,
    account: Account | None = None,
    engine: Engine = HONEST,
    progress: Progress | None = None,
) -> LookaheadReport:
    """Prove that a play looks at nothing that has not happened yet.

    *Truncation*: features and decisions on `bars[:t]` equal those on all bars up to `t`, and so do the trades closed before `t`.
    *Scramble*: with every bar from `t` on replaced by noise, those of other markets and funding included, nothing before `t` changes;
    where something is filled at the open of `t`, noise in the rest of that bar changes nothing about the fill.
    *Warm-up*: data that begins later gives the same decisions after the declared warm-up, with features equal to the play's warm-up
    tolerance of their value or usual size. Decisions may differ where operands tie to that tolerance, to 1e-9 where the data begins
    alike; such ties are listed.

    Args:
        play: a play, fixed or with a space.
        bars: (n_bars) exec bars.
        markets: bars of other markets, by canonical symbol.
        genomes: (n_variants, n_dims) the variants to check; None: `variants` of them, drawn by `seed`.
        variants: how many to draw, at least 1.
        cuts: places to cut at for each variant and kind, at least 1.
        seed: at least 0; the same seed gives the same report.
        costs: in place of the play's.
        account: in place of the play's.
        engine: what computes, decides and trades.
        progress: called with the steps done and the steps there are.

    Raises:
        SpanTooShort: no variant decides on these bars.
        NotFound: a market is missing.
        InvalidArgument: an argument lies outside its domain.
    """
    at_least(variants, "variants", 1)
    at_least(cuts, "cuts", 1)
    at_least(seed, "seed", 0)
    if len(bars) < 3:
        raise errors.SpanTooShort("a look-ahead check needs at least 3 bars", found=len(bars))
    chosen = _genomes(play, genomes, variants, seed)
    world = World(bars=bars, markets={bars.symbol: bars, **(markets or {})})
    run = _Run(cuts=cuts, seed=seed, steps=_Steps(progress, len(chosen) * (4 * cuts + 1)))
    for number, genome in enumerate(chosen):
        variant = fixed(play, genome)
        witness = Witness(engine=engine, play=variant, costs=costs or play.costs, account=account or play.account)
        run.check(witness, describe.variant(play, genome), world, number)
    return run.report(play, bars)


def _genomes(play: Play, genomes: FloatArray | None, n: int, seed: int) -> FloatArray:
    if genomes is not None:
        return np.atleast_2d(np.asarray(genomes, dtype=np.float64))
    if not play.space.dimensions:
        return np.empty((1, 0))
    return np.unique(play.space.sample(np.random.default_rng(seed), n), axis=0)


@dataclass
class _Steps:
    progress: Progress | None
    total: int
    done: int = 0

    def step(self, n: int = 1) -> None:
        self.done = min(self.total, self.done + n)
        if self.progress is not None:
            self.progress(self.done, self.total)


@dataclass
class _Run:
    """The check of all variants, as far as it has got."""

    cuts: int
    seed: int
    steps: _Steps
    found: dict[str, Findings] = field(default_factory=lambda: {name: Findings() for name in NAMES})
    tampered: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, 0))
    variants: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    trades: int = 0

    def check(self, witness: Witness, text: str, world: World, number: int) -> None:
        """Check one variant in all three ways."""
        end = (number + 1) * (4 * self.cuts + 1)
        base = witness.history(world)
        if base.wanted.first > len(world.bars) - 3:
            self.skipped.append(text)
        else:
            variant = _Variant(
                witness=witness, text=text, world=world, base=_traded(witness, base, world), rng=np.random.default_rng([self.seed, number])
            )
            self._check(variant)
        self.steps.step(end - self.steps.done)

    def _check(self, variant: _Variant) -> None:
        self.steps.step()
        self.variants.append(variant.text)
        self.trades += len(variant.base.trades["fast"])
        for name, tampering in ((TRUNCATION, variant.truncated), (SCRAMBLE, variant.scrambled), (WARM_UP, variant.begun_later)):
            for pair in tampering(self.cuts):
                self.tampered[name] += 1
                _compare(pair, self.found[name])
                self.steps.step()

    def report(self, play: Play, bars: Bars) -> LookaheadReport:
        """The verdicts."""
        if not self.variants:
            raise errors.SpanTooShort(
                "a play must decide on its bars to be checked", found=f"{len(bars)} bars, fewer than its warm-up", hint="give more bars"
            )
        if not self.trades:
            for name in (TRUNCATION, SCRAMBLE):
                self.found[name].notes["no trade on these bars: fills were not tested"] = None
        if not self.tampered[WARM_UP]:
            self.found[WARM_UP].notes["not tested: the data is not longer than the warm-up"] = None
        verdicts = tuple(
            ProbeVerdict(
                name=name, compared=found.compared, cuts=self.tampered[name], n_offences=found.n_offences, offences=tuple(found.offences),
                n_ties=found.n_ties, ties=tuple(found.ties), notes=tuple(found.notes),
            )
            for name, found in self.found.items()
        )  # fmt: skip
        return LookaheadReport(
            play=play.name, market=bars.key, seed=self.seed, variants=tuple(self.variants), skipped=tuple(self.skipped), trades=self.trades,
            verdicts=verdicts,
        )  # fmt: skip


def _compare(pair: Pair, findings: Findings) -> None:
    compared = comparing.knowledge(pair, findings)
    if compared is not pair:
        findings.notes["trades are compared up to the first tie only"] = None
    for simulator in pair.part.trades:
        comparing.trades(compared, simulator, findings)
        if pair.opened and compared is pair:
            comparing.fills(pair, simulator, findings)


def _traded(witness: Witness, base: RunHistory, world: World) -> RunHistory:
    """The history of all bars with its trades, those of the readable simulator on the head only."""
    head = cuts.head(base.wanted.first, len(world.bars))
    shorter = world.until(head) if head < len(world.bars) else world
    return replace(base, trades={"fast": witness.trades("fast", world), "reference": witness.trades("reference", shorter)})


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class _Variant:
    """One variant's run on all bars, and its runs on tampered ones."""

    witness: Witness
    text: str
    world: World
    base: RunHistory
    rng: np.random.Generator

    @property
    def first(self) -> int:
        return self.base.wanted.first

    def truncated(self, n: int) -> Iterator[Pair]:
        """Runs on the first bars only: no decision is taken on the last of them."""
        for t in self._cuts(n):
            yield self._pair(self.world.until(t), t, decided=t - 1)

    def scrambled(self, n: int) -> Iterator[Pair]:
        """Runs with noise from a bar on, and runs with noise from right after its open."""
        for t in self._cuts(n):
            yield self._pair(self.world.scrambled(t, self.rng), t, decided=t)
        costs = self.witness.costs
        by_volume = costs.slippage_participation > 0 or costs.max_participation is not None
        for t in cuts.at_fills(self._fills(), self.first, len(self.world.bars), self.rng, n):
            torn = self.world.scrambled(t, self.rng, opened=True, keep_volume=by_volume)
            yield self._pair(torn, t, decided=t, opened=True)

    def begun_later(self, n: int) -> Iterator[Pair]:
        """Runs on data that begins later; all of them trade from the same bar on."""
        size = len(self.world.bars)
        begun = [(s, self.world.since(s)) for s in cuts.starts(self.first, size, self.rng, max(2, n // 2))]
        parts = [(s, world, self.witness.history(world)) for s, world in begun]
        for s, world, part in parts:
            if s + part.wanted.first < size - 2:
                yield self._later(s, world, part)

    def _cuts(self, n: int) -> list[int]:
        entries = np.unique(self.base.trades["fast"].columns["entry_bar"]).astype(np.int64)
        return cuts.cuts(self.witness.play, self.world.bars, self.first, entries, self.rng, n)

    def _fills(self) -> np.ndarray:
        """Bars at whose open something may have been filled: entries and exits of both simulators."""
        columns = [trading.columns[name] for trading in self.base.trades.values() for name in ("entry_bar", "exit_bar")]
        return np.concatenate(columns).astype(np.int64)

    def _pair(self, tampered: World, t: int, *, decided: int, opened: bool = False) -> Pair:
        part = self.witness.history(tampered)
        asked = [name for name in SIMULATORS if name == "fast" or t < cuts.head(self.first, len(self.world.bars))]
        part = replace(part, trades={name: self.witness.trades(name, tampered) for name in asked})
        return Pair(
            witness=self.witness, variant=self.text, worlds=(self.world, tampered), whole=self.base, part=part,
            cut=t, high=t, decided=decided, opened=opened,
        )  # fmt: skip

    def _later(self, s: int, tampered: World, part: RunHistory) -> Pair:
        """Both runs trade from the first bar on which both decide and know what slippage depends on."""
        size = len(self.world.bars)
        waits = VOLATILITY_BARS + 1 if self.witness.costs.slippage_volatility > 0 else 0
        start = min(size - 1, max(self.first, s + max(part.wanted.first, waits)))
        start_ts, end = int(self.world.bars.ts[start]), min(size, start + _SETTLE)
        asked = [name for name in SIMULATORS if name == "fast" or start < cuts.HEAD]
        whole_end, part_end = self.world.until(end), tampered.until(end - s)
        return Pair(
            witness=self.witness, variant=self.text, worlds=(self.world, tampered), cut=s, shift=s, high=size, traded=end,
            decided=size, warm_only=True,
            whole=replace(self.base, trades={name: self.witness.trades(name, whole_end, start_ts) for name in asked}),
            part=replace(part, trades={name: self.witness.trades(name, part_end, start_ts) for name in asked}),
        )  # fmt: skip
