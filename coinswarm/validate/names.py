"""Every figure a report card can have, by section: what gates may refer to, each with its unit and meaning.

Sharpe ratios are per bar where the name says so and annual otherwise; returns, drawdowns and shares are fractions; p-values are in (0, 1].
All markets together are one portfolio of equal parts, so its return of a bar is the mean over the markets.
"""

from __future__ import annotations

import math

SPAN_FIGURES = {
    "total_return": "growth of the portfolio over the span",
    "sharpe": "annual Sharpe ratio of the portfolio's bar returns",
    "sharpe_per_bar": "the same per bar",
    "max_drawdown": "largest fall below a past peak of the portfolio at bar closes",
    "n_trades": "closed trades, all markets",
    "n_obs": "bars of the portfolio",
    "expectancy": "mean net return of a closed trade on its notional, all markets",
    "win_rate": "share of closed trades with a net gain",
    "profit_factor": "won over lost, of returns of closed trades",
    "exposure": "mean share of bars that end in a position",
    "avg_hold": "mean bars a closed trade is held",
    "hold_return": "growth of the equal parts held from the first bar to the last, without costs",
    "excess_return": "total_return less hold_return",
}
_SHARES = (
    "drawdown", "share", "probability", "psr", "dsr", "pbo", "win_rate", "exposure", "beyond_luck", "lottery_p", "spa_", "reality_check",
    "concentration", "stop_rate",
)  # fmt: skip
_COUNTS = ("n_", "break_even_costs", "participation", "profit_factor", "capital")


def bounds(figure: str) -> tuple[float, float] | None:
    """What a limit on a figure of a card may be; None where any number may."""
    leaf = figure.rpartition(".")[2]
    if leaf.startswith("n_") or any(word in leaf for word in _COUNTS[1:]):
        return 0.0, math.inf
    return (0.0, 1.0) if any(word in leaf for word in _SHARES) else None


STRESSED = ("sharpe", "total_return", "expectancy", "max_drawdown", "n_trades")

