"""Risk and policy of a batch of variants as rows of numbers for the compiled simulator, one row for each different rule."""

from __future__ import annotations

import copy

import numpy as np

from coinswarm.config import Account
from coinswarm.fitness.conditions import Evaluation
from coinswarm.fitness.distinct import Distinct, combinations
from coinswarm.kernels.codes import InForce, RuleColumn, Size, StopCode, TargetCode
from coinswarm.play import expressions, model
from coinswarm.types import FloatArray, IntArray

_STOPS = {
    model.StopKind.PERCENT: StopCode.PERCENT,
    model.StopKind.ATR: StopCode.ATR,
    model.StopKind.POINTS: StopCode.POINTS,
    model.StopKind.STRUCTURE: StopCode.STRUCTURE,
    model.StopKind.TRAILING_PERCENT: StopCode.TRAIL_PERCENT,
    model.StopKind.TRAILING_ATR: StopCode.TRAIL_ATR,
}
_TARGETS = {
    model.TargetKind.PERCENT: TargetCode.PERCENT,
    model.TargetKind.ATR: TargetCode.ATR,
    model.TargetKind.POINTS: TargetCode.POINTS,
    model.TargetKind.R_MULTIPLE: TargetCode.R_MULTIPLE,
}
_SIZES = {
    model.SizingModel.PERCENT_EQUITY: Size.PERCENT_EQUITY,
    model.SizingModel.RISK_BASED: Size.RISK_BASED,
    model.SizingModel.FIXED_NOTIONAL: Size.FIXED_NOTIONAL,
}
_FORCES = {
    model.TimeInForce.GTC: InForce.GTC,
    model.TimeInForce.IOC: InForce.IOC,
    model.TimeInForce.FOK: InForce.FOK,
    model.TimeInForce.POST_ONLY: InForce.POST_ONLY,
}
_OF_MARGIN = (RuleColumn.ACTIVATION, RuleColumn.BREAK_EVEN_AT, RuleColumn.BREAK_EVEN_OFFSET)


