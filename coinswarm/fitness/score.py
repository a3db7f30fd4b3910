"""Scores for a batch of variants: features once, conditions once as bits, trades by jumping, figures by sums.

The fast twin of `coinswarm.backtest`, held equal to it by tests/laws/test_fitness_equals_backtest.py.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np

from coinswarm import errors
from coinswarm.backtest.run import same_timeframe
from coinswarm.config import Account, Costs
from coinswarm.fitness import figures, tape, waiting
from coinswarm.fitness.cache import DEFAULT_BYTES, Cache, CacheInfo
from coinswarm.fitness.conditions import Evaluation
from coinswarm.fitness.distinct import Distinct, combinations
from coinswarm.fitness.rules import RuleTable
from coinswarm.indicators.features import find
from coinswarm.kernels.chain import chain, chain_batch, exit_row
from coinswarm.kernels.codes import N_OUTCOME, N_TALLY, Tally
from coinswarm.market.bars import Bars
from coinswarm.metrics.figures import FIGURES, SCORE_DTYPE, Status
from coinswarm.play import expressions, model, runs, slots
from coinswarm.play.runs import with_tolerance
from coinswarm.types import Bits, FloatArray, IntArray

_CHUNK_BYTES = 48 * 2**20
"""Room for the condition bits of one chunk of variants."""
_FEATURE_BYTES = 256 * 2**20
"""Room for the different features of one chunk: where every variant has its own, they and not the bits are what fills the memory."""


class Scorer:
    """Scores variants of one play on one market, generation after generation, remembering features and conditions.

    Args:
        play: the play; its space says what a genome is.
        bars: candles of the traded market.
        costs, account: replace those of the play.
        markets: candles of other markets the play's features name, by canonical symbol.
        start_ts: first time (ms) at which a decision may be taken; earlier bars only warm features up.
        end_ts: bars that open at or after it are not used.
        warmup_tolerance: how far the bars before the data may move a warm feature, in units of its own scale; None: as the play has it.
        cache_bytes: how much the scorer may remember.
        feature_bytes: how much the features of variants that are scored together may take; those of one variant always may.

    Raises:
        InvalidArgument: the bars are of another length than the play's.
    """

    def __init__(
        self,
        play: model.Play,
        bars: Bars,
        *,
        costs: Costs | None = None,
        account: Account | None = None,
        markets: Mapping[str, Bars] | None = None,
        start_ts: int | None = None,
        end_ts: int | None = None,
        warmup_tolerance: float | None = None,
        cache_bytes: int = DEFAULT_BYTES,
        feature_bytes: int = _FEATURE_BYTES,
    ) -> None:
        same_timeframe(play, bars)
        self.play = play = with_tolerance(play, warmup_tolerance)
        self.costs = costs or play.costs
        self.account = account or play.account
        self.bars = bars if end_ts is None else bars[: bars.index_at(end_ts)]
        self.markets = dict(markets or {})
        self._start = 0 if start_ts is None else self.bars.index_at(start_ts)
        self._cache = Cache(cache_bytes)
        self._tape = tape.tape_of(self.bars, self.costs, play.policy.max_gap_ms)
        terms = tape.terms_of(self.costs, self.account)
        self._terms = terms._replace(min_notional=0.0) if self.scale_free else terms
        self._shared = tape.shared_outcomes(len(self.bars))
        self._groups = 0
        self._feature_bytes = feature_bytes
        leaving = (play.risk, play.exit_long, play.exit_short)
        self._outcome_slots = _slots(play, *leaving)
        self._condition_slots = _slots(play, play.entry_long, play.entry_short, *leaving)

    @property
    def cache_info(self) -> CacheInfo:
        """How often a feature or condition was already there."""
        return self._cache.info

    @property
    def outcomes_reused(self) -> float:
        """Share of trades whose outcome another variant had already paid for; 0 before the first."""
        _, asked, found = self._shared.used.tolist()
        return found / asked if asked else 0.0

    @property
    def scale_free(self) -> bool:
        """Whether a trade's outcome is the same at any equity."""
        fixed = self.play.risk.sizing.model is model.SizingModel.FIXED_NOTIONAL
        costs = self.costs
        return not (fixed or costs.lot_step > 0 or costs.slippage_participation > 0 or costs.max_participation is not None)

    def score(self, genomes: FloatArray, *, entries: Bits | None = None) -> np.ndarray:
        """Every figure of every variant.

        Args:
            genomes: (n_variants, n_dims) variants of the play's space.
            entries: (n_words,) packed bits of the decision bars on which a trade may be entered; None: on all of them. What is entered
                ends when it would have ended anyway, so the trades are some of those of the whole.

        Returns:
            (n_variants,) of SCORE_DTYPE. A variant whose features are never warm on these bars is INVALID, its figures NaN.
        """
        genomes = np.atleast_2d(np.asarray(genomes, dtype=np.float64))
        if genomes.shape[1] != len(self.play.space.dimensions):
            raise errors.ShapeMismatch(f"genomes must have {len(self.play.space.dimensions)} dimensions", found=genomes.shape[1])
        values = self.play.space.values(genomes)
        scores = unscored(values.shape[0], Status.INVALID)
        for piece in self._pieces(values):
            batch = self._batch(values[piece])
            scores[piece] = self._scored(batch if entries is None else batch.allowing(entries), len(piece))
        return scores

    def score_entries(self, genome: FloatArray, enter_long: Bits, enter_short: Bits) -> np.ndarray:
        """Every figure of one variant traded on other entries than its own: its stops, targets, exit signals, sizes and costs stay.

        Args:
            genome: (n_dims,) the variant.
            enter_long: (n, n_words) decision bars as packed bits, one history a row.
            enter_short: the same for shorts; a bar set in both enters nothing.

        Returns:
            (n,) of SCORE_DTYPE; INVALID where the variant's features are never warm on these bars.
        """
        batch = self._batch(self.play.space.values(np.atleast_2d(np.asarray(genome, dtype=np.float64))))
        return self._scored(batch.entering(enter_long, enter_short), len(enter_long))

    def reasons(self, genomes: FloatArray) -> tuple[str, ...]:
        """Why variants are INVALID, one sentence each: the feature they wait for, what it needs, and what there is.

        Args:
            genomes: (n_variants, n_dims) variants that `score` called INVALID.
        """
        values = self.play.space.values(np.atleast_2d(np.asarray(genomes, dtype=np.float64)))
        return waiting.reasons(Evaluation(self.play, values, self.bars, self.markets, self._cache), self._start)

    def first_decision(self, genome: FloatArray) -> int:
        """The first bar on which a variant may decide; it may lie beyond the bars."""
        return int(self._batch(self.play.space.values(np.atleast_2d(np.asarray(genome, dtype=np.float64)))).first[0])

    def _pieces(self, values: FloatArray) -> list[IntArray]:
        """Which variants are scored together: all of them, or as many as have room for their conditions and features.

        Variants with the same risk and exits stay together, because they share outcomes: cutting at a fixed number of variants instead
        cost W1 of docs/benchmarks.md a third of its speed, and half of it on eight times the bars.
        """
        words = max(1, (len(self.bars) + 63) // 64)
        room = max(128, _CHUNK_BYTES // (16 * words))
        n = values.shape[0]
        if n <= room or len(np.unique(values[:, self._condition_slots], axis=0)) <= room:
            room = n
        if n <= room and self._has_room_for_features(values):
            return [np.arange(n)] if n else []
        order = np.lexsort(values[:, self._outcome_slots].T) if self._outcome_slots else np.arange(n)
        return [piece for k in range(0, n, room) for piece in self._halves(values, order[k : k + room])]

    def _halves(self, values: FloatArray, order: IntArray) -> list[IntArray]:
        """The variants in as many pieces as it takes until each one's features have room."""
        half = order.size // 2
        if half == 0 or self._has_room_for_features(values[order]):
            return [order]
        return [*self._halves(values, order[:half]), *self._halves(values, order[half:])]

    def _has_room_for_features(self, values: FloatArray) -> bool:
        """Whether the arrays that these variants' features are fit into memory, each different one counted once."""
        arrays = 0
        for feature in self.play.features.values():
            varying = list(slots.slots_in(*slots.chain(feature, self.play.features)))
            different = len(np.unique(values[:, varying], axis=0)) if varying else 1
            arrays += different * len(find(feature.indicator).outputs)
        return arrays * len(self.bars) * 8 <= self._feature_bytes

    def _scored(self, batch: _Batch, n_variants: int) -> np.ndarray:
        n = len(self.bars)
        scores = unscored(n_variants, Status.INVALID)
        able = np.flatnonzero(batch.first < n - 1)
        if able.size == 0:
            return scores
        tallies = np.zeros((n_variants, N_TALLY))
        order = self._order(batch, able)
        chain_batch(
            self._tape, self._terms, self.account.min_notional, batch.rules.levels, batch.rules.rows, batch.entry_rows, batch.exit_rows,
            order, self.scale_free, self._shared, tallies,
        )  # fmt: skip
        n_obs = n - batch.first[able]
        year = self.bars.periods_per_year_from(batch.first[able])
        scores[able], doubtful = figures.from_tallies(tallies[able], n_obs, year, self.account.starting_equity)
        for row in order[np.isin(order[:, 0], able[doubtful])]:
            self._from_curve(batch, row, scores)
        return scores

    def _order(self, batch: _Batch, able: IntArray) -> IntArray:
        """(n, 8) the variants by rule and exits, so that those that can share outcomes follow each other."""
        group = batch.groups(reverse=self.play.policy.reverse)
        order = able[np.argsort(group[able], kind="stable")]
        sizes = np.bincount(group[order], minlength=int(group.max()) + 1)
        number = np.where(sizes[group] > 1, group + self._groups, -1)
        self._groups += int(group.max()) + 1
        return np.column_stack([order, batch.rules.index[order], batch.rows[order], batch.first[order], number[order]])

    def _from_curve(self, batch: _Batch, row: IntArray, scores: np.ndarray) -> None:
        """Take the moments of one variant from its equity curve, centred."""
        curve, _ = self._replay(batch, row)
        place, first = int(row[0]), int(row[6])
        equity = np.concatenate([[self.account.starting_equity], curve[first:]])
        returns = np.where(equity[:-1] > 0.0, equity[1:] / np.where(equity[:-1] > 0.0, equity[:-1], 1.0) - 1.0, 0.0)
        for name, value in figures.moments_of(returns, self.bars[first:].periods_per_year).items():
            scores[name][place] = value

    def replay(self, genome: FloatArray, *, entries: Bits | None = None) -> tuple[FloatArray, FloatArray]:
        """One variant's history as the fast path sees it.

        Args:
            genome: (n_dims,) the variant.
            entries: (n_words,) packed bits of the decision bars on which a trade may be entered; None: on all of them.

        Returns:
            (n_bars,) equity at closes, and (n_trades, N_OUTCOME + 2) one record a trade: `kernels.codes.Outcome`, then side and equity
            before it. Both empty when no decision is possible.
        """
        batch = self._batch(self.play.space.values(np.atleast_2d(genome)))
        return self._history(batch if entries is None else batch.allowing(entries))

    def replay_entries(self, genome: FloatArray, enter_long: Bits, enter_short: Bits) -> tuple[FloatArray, FloatArray]:
        """As `replay`, of a variant traded on other entries than its own: (n_words,) packed decision bars of each side."""
        batch = self._batch(self.play.space.values(np.atleast_2d(np.asarray(genome, dtype=np.float64))))
        return self._history(batch.entering(enter_long[np.newaxis], enter_short[np.newaxis]))

    def _history(self, batch: _Batch) -> tuple[FloatArray, FloatArray]:
        """What `replay` answers, of a batch of one."""
        if batch.first[0] >= len(self.bars) - 1:
            return np.empty(0), np.empty((0, N_OUTCOME + 2))
        return self._replay(batch, self._order(batch, np.zeros(1, dtype=np.int64))[0])

    def _replay(self, batch: _Batch, row: IntArray) -> tuple[FloatArray, FloatArray]:
        curve = np.full(len(self.bars), np.nan)
        log = np.zeros((len(self.bars), N_OUTCOME + 2))
        tally = np.zeros(N_TALLY)
        chain(
            self._tape, self._terms, self.account.min_notional, batch.rules.levels, batch.rules.rows[row[1]],
            batch.entry_rows[row[2]], batch.entry_rows[row[3]], exit_row(batch.exit_rows, row[4]), exit_row(batch.exit_rows, row[5]),
            row[6], -1, self.scale_free, self._shared, tally, curve, log,
        )  # fmt: skip
        if np.isnan(curve[0]):
            curve[0] = self.account.starting_equity
        known = np.maximum.accumulate(np.where(np.isnan(curve), 0, np.arange(curve.size)))
        return curve[known], log[: int(tally[Tally.N_ENTERED])]

    def _batch(self, values: FloatArray) -> _Batch:
        return _Batch(Evaluation(self.play, values, self.bars, self.markets, self._cache), self.account, self._start)


def _slots(play: model.Play, *parts: object) -> list[int]:
    """The dimensions that parts of a play depend on, the features they lean on included."""
    return sorted(slots.slots_in(*parts, *(play.features[name] for name in slots.features_of(play.features, *parts))))


def unscored(n_variants: int, status: Status) -> np.ndarray:
    """Scores of variants that have none: the status, and NaN for every figure."""
    scores = np.zeros(n_variants, dtype=SCORE_DTYPE)
    for name in FIGURES:
        scores[name] = np.nan
    scores["status"] = status
    return scores


class _Batch:
    """The rows of bits and rules that a chunk of variants points to."""

    def __init__(self, evaluation: Evaluation, account: Account, start: int) -> None:
        play = evaluation.play
        self._none = np.zeros((evaluation.n + 63) // 64, dtype=np.uint64)
        self.rules = RuleTable(evaluation, account)
        self.first = np.maximum(self.rules.first, start)
        found = [self._truths(evaluation, node) for node in (play.entry_long, play.entry_short, play.exit_long, play.exit_short)]
        for distinct in found:
            self.first = np.maximum(self.first, distinct.first_of_variants())
        if play.policy.mode is model.Mode.SHORT_ONLY:
            found[0] = self._never(evaluation)
        if play.policy.mode is model.Mode.LONG_ONLY:
            found[1] = self._never(evaluation)
        if play.policy.exit_mode is model.ExitMode.SL_TP_ONLY:
            found[2] = found[3] = self._never(evaluation)
        self.entry_rows = np.stack([*found[0].results, *found[1].results])
        self.exit_rows = np.stack([*found[2].results, *found[3].results])
        offsets = [0, len(found[0].results), 0, len(found[2].results)]
        self.rows = np.column_stack([distinct.index + offset for distinct, offset in zip(found, offsets, strict=True)])
        for k in (2, 3):
            if found[k].keys == ["never"]:
                self.rows[:, k] = -1

    def _truths(self, evaluation: Evaluation, node: expressions.Condition | None) -> Distinct:
        return evaluation.condition(node) if node is not None else self._never(evaluation)

    def _never(self, evaluation: Evaluation) -> Distinct:
        zeros = np.zeros(evaluation.n_variants, dtype=np.int64)
        return Distinct(["never"], [self._none], np.zeros(1, dtype=np.int64), zeros)

    def entering(self, enter_long: Bits, enter_short: Bits) -> _Batch:
        """This batch of one variant as many, each with its own row of entries."""
        many = copy.copy(self)
        n, one = len(enter_long), np.zeros(len(enter_long), dtype=np.int64)
        many.rules = self.rules.take(one)
        many.first = self.first[one]
        many.entry_rows = np.concatenate([enter_long, enter_short])
        many.rows = np.column_stack([np.arange(n), np.arange(n, 2 * n), self.rows[one, 2], self.rows[one, 3]])
        return many

    def allowing(self, entries: Bits) -> _Batch:
        """This batch with entries on none but some bars."""
        some = copy.copy(self)
        some.entry_rows = self.entry_rows & entries
        return some

    def groups(self, *, reverse: bool) -> IntArray:
        """(n_variants,) equal where trades from the same decision bar have the same outcome."""
        columns = [self.rules.index, self.rows[:, 2] + 1, self.rows[:, 3] + 1]
        if reverse:
            columns += [self.rows[:, 0], self.rows[:, 1]]
        sizes = [int(column.max()) + 1 for column in columns]
        return combinations(columns, sizes, self.rules.index.size)[1]


def score(
    play: model.Play,
    genomes: FloatArray,
    bars: Bars,
    *,
    costs: Costs | None = None,
    account: Account | None = None,
    markets: Mapping[str, Bars] | None = None,
    start_ts: int | None = None,
    end_ts: int | None = None,
    side: runs.Side | None = None,
    warmup_tolerance: float | None = None,
) -> np.ndarray:
    """Score a batch of variants once; see `Scorer` for the arguments and for scoring generation after generation.

    With a `side` the entries of that side alone are taken, as `coinswarm.play.one_side` says.

    Returns:
        (n_variants,) of SCORE_DTYPE: status and every figure of docs/simulation.md.
    """
    play = play if side is None else runs.one_side(play, side)
    scorer = Scorer(
        play, bars, costs=costs, account=account, markets=markets, start_ts=start_ts, end_ts=end_ts, warmup_tolerance=warmup_tolerance
    )
    return scorer.score(genomes)