FIGURES: dict[str, dict[str, str]] = {
    "in_sample": SPAN_FIGURES,
    "validation": {**SPAN_FIGURES, "sharpe_ratio_kept": "annual Sharpe over that in sample; NaN where the latter is not above 0"},
    "walk_forward": {
        "n_folds": "test stretches",
        "positive_share": "share of folds with a gain",
        "sharpe_mean": "mean annual Sharpe of the folds",
        "sharpe_median": "median of them",
        "sharpe_worst": "lowest of them",
        "return_worst": "lowest return of a fold",
        "max_drawdown_worst": "largest drawdown of a fold",
        "n_trades_least": "fewest closed trades of a fold",
        "efficiency": "mean Sharpe of the tests over that of the stretches before them; NaN where the latter is not above 0",
    },
    "cpcv": {
        "n_paths": "paths put together of test folds",
        "n_splits": "choices of test folds",
        "sharpe_mean": "mean annual Sharpe of the paths of picking the best of the leaderboard on the rest (of the variant without one)",
        "sharpe_median": "median of them",
        "sharpe_p05": "5 % quantile of them",
        "sharpe_worst": "lowest of them",
        "positive_share": "share of paths with a Sharpe above 0",
        "own_sharpe_median": "median annual Sharpe of the variant itself over the test sets",
        "own_sharpe_p05": "5 % quantile of them",
        "own_positive_share": "share of test sets with a Sharpe of the variant above 0",
    },
    "odds": {
        "sharpe_per_bar": "in sample, of the portfolio",
        "n_obs": "its bars",
        "skew": "of its bar returns",
        "kurtosis": "of its bar returns; a normal has 3",
        "autocorrelation": "of successive bar returns, which the error is corrected for",
        "psr": "probability that the in-sample Sharpe is above 0 (convention 2012)",
        "psr_validation": "the same on the validation span, where nothing was picked",
        "min_track_record_bars": "bars after which the PSR reaches .95",
        "trials": "distinct pairs of variant and data the campaign tried",
        "effective_trials": "how many different ways of trading they are",
        "sharpe_variance": "of the trials' per-bar Sharpe ratios",
        "luck_sharpe_per_bar": "expected best per-bar Sharpe of the trials without skill",
        "dsr": "deflated Sharpe ratio with the true number of trials (convention 2012)",
        "dsr_no_skill": "the same, with the variance that worthless trials have in place of the trials' own, which skill inflates",
        "beyond_luck": "probability that the best of as many worthless trials shows less over all known bars, unseen ones in full",
        "dsr_effective": "with the variance of the trials and the effective number",
        "dsr_2025": "with the true number, convention 2025",
        "min_backtest_years": "years below which luck alone is expected to show this Sharpe",
        "haircut_sharpe": "annual Sharpe that is left after Bonferroni over the true number",
    },
    "overfitting": {
        "pbo": "probability of backtest overfitting of the leaderboard by CSCV",
        "pbo_trials": "the same of an even sample of all trials, the variant among them",
        "probability_of_loss": "share of splits whose winner loses out of sample",
        "slope": "of the winner's out-of-sample metric on its in-sample metric",
        "n_variants": "variants of the leaderboard that could be compared",
    },
    "superiority": {
        "reality_check_hold": "p of White's reality check of the leaderboard against buy and hold",
        "spa_hold": "p of the studentised SPA test against buy and hold",
        "reality_check_beta": "p of the reality check against holding as much of the market as each variant's own beta",
        "spa_beta": "p of the studentised SPA test against the same",
        "reality_check_lottery": "p of the reality check against the mean lottery",
        "spa_lottery": "p of the studentised SPA test against the mean lottery",
        "lottery_p": "share of lotteries on this variant that are as good in sample, (b + 1) / (n + 1)",
        "lottery_p_validation": "the same on the validation span",
        "n_lotteries": "lotteries drawn",
    },
    "plateau": {
        "score": "mean Sharpe of the neighbours over that of the variant, in [0, 1]",
        "positive_share": "share of neighbours with a Sharpe above 0",
        "worst_ratio": "lowest Sharpe of a neighbour one step away over that of the variant",
        "rank": "share of neighbours that are worse than the variant",
        "n_neighbours": "variants that were scored around it",
    },
    "stress": {
        **{f"{kind}_{name}": f"{name} over train and validation with {words}" for kind, words in (
            ("base", "nothing changed"), ("costs_x2", "fees and slippage doubled"), ("delay", "every decision one bar late"),
            ("missed", "one entry in ten missed, worst tenth of the draws"),
        ) for name in STRESSED},
        "break_even_costs": "multiple of the costs at which the gain is gone; infinite above 16",
    },
    "montecarlo": {
        "trades_return_p05": "5 % quantile of the return over resampled trades",
        "trades_drawdown_p95": "95 % quantile of the drawdown over resampled trades",
        "trades_loss_probability": "share of resamples of trades that lose",
        "bars_sharpe_p05": "5 % quantile of the annual Sharpe over resampled blocks of bar returns",
        "bars_return_p05": "5 % quantile of the return over them",
        "bars_drawdown_p95": "95 % quantile of the drawdown over them",
        "ruin_probability": "share of resampled trades that fall by half at any time",
        "world_positive_share": "share of worlds of resampled bars the play was run on anew, with a gain",
        "n_resamples": "of each kind",
    },
    "markets": {
        "n_markets": "markets of the search",
        "positive_share": "share with a gain over train and validation",
        "sharpe_worst": "lowest annual Sharpe of a market",
        "gain_concentration": "share of all gains that the best market made",
    },
    "years": {
        "n_years": "calendar years with bars",
        "positive_share": "share of years with a gain",
        "quarter_positive_share": "share of quarters with a gain",
        "return_worst": "lowest return of a year",
        "gain_concentration": "share of all gains of quarters that the best quarter made",
    },
    "regimes": {
        "positive_share": "share of the nine regimes (trend and volatility in thirds) with a gain",
        "sharpe_worst": "lowest annual Sharpe of a third of trend or volatility",
        "gain_concentration": "share of all gains of the nine regimes that the best made",
    },
    "unseen": {
        "n_markets": "markets that the search did not use and that could be tried",
        "positive_share": "share of them with a gain",
        "sharpe_mean": "mean annual Sharpe",
        "sharpe_median": "median",
        "sharpe_worst": "lowest",
    },
    "crash": {
        "drawdown_one_bar": "largest fall of the equity when the price moves a fifth against it in one bar at the worst moment",
        "drawdown_ten_bars": "the same over ten bars",
        "drawdown_gap": "the same when the next bar opens a fifth lower, so that no stop can fill before",
        "stop_fired_one_bar": "1 when a stop or liquidation closed the position in the fall, 0 when not; NaN without a position",
        "stop_fired_ten_bars": "the same over ten bars",
        "stop_rate": "share of all shocks at all moments tried, in which a stop fired",
        "exposure": "notional over equity at the worst moment",
        "n_moments": "moments that were tried",
    },
    "capacity": {
        "participation_median": "median of a fill's quantity over the volume of its bar, with the account of the run",
        "participation_p95": "95 % quantile of it",
        "capital_at_1pct": "starting equity at which the 95 % quantile is 1 % of a bar's volume, quote currency",
        "sharpe_at_10x": "annual Sharpe with ten times the equity and slippage by the square root of participation",
    },
    "lint": {
        "n_findings": "rules of the sanity lint that were broken",
        "too_good": "1 when win rate or profit factor are beyond what is credible, or a Sharpe that is does not outlast a bar of delay",
        "too_few_trades": "1 with fewer than 30 closed trades",
        "zero_cost": "1 when fees or slippage are nothing",
        "impossible_prices": "bars that contradict themselves, and fills outside the range of their bar (by the reference simulator)",
        "knows_next_bar": "columns of the bars, or of other markets, that predict the next bar better than is possible",
        "simulators_differ": "1 when the fast path and the reference simulator disagree on a market's return",
        "one_trade_dominates": "1 when the best trade made more than half of the gain",
        "always_in": "1 when it is in the market nearly always",
        "gaps": "bars in a position after a gap longer than the play allows",
    },
}  # fmt: skip
LABELS = {
    "total_return": "return", "sharpe": "Sharpe", "max_drawdown": "drawdown", "n_trades": "trades", "sharpe_mean": "mean Sharpe",
    "sharpe_median": "median Sharpe", "sharpe_p05": "Sharpe, 5 % quantile", "sharpe_worst": "worst Sharpe",
    "return_worst": "worst return", "positive_share": "share with a gain", "psr": "PSR in sample", "psr_validation": "PSR out of sample",
    "beyond_luck": "beyond luck", "dsr": "DSR of all trials", "dsr_effective": "DSR of effective trials", "pbo": "PBO of the leaderboard",
    "pbo_trials": "PBO of all trials", "n_variants": "variants", "spa_beta": "SPA p against beta", "spa_hold": "SPA p against holding",
    "spa_lottery": "SPA p against the lottery", "reality_check_hold": "reality check p against holding", "lottery_p": "lottery p",
    "score": "Sharpe kept by neighbours", "worst_ratio": "Sharpe kept by the worst", "base_sharpe": "Sharpe",
    "costs_x2_sharpe": "Sharpe, costs doubled", "delay_sharpe": "Sharpe, a bar late", "missed_sharpe": "Sharpe, entries missed",
    "break_even_costs": "break-even costs (multiple)", "trades_return_p05": "return, 5 % quantile",
    "trades_drawdown_p95": "drawdown, 95 % quantile", "bars_sharpe_p05": "Sharpe, 5 % quantile",
    "world_positive_share": "worlds with a gain", "n_markets": "markets", "quarter_positive_share": "quarters with a gain",
    "gain_concentration": "share of gains from the best", "drawdown_one_bar": "drawdown, one bar",
    "drawdown_ten_bars": "drawdown, ten bars", "drawdown_gap": "drawdown, a gap", "participation_p95": "participation, 95 % quantile",
    "capital_at_1pct": "capital at 1 %", "sharpe_at_10x": "Sharpe at ten times the equity", "n_findings": "findings",
}  # fmt: skip
"""What a figure is called for a person where its name does not say it; the same on a terminal, in a report and on the page."""
_FRACTIONS = ("return", "drawdown", "share", "participation", "probability", "expectancy", "concentration", "win_rate", "exposure")
_WHOLE = 1000
"""From here on digits after the point say nothing."""


