"""What is left of a Sharpe ratio after paying for the number of trials, in the same unit as before (Harvey & Liu)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coinswarm import check, errors
from coinswarm.stats import inputs
from coinswarm.stats.multiplicity import correct_p_values
from coinswarm.stats.sharpe import autocorrelation_factor
from coinswarm.types import FloatArray

METHODS = ("bonferroni", "holm", "by")


@dataclass(frozen=True, kw_only=True, slots=True)
class Haircut:
    """A Sharpe ratio before and after correction.

    Attributes:
        p_single: two-sided p-value as if it had been the only trial.
        p_adjusted: after correction for the number of trials, in [p_single, 1].
        sharpe: per-period ratio that has p_adjusted on its own; 0 when p_adjusted is 1.
        haircut: part of the ratio that was lost, in [0, 1].
    """

    p_single: float
    p_adjusted: float
    sharpe: float
    haircut: float


def sharpe_haircut(
    sharpe: float,
    n_obs: int,
    n_trials: int,
    *,
    method: str = "bonferroni",
    trial_sharpes: npt.ArrayLike | None = None,
    autocorrelation: float = 0.0,
) -> Haircut:
    """Lower a Sharpe ratio to the one that would be as significant had it been the only trial.

    t = sharpe sqrt(n_obs) (times Lo's factor when returns are autocorrelated), p from Student's t with n_obs - 1 degrees of freedom, p
    corrected for the trials, and the way back. Harvey & Liu fill in unseen trials from a model of equity factors; here the ledger has
    the real ones, so "holm" and "by" take them and no such model.

    Args:
        sharpe: ratio per period of the selected trial; finite, not 0.
        n_obs: number of its returns, at least 2.
        n_trials: how many trials it was selected from, above 1.
        method: "bonferroni" needs the number only; "holm", and "by" (Benjamini, Hochberg & Yekutieli), need every trial.
        trial_sharpes: (n_trials,) per-period ratios of all trials, the selected one among them; finite.
        autocorrelation: of successive returns, in (-1, 1).

    Returns:
        p-values, lowered ratio and haircut.

    Raises:
        InvalidArgument: an argument lies outside its domain, or trials are missing.

    Source: Harvey & Liu 2015 ("Backtesting").
    """
    inputs.finite(sharpe, "sharpe")
    if sharpe == 0:
        raise errors.InvalidArgument("sharpe must not be 0", found=sharpe, hint="nothing is left to cut")
    inputs.whole(n_obs, "n_obs", 2)
    inputs.trials(n_trials)
    inputs.one_of(method, "method", METHODS)
    scale = math.sqrt(n_obs) * autocorrelation_factor(autocorrelation, n_obs)
    p_single = float(_two_sided(np.array([sharpe * scale]), n_obs)[0])
    adjusted = min(1.0, n_trials * p_single) if method == "bonferroni" else _among(sharpe, trial_sharpes, n_trials, scale, n_obs, method)
    left = _inverse(adjusted, n_obs) / scale
    return Haircut(
        p_single=p_single, p_adjusted=adjusted, sharpe=math.copysign(left, sharpe), haircut=min(1.0, max(0.0, 1 - left / abs(sharpe)))
    )


def _among(sharpe: float, trial_sharpes: npt.ArrayLike | None, n_trials: int, scale: float, n_obs: int, method: str) -> float:
    if trial_sharpes is None:
        raise errors.InvalidArgument(
            f"trial_sharpes must be given for {method!r}", hint="with the number of trials only, use method='bonferroni'"
        )
    check.vector(trial_sharpes, "trial_sharpes", length=n_trials)
    ratios = np.asarray(trial_sharpes, dtype=np.float64)
    place = int(np.abs(ratios - sharpe).argmin())
    if not math.isclose(ratios[place], sharpe, rel_tol=1e-9):
        raise errors.InvalidArgument("trial_sharpes must contain the selected ratio", found=f"nearest to {sharpe:g} is {ratios[place]:g}")
    return float(correct_p_values(_two_sided(ratios * scale, n_obs), method).p_adjusted[place])


def _two_sided(t: FloatArray, n_obs: int) -> FloatArray:
    from scipy import stats

    return np.asarray(2 * stats.t.sf(np.abs(t), n_obs - 1))


def _inverse(p: float, n_obs: int) -> float:
    from scipy import stats

    return float(stats.t.isf(p / 2, n_obs - 1))
