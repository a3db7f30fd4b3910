"""The law everything rests on: the fast path and the readable simulator are one, trade for trade and figure for figure."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings

from coinswarm import backtest, errors, fitness
from coinswarm.backtest.run import Backtest
from coinswarm.config import Account, Costs
from coinswarm.kernels.codes import N_OUTCOME, Outcome, Reason
from coinswarm.market.bars import Bars
from coinswarm.metrics.figures import FIGURES, Status
from coinswarm.play import model
from tests.laws import random_plays

NO_GENES = np.empty((1, 0))
OF_RETURNS = ("sharpe", "sortino", "skew", "kurtosis")
ROUNDING = 1e-14
"""Generous bound on what rounding does to equity in the course of a history, relative to the starting equity."""


def assert_figures(score: np.void, slow: Backtest) -> None:
    """Equal to 1e-9; figures of returns also to what the rounding of equity leaves of their deviation."""
    equity = np.concatenate([[slow.account.starting_equity], slow.equity[slow.start :]])
    smallest = max(float(equity.min()), 1e-300)
    noise = min(1.0, ROUNDING * slow.account.starting_equity / smallest)
    returns = equity[1:] / equity[:-1] - 1.0 if equity.min() > 0 else np.zeros(1)
    deviation, downside = float(np.std(returns)), float(np.sqrt(np.mean(np.minimum(returns, 0.0) ** 2)))
    for name in FIGURES:
        slack = 1e-9 + 1e3 * noise
        if name in OF_RETURNS:
            slack += noise / deviation if deviation > noise else np.inf
        if name == "sortino":
            slack += noise / downside if downside > noise else np.inf
        if name in ("cagr", "calmar"):
            slack += noise * slow.bars.timeframe.periods_per_year + noise / max(slow.metrics["max_drawdown"], noise)
        figure, expected = float(score[name]), slow.metrics[name]
        scale = max(abs(expected), np.sqrt(slow.bars.timeframe.periods_per_year) if name in OF_RETURNS else 1e-3)
        assert figure == expected or abs(figure - expected) <= slack * scale, (name, figure, expected, slack)


def assert_one(play: model.Play, bars: Bars, costs: Costs, account: Account) -> None:
    scorer = fitness.Scorer(play, bars, costs=costs, account=account)
    score = scorer.score(NO_GENES)[0]
    try:
        slow = backtest(play, bars, costs=costs, account=account)
    except errors.SpanTooShort:
        assert score["status"] == Status.INVALID
        return
    assert score["status"] == slow.status
    curve, log = scorer.replay(NO_GENES[0])
    assert [tuple(row) for row in log[:, [Outcome.ENTRY_BAR, Outcome.EXIT_BAR, N_OUTCOME]].astype(int)] == _spans(slow)
    assert [Reason(int(row)).name.lower() for row in log[:, Outcome.REASON]] == slow.trades["exit_reason"].to_list()
    np.testing.assert_allclose(curve, slow.equity, rtol=1e-9, atol=1e-12 * account.starting_equity)
    pnl = log[:, N_OUTCOME + 1] * log[:, Outcome.RETURN] * log[:, Outcome.NOTIONAL]
    np.testing.assert_allclose(pnl, slow.trades["pnl"].to_numpy(), rtol=1e-9, atol=1e-9 * account.starting_equity)
    assert_figures(score, slow)


def _spans(slow: Backtest) -> list[tuple[int, int, int]]:
    last = len(slow.bars) - 1
    side = {"long": 1, "short": -1, 1: 1, -1: -1}
    rows = slow.trades.select("entry_bar", "exit_bar", "side").rows()
    return [(entry, last if leave is None else leave, side[which]) for entry, leave, which in rows]


EXAMPLES = 400 if settings.get_current_profile_name() != "thorough" else 20_000


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(play=random_plays.plays(), bars=random_plays.markets(), costs=random_plays.COSTS, account=random_plays.ACCOUNTS)
def test_random_plays_on_random_bars_give_the_same_trades_and_figures(play: model.Play, bars: Bars, costs: Costs, account: Account) -> None:
    assert_one(play, bars, costs, account)