def label(figure: str) -> str:
    """What a figure, with or without its section, is called: `overfitting.pbo` is `PBO of the leaderboard`."""
    leaf = figure.rpartition(".")[2]
    return LABELS.get(leaf) or leaf.removeprefix("n_").replace("_", " ")


def is_fraction(figure: str) -> bool:
    """Whether a figure is read in percent."""
    return any(word in figure.rpartition(".")[2] for word in _FRACTIONS)


def worded(figure: str, value: float) -> str:
    """The value of a figure with as many digits as say something: `34.1 %`, `1,039`, `0.0087`; a dash for NaN."""
    if math.isnan(value):
        return "-"
    if is_fraction(figure) and math.isfinite(value):
        return f"{100 * value:,.1f} %"
    whole = math.isfinite(value) and (value == round(value) or abs(value) >= _WHOLE)
    return f"{value:,.0f}" if whole else f"{value:,.3g}"


TITLES = {
    "in_sample": "In sample", "validation": "Validation: held out of the search", "walk_forward": "Walk forward",
    "cpcv": "Combinatorial purged cross-validation", "odds": "The odds that it is luck", "overfitting": "Overfitting of the leaderboard",
    "superiority": "Against buy and hold, and the lottery", "plateau": "Plateau or spike", "stress": "Costs, delay, missed fills",
    "montecarlo": "Bootstrap: trades and bars resampled", "markets": "Market by market", "years": "Year by year",
    "regimes": "Regime by regime", "unseen": "Markets not used in the search", "crash": "Flash crash", "capacity": "Capacity",
    "lint": "Sanity lint",
}  # fmt: skip
SECTIONS = tuple(TITLES)
"""The order in which a card is read."""
