"""Is it luck? Pure statistics on arrays: deflation, overfitting, resampling, multiple testing, splits.

All ratios, variances and lengths are per period of the returns they were measured on, unless a docstring says otherwise. Randomness is
an argument. Nothing here knows a play or a market.
"""

from __future__ import annotations

from coinswarm.stats.bootstrap import BlockLength, long_run_variance, optimal_block_length, stationary_bootstrap_means
from coinswarm.stats.detectability import minimum_detectable_effect
from coinswarm.stats.foreknowledge import Foreknowledge, foreknowledge, honest_ceiling
from coinswarm.stats.haircut import Haircut, sharpe_haircut
from coinswarm.stats.multiplicity import Attainable, Corrected, attainable_patterns, correct_p_values, independent_maximum_p
from coinswarm.stats.online import OnlineTest, lond, lord_plus_plus, saffron
from coinswarm.stats.overfitting import Overfitting, probability_of_backtest_overfitting
from coinswarm.stats.overlap import average_uniqueness, overlap_variance, sequential_bootstrap_probabilities
from coinswarm.stats.posterior import observed_false_discovery_rate, planned_false_discovery_rate, sharpe_power
from coinswarm.stats.proportions import wilson_interval
from coinswarm.stats.sharpe import (
    SharpeSample,
    autocorrelation_factor,
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    luck_probability,
    maximum_moments,
    minimum_backtest_length,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
    sharpe_error,
    sharpe_sample,
)
from coinswarm.stats.sign_flips import ExactFlips, SignFlips, block_scores, block_sign_flip_test, exact_sign_flip_test
from coinswarm.stats.splits import (
    PurgedSplit,
    WalkForwardFold,
    combinatorial_paths,
    combinatorial_purged_splits,
    most_folds,
    walk_forward_splits,
)
from coinswarm.stats.stepdown import step_down
from coinswarm.stats.superiority import (
    RealityCheck,
    SuperiorAbility,
    SuperiorSet,
    reality_check,
    stepwise_multiple_testing,
    superior_predictive_ability,
)
from coinswarm.stats.trials import effective_trials, trial_clusters

__all__ = [
    "Attainable",
    "BlockLength",
    "Corrected",
    "ExactFlips",
    "Foreknowledge",
    "Haircut",
    "OnlineTest",
    "Overfitting",
    "PurgedSplit",
    "RealityCheck",
    "SharpeSample",
    "SignFlips",
    "SuperiorAbility",
    "SuperiorSet",
    "WalkForwardFold",
    "attainable_patterns",
    "autocorrelation_factor",
    "average_uniqueness",
    "block_scores",
    "block_sign_flip_test",
    "combinatorial_paths",
    "combinatorial_purged_splits",
    "correct_p_values",
    "deflated_sharpe_ratio",
    "effective_trials",
    "exact_sign_flip_test",
    "expected_maximum_sharpe",
    "foreknowledge",
    "honest_ceiling",
    "independent_maximum_p",
    "lond",
    "long_run_variance",
    "lord_plus_plus",
    "luck_probability",
    "maximum_moments",
    "minimum_backtest_length",
    "minimum_detectable_effect",
    "minimum_track_record_length",
    "most_folds",
    "observed_false_discovery_rate",
    "optimal_block_length",
    "overlap_variance",
    "planned_false_discovery_rate",
    "probabilistic_sharpe_ratio",
    "probability_of_backtest_overfitting",
    "reality_check",
    "saffron",
    "sequential_bootstrap_probabilities",
    "sharpe_error",
    "sharpe_haircut",
    "sharpe_power",
    "sharpe_sample",
    "stationary_bootstrap_means",
    "step_down",
    "stepwise_multiple_testing",
    "superior_predictive_ability",
    "trial_clusters",
    "walk_forward_splits",
    "wilson_interval",
]