class RuleTable:
    """The different rules of a batch.

    Attributes:
        rows: (n_rules, n_columns) numbers, columns of `kernels.codes.RuleColumn`.
        index: (n_variants,) which rule each variant has.
        levels: (n_levels, n_bars) operands that stops and targets refer to by row.
        first: (n_variants,) the first bar on which all of a variant's levels may be used.
    """

    def __init__(self, evaluation: Evaluation, account: Account) -> None:
        self._evaluation = evaluation
        self._account = account
        self._columns: dict[RuleColumn, Distinct] = {}
        self._level_rows: list[FloatArray] = []
        self.first = np.zeros(evaluation.n_variants, dtype=np.int64)
        self._read(evaluation.play)
        self.rows, self.index = self._build()
        self.levels = np.stack(self._level_rows) if self._level_rows else np.full((1, evaluation.n), np.nan)

    def take(self, variants: IntArray) -> RuleTable:
        """The same rules for chosen variants, (n,) by their place."""
        chosen = copy.copy(self)
        chosen.index, chosen.first = self.index[variants], self.first[variants]
        return chosen

    def _read(self, play: model.Play) -> None:
        risk, policy = play.risk, play.policy
        self._put(RuleColumn.LEVERAGE, risk.sizing.max_leverage if risk.sizing.max_leverage is not None else self._account.max_leverage)
        self._put(RuleColumn.SIZE_MODEL, float(_SIZES[risk.sizing.model]))
        self._put(RuleColumn.SIZE_VALUE, risk.sizing.value)
        self._read_stop(risk.stop)
        self._read_target(risk.target)
        if risk.break_even is not None:
            self._put(RuleColumn.BREAK_EVEN_AT, risk.break_even.activation_pct)
            self._put(RuleColumn.BREAK_EVEN_OFFSET, risk.break_even.offset_pct)
        if risk.max_hold_bars is not None:
            self._put(RuleColumn.MAX_HOLD, risk.max_hold_bars)
        if risk.limit is not None:
            self._put(RuleColumn.LIMIT_OFFSET, risk.limit.offset_pct)
            self._put(RuleColumn.TIME_IN_FORCE, float(_FORCES[risk.limit.time_in_force]))
            self._put(RuleColumn.EXPIRE_AFTER, risk.limit.expire_after_bars)
        self._put(RuleColumn.USE_SIGNAL, float(policy.exit_mode is not model.ExitMode.SL_TP_ONLY))
        self._put(RuleColumn.USE_LEVELS, float(policy.exit_mode is not model.ExitMode.SIGNAL))
        self._put(RuleColumn.REVERSE, float(policy.reverse))

    def _read_stop(self, stop: model.Stop | None) -> None:
        if stop is None:
            return
        self._put(RuleColumn.STOP_KIND, float(_STOPS[stop.kind]))
        self._put(RuleColumn.STOP_VALUE, stop.value)
        if stop.activation_pct is not None:
            self._put(RuleColumn.ACTIVATION, stop.activation_pct)
        if stop.level is not None:
            self._put_level(RuleColumn.STOP_ROW_LONG, stop.level)
            self._put_level(RuleColumn.STOP_ROW_SHORT, stop.level_short if stop.level_short is not None else stop.level)

    def _read_target(self, target: model.Target | None) -> None:
        if target is None:
            return
        self._put(RuleColumn.TARGET_KIND, float(_TARGETS[target.kind]))
        self._put(RuleColumn.TARGET_VALUE, target.value)
        if target.level is not None:
            self._put_level(RuleColumn.TARGET_ROW, target.level)

    def _put(self, column: RuleColumn, number: expressions.Number) -> None:
        self._columns[column] = self._evaluation.number(number)

    def _put_level(self, column: RuleColumn, operand: expressions.Operand) -> None:
        found = self._evaluation.operand(operand)
        places = [float(len(self._level_rows) + k) for k in range(len(found.results))]
        self._level_rows += [np.broadcast_to(np.asarray(result, dtype=np.float64), (self._evaluation.n,)) for result in found.results]
        self._columns[column] = Distinct(found.keys, places, found.firsts, found.index)
        self.first = np.maximum(self.first, found.first_of_variants())

    def _build(self) -> tuple[FloatArray, IntArray]:
        columns = list(self._columns)
        children = [self._columns[column] for column in columns]
        sizes = [len(child.keys) for child in children]
        picks, index = combinations([child.index for child in children], sizes, self._evaluation.n_variants)
        rows = np.zeros((picks.shape[0], len(RuleColumn)))
        rows[
            :, [RuleColumn.STOP_ROW_LONG, RuleColumn.STOP_ROW_SHORT, RuleColumn.TARGET_ROW, RuleColumn.ACTIVATION, RuleColumn.BREAK_EVEN_AT]
        ] = -1.0
        rows[:, RuleColumn.LIMIT_OFFSET] = np.nan
        for c, column in enumerate(columns):
            rows[:, column] = np.asarray(children[c].results, dtype=np.float64)[picks[:, c]]
        self._to_price_moves(rows, set(columns))
        return rows, index

    def _to_price_moves(self, rows: FloatArray, given: set[RuleColumn]) -> None:
        """Percent of margin becomes a fraction of price, once the leverage of each row is known.

        Divided in the order of `backtest.rules.price_move`: with prices in ticks, the last digit of a level decides whether it is touched.
        """
        leverage = np.maximum(1.0, np.minimum(rows[:, RuleColumn.LEVERAGE], self._account.max_leverage))
        rows[:, RuleColumn.LEVERAGE] = leverage
        for column in _OF_MARGIN:
            if column in given:
                rows[:, column] = rows[:, column] / 100.0 / leverage
        for kind, codes, value in (
            (RuleColumn.STOP_KIND, (StopCode.PERCENT, StopCode.TRAIL_PERCENT), RuleColumn.STOP_VALUE),
            (RuleColumn.TARGET_KIND, (TargetCode.PERCENT,), RuleColumn.TARGET_VALUE),
        ):
            of_margin = np.isin(rows[:, kind], [float(code) for code in codes])
            rows[of_margin, value] = rows[of_margin, value] / 100.0 / leverage[of_margin]
