"""The probability that a result is luck: probabilistic and deflated Sharpe ratios.

Deflation needs to know how much was tried. Where the ledger cannot tell, or has holes, the deflated figures are withheld with the reason:
a deflation by too few trials would be flattery.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from coinswarm import errors, stats
from coinswarm.stats import SharpeSample
from coinswarm.types import FloatArray, IntArray
from coinswarm.validate import names
from coinswarm.validate.bench import Bench, different
from coinswarm.validate.card import Section, Table
from coinswarm.validate.case import TrialFacts
from coinswarm.validate.curves import Portfolio
from coinswarm.validate.spans import portfolio_of

DEFLATED = (
    "trials", "effective_trials", "sharpe_variance", "luck_sharpe_per_bar", "dsr", "dsr_no_skill", "beyond_luck", "dsr_effective",
    "dsr_2025", "min_backtest_years", "haircut_sharpe",
)  # fmt: skip
LEAST_TRADES = 2
_NOTHING_UNSEEN = "nothing was held out of the search. Hint: search with `evolve --out-of-sample 0.25`"
_LEAST_SAMPLE = 10
_NEARLY_ONE = 0.99
_WORDS = (
    "Per bar: a Sharpe ratio of bar returns. The variance is that of the trials' per-bar ratios in sample, of this play; "
    "the number of trials is that of the whole campaign. Convention 2012/2014 unless named."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """How trials differ: the variance of their per-bar Sharpe ratios, and how many different ones there are among all of them."""

    variance: float
    effective: float


def section(bench: Bench) -> Section:
    """How likely it is that there is skill, before and after paying for the search."""
    splits, facts = bench.case.splits, bench.case.trials
    seen = portfolio_of(bench, splits.train)
    refuse_too_few(seen)
    sample = sharpe_sample(seen.returns)
    figures = probabilities(sample)
    withheld: dict[str, str] = {}
    if splits.validation is None:
        withheld["psr_validation"] = _NOTHING_UNSEEN
    else:
        figures |= _validated(bench.portfolio(splits.validation), withheld)
    why = hole(facts)
    if not why:
        try:
            figures |= deflated(sample, facts.trials or 0, _spread(bench, facts), seen.periods_per_year)
            figures |= _followed(bench, sample, facts.trials or 0)
        except errors.BadInput as error:
            why = str(error)
    if not why and splits.validation is None:
        withheld["beyond_luck"] = _NOTHING_UNSEEN
    withheld |= {name: why for name in DEFLATED if why and name not in figures}
    notes = (
        _WORDS,
        *((f"Deflated figures are withheld: {why}",) if why else ()),
    )
    return Section(
        name="odds", title=names.TITLES["odds"], figures=figures, notes=notes, withheld=withheld, tables=(_table(figures, withheld),)
    )


def ahead(bench: Bench) -> dict[str, float]:
    """Those figures of the section that cost a fraction of it: what needs no histories of the trials.

    Raises:
        BadInput: what the section refuses.
    """
    splits, facts = bench.case.splits, bench.case.trials
    seen = portfolio_of(bench, splits.train)
    refuse_too_few(seen)
    if splits.validation is None or hole(facts):
        return {}
    return _validated(bench.portfolio(splits.validation), {}) | _followed(bench, sharpe_sample(seen.returns), facts.trials or 0)


def hole(facts: TrialFacts) -> str:
    """Why nothing can be deflated; empty when it can."""
    if facts.hole:
        return facts.hole
    if facts.trials is None:
        return "how many variants were tried before this one is not recorded. Hint: validate a variant that `evolve` found"
    if facts.trials < 2:
        return "the best of one trial needs no deflation: the PSR says it all"
    if len(facts.sample) < _LEAST_SAMPLE:
        return f"the spread of the trials needs at least {_LEAST_SAMPLE} of them, there are {len(facts.sample)}"
    return ""


def refuse_too_few(portfolio: Portfolio) -> None:
    """Raise `SpanTooShort` where there are not trades enough to speak of odds."""
    if portfolio.n_trades < LEAST_TRADES:
        trades = "one closed trade" if portfolio.n_trades == 1 else "no closed trade"
        raise errors.SpanTooShort(f"odds need at least {LEAST_TRADES} closed trades", found=trades, hint="a single trade is an anecdote")


def sharpe_sample(returns: FloatArray) -> SharpeSample:
    """The Sharpe ratio of (n_obs,) bar returns with its moments; autocorrelation below 0 counts as 0, which is the stricter.

    Raises:
        InvalidArgument: returns are missing or do not vary.
    """
    sample = stats.sharpe_sample(returns)
    kept = min(max(sample.autocorrelation, 0.0), _NEARLY_ONE)
    return SharpeSample(sharpe=sample.sharpe, n_obs=sample.n_obs, skew=sample.skew, kurtosis=sample.kurtosis, autocorrelation=kept)


def probabilities(sample: SharpeSample) -> dict[str, float]:
    """The figures that need no ledger."""
    moments = (sample.sharpe, sample.n_obs, sample.skew, sample.kurtosis)
    return {
        "sharpe_per_bar": sample.sharpe,
        "n_obs": float(sample.n_obs),
        "skew": sample.skew,
        "kurtosis": sample.kurtosis,
        "autocorrelation": sample.autocorrelation,
        "psr": stats.probabilistic_sharpe_ratio(*moments, autocorrelation=sample.autocorrelation),
        "min_track_record_bars": stats.minimum_track_record_length(
            sample.sharpe, sample.skew, sample.kurtosis, autocorrelation=sample.autocorrelation
        ),
    }


def deflated(sample: SharpeSample, trials: int, spread: Spread, periods_per_year: float) -> dict[str, float]:
    """The figures that pay for the search.

    Args:
        sample: of the variant's bar returns in sample.
        trials: true number, above 1.
        spread: of the trials.
        periods_per_year: bars in a year.

    Raises:
        InvalidArgument: there was one trial, or the spread is not a number.
    """
    moments = (sample.sharpe, sample.n_obs, sample.skew, sample.kurtosis)
    auto = sample.autocorrelation
    effective = min(max(spread.effective, 1.0), float(trials))
    alone = stats.probabilistic_sharpe_ratio(*moments, autocorrelation=auto)
    annual = sample.sharpe * math.sqrt(periods_per_year)
    cut = stats.sharpe_haircut(sample.sharpe, sample.n_obs, trials, autocorrelation=auto).sharpe if sample.sharpe > 0 else 0.0
    return {
        "trials": float(trials),
        "effective_trials": effective,
        "sharpe_variance": spread.variance,
        "luck_sharpe_per_bar": stats.expected_maximum_sharpe(trials, spread.variance),
        "dsr": stats.deflated_sharpe_ratio(*moments, trials, spread.variance, autocorrelation=auto),
        "dsr_no_skill": stats.deflated_sharpe_ratio(*moments, trials, worthless(sample), autocorrelation=auto),
        "dsr_effective": stats.deflated_sharpe_ratio(*moments, effective, spread.variance, autocorrelation=auto)
        if effective > 1
        else alone,
        "dsr_2025": stats.deflated_sharpe_ratio(*moments, trials, spread.variance, "2025", auto),
        "min_backtest_years": stats.minimum_backtest_length(trials, annual) if annual > 0 else math.inf,
        "haircut_sharpe": cut * math.sqrt(periods_per_year),
    }


def worthless(sample: SharpeSample) -> float:
    """Variance of the per-bar Sharpe ratio that a trial without skill shows over as many bars, of returns that hang together as these do.

    The variance of the trials themselves is larger where some of them have skill, or where costs eat some more than others: the better a
    search does, the more it is asked to beat. Source: Lo 2002 ("The Statistics of Sharpe Ratios"), at a true ratio of 0.
    """
    return (1 + sample.autocorrelation) / (1 - sample.autocorrelation) / (sample.n_obs - 1)


def distinct_in_all(clusters: IntArray, population: float) -> float:
    """How many clusters all trials fall into, from those of an even sample.

    Chao's estimator: c + f1 (f1 - 1) / (2 (f2 + 1)), with c clusters seen, f1 of them once and f2 twice; at most the population.

    Args:
        clusters: (n,) number of each sampled trial's cluster.
        population: trials in all.

    Returns:
        At least the clusters seen.

    Source: Chao 1984 ("Nonparametric estimation of the number of classes in a population"), bias-corrected.
    """
    sizes = np.bincount(clusters)
    once, twice = int((sizes == 1).sum()), int((sizes == 2).sum())
    return float(min(population, (sizes > 0).sum() + once * (once - 1) / (2 * (twice + 1))))


def _spread(bench: Bench, facts: TrialFacts) -> Spread:
    matrix, sharpes, _ = bench.matrix(bench.case.splits.train, facts.sample)
    varying = np.ptp(matrix, axis=0) > 1e-12
    if varying.sum() < _LEAST_SAMPLE:
        raise errors.SpanTooShort("the spread of the trials needs trials that trade", found=f"{int(varying.sum())} of {len(facts.sample)}")
    clusters = stats.trial_clusters(matrix[:, varying])
    return Spread(variance=float(sharpes[varying].var(ddof=1)), effective=distinct_in_all(clusters, float(facts.trials or 0)))


def _validated(portfolio: Portfolio, withheld: dict[str, str]) -> dict[str, float]:
    try:
        refuse_too_few(portfolio)
        return {"psr_validation": probabilities(sharpe_sample(portfolio.returns))["psr"]}
    except errors.BadInput as error:
        withheld["psr_validation"] = str(error)
        return {}


def _followed(bench: Bench, seen: SharpeSample, trials: int) -> dict[str, float]:
    """What luck would show over all known bars, of which only those the search saw pay for the search."""
    if bench.case.splits.validation is None:
        return {}
    whole = sharpe_sample(portfolio_of(bench, bench.case.splits.whole).returns)
    unseen, auto = max(whole.n_obs - seen.n_obs, 0), max(seen.autocorrelation, whole.autocorrelation)
    return {"beyond_luck": stats.luck_probability(whole.sharpe, seen.n_obs, unseen, trials, auto)}


def _table(figures: Mapping[str, float], withheld: Mapping[str, str]) -> Table:
    meanings = names.FIGURES["odds"]
    rows = tuple((name, figures.get(name), meanings[name] if name in figures else f"withheld: {withheld[name]}")
                 for name in meanings if name in figures or name in withheld)  # fmt: skip
    return Table(title="Odds", head=("figure", "value", "what it says"), rows=rows)


def varying(matrix: FloatArray) -> FloatArray:
    """(n_periods, k) the different columns of a leaderboard's returns, the first one kept first.

    Raises:
        InvalidArgument: fewer than two differ, or returns are missing.
    """
    if not np.isfinite(matrix).all():
        raise errors.InvalidArgument("returns must be finite", found=f"{int((~np.isfinite(matrix)).sum())} missing or infinite")
    kept = different(matrix)
    if kept.size < 2:
        found = "one" if kept.size else "none"
        raise errors.InvalidArgument("a leaderboard must have at least 2 variants that trade differently", found=found,
                                     hint="validate a variant of a job, which brings its leaderboard along")  # fmt: skip
    return np.asarray(matrix[:, kept])
