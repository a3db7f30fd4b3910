"""Superiority tests: the leaderboard against itself, against buy and hold, and against random entries."""

from __future__ import annotations

import numpy as np

from coinswarm import errors, stats
from coinswarm.market.splits import Span
from coinswarm.metrics import returns
from coinswarm.types import FloatArray
from coinswarm.validate import curves, names
from coinswarm.validate.bench import Bench, different, stacked
from coinswarm.validate.card import Chart, Section, Table
from coinswarm.validate.odds import refuse_too_few, varying
from coinswarm.validate.spans import portfolio_of

_LEADERS = 50
_BLOCKS = 16
_LEAST_TRIALS, _MOST_TRIALS = 10, 128


def overfitting(bench: Bench) -> Section:
    """Does being best on half of the training span help on the other half?"""
    leaders = stacked(bench.case.genome, bench.case.trials.leaderboard, _LEADERS)
    matrix, _, bars = bench.matrix(bench.case.splits.train, leaders)
    returns = varying(matrix)
    overfit = stats.probability_of_backtest_overfitting(returns, _BLOCKS)
    figures = {
        "pbo": overfit.pbo, "probability_of_loss": overfit.probability_of_loss, "slope": overfit.slope,
        "n_variants": float(returns.shape[1]),
    }  # fmt: skip
    withheld: dict[str, str] = {}
    try:
        figures["pbo_trials"] = _among_trials(bench)
    except errors.BadInput as error:
        withheld["pbo_trials"] = str(error)
    chart = Chart(kind="histogram", title="Log odds of the winner's rank on the other half; at or below 0 it is in the lower half",
                  series={"splits": tuple(overfit.logits[:: max(1, overfit.logits.size // 3000)].tolist())}, mark=0.0)  # fmt: skip
    note = (
        f"CSCV of {returns.shape[1]} variants in {_BLOCKS} blocks of periods of {bars} bars. "
        "One matrix of noise has a PBO of .5 give or take .2, so a value near .5 decides nothing; nor does one of a leaderboard whose "
        "variants are equally good, which is why the gates ask for that of an even sample of all trials."
    )
    return Section(
        name="overfitting", title=names.TITLES["overfitting"], figures=figures, charts=(chart,), notes=(note,), withheld=withheld
    )


def _among_trials(bench: Bench) -> float:
    """PBO of the variant among a sample of all that was tried: whether the search had anything to choose by."""
    facts = bench.case.trials
    if len(facts.sample) < _LEAST_TRIALS:
        raise errors.SpanTooShort(f"the PBO of trials needs at least {_LEAST_TRIALS} of them", found=len(facts.sample))
    matrix, _, _ = bench.matrix(bench.case.splits.train, stacked(bench.case.genome, facts.sample, _MOST_TRIALS))
    return stats.probability_of_backtest_overfitting(varying(matrix), _BLOCKS).pbo


def superiority(bench: Bench) -> Section:
    """Does the best of the leaderboard beat doing nothing clever?"""
    span = bench.case.splits.train
    refuse_too_few(portfolio_of(bench, span))
    leaders = stacked(bench.case.genome, bench.case.trials.leaderboard, _LEADERS)
    matrix, _, bars = bench.matrix(span, leaders)
    returns = matrix[:, different(matrix)]
    lots, sharpes = _lotteries(bench, span, bars)
    hold = bench.hold(span, bars)
    figures = {
        **_tests(bench, returns, hold, "hold"),
        **_tests(bench, beside_market(returns, hold), 0.0, "beta"),
        **_tests(bench, returns, lots, "lottery"),
        "lottery_p": _as_good(sharpes, bench.portfolio(span).sharpe_per_bar),
        "n_lotteries": float(sharpes.size),
    }
    withheld = {}
    later = bench.case.splits.validation
    if later is None:
        withheld["lottery_p_validation"] = "nothing was held out of the search"
    elif bench.portfolio(later).n_trades == 0:
        withheld["lottery_p_validation"] = "no closed trade in the validation span"
    else:
        figures["lottery_p_validation"] = _as_good(_lotteries(bench, later, bars)[1], bench.portfolio(later).sharpe_per_bar)
    year = np.sqrt(bench.portfolio(span).periods_per_year)
    chart = Chart(kind="histogram", title="Annual Sharpe of the lotteries in sample; marked: this variant",
                  series={"lotteries": tuple((sharpes * year).tolist())}, mark=float(bench.portfolio(span).sharpe))  # fmt: skip
    note = (
        f"{returns.shape[1]} different variants, periods of {bars} bars, {bench.case.effort.resamples} stationary bootstrap resamples. "
        "A lottery enters at random as often and on the same sides, with the variant's exits, sizes and costs."
    )
    return Section(name="superiority", title=names.TITLES["superiority"], figures=figures, charts=(chart,), notes=(note,),
                   withheld=withheld, tables=(_table(figures),))  # fmt: skip


def beside_market(matrix: FloatArray, market: FloatArray) -> FloatArray:
    """(n_periods, n) what is left of variants' returns without the market's at each one's own beta; their means are Jensen's alpha.

    A play that is in the market on a tenth of the bars is not asked to earn what holding it on all of them does, nor credited with its
    drift.

    Args:
        matrix: (n_periods, n) returns of the variants.
        market: (n_periods,) returns of holding.

    Source: Jensen 1968 ("The performance of mutual funds").
    """
    swing = market - market.mean()
    spread = float(swing @ swing)
    beta = swing @ matrix / spread if spread > 0 else np.zeros(matrix.shape[1])
    return np.asarray(matrix - np.outer(market, beta))


def _tests(bench: Bench, matrix: FloatArray, benchmark: FloatArray | float, name: str) -> dict[str, float]:
    given = {"n_resamples": bench.case.effort.resamples}
    check = stats.reality_check(matrix, benchmark, rng=bench.case.stream("reality check", name), **given)
    ability = stats.superior_predictive_ability(matrix, benchmark, rng=bench.case.stream("spa", name), **given)
    return {f"reality_check_{name}": check.p_value, f"spa_{name}": ability.p_value}


def _lotteries(bench: Bench, span: Span, bars: int) -> tuple[np.ndarray, np.ndarray]:
    """(n_periods,) the mean return of lotteries on this variant, and (n,) the per-bar Sharpe ratio of each."""
    own = bench.portfolio(span)
    total, sharpes = np.zeros(own.returns.size), []
    for number in range(bench.case.effort.lotteries):
        found = bench.lottery(span, number, from_ts=int(own.ts[0])).returns
        total += found
        sharpes.append(returns.sharpe(found, 1.0))
    if not sharpes:
        raise errors.InvalidArgument("lotteries must be drawn", found=0)
    return curves.by_period(total / len(sharpes), bars), np.array(sharpes)


def _as_good(lots: np.ndarray, own: float) -> float:
    return (int((lots >= own).sum()) + 1) / (lots.size + 1)


def _table(figures: dict[str, float]) -> Table:
    rows = (
        ("buy and hold", figures["reality_check_hold"], figures["spa_hold"]),
        ("as much of it as its own beta", figures["reality_check_beta"], figures["spa_beta"]),
        ("the mean lottery", figures["reality_check_lottery"], figures["spa_lottery"]),
    )
    return Table(title="p-values that the best of the leaderboard is no better than", head=("than", "reality check", "SPA"), rows=rows)
