"""How many different things were really tried: variants that trade alike are one trial."""

from __future__ import annotations

import numpy as np

from coinswarm import errors
from coinswarm.stats import inputs
from coinswarm.types import FloatArray, IntArray

MAX_VARIANTS = 20_000
"""A condensed distance matrix of this many takes 1.6 GB."""
ROWS_AT_ONCE = 256


def trial_clusters(returns: FloatArray, correlation: float = 0.5) -> IntArray:
    """Group variants whose returns move together.

    Average-linkage clustering of the distance sqrt((1 - r) / 2) of correlations r, cut where it exceeds that of `correlation`. A fixed cut
    is used instead of a best silhouette, which has no maximum worth the name when variants are independent.

    Args:
        returns: (n_obs, n_variants) returns per period, the same periods for all variants; finite, no column flat, n_variants <= 20,000.
        correlation: variants that correlate more than this on average belong together, in (-1, 1).

    Returns:
        (n_variants,) number of each variant's cluster, from 0, in order of first appearance.

    Raises:
        InvalidArgument: returns are missing or flat, there are too many variants, or correlation lies outside its domain.

    Source: after Lopez de Prado 2018 ("Detection of false investment strategies using unsupervised learning methods").
    """
    from scipy.cluster import hierarchy

    inputs.between(correlation, "correlation", -1, 1)
    values = inputs.varying_columns(returns, "returns")
    n_variants = values.shape[1]
    if n_variants > MAX_VARIANTS:
        hint = "cluster the leaderboard, or a random sample of trials"
        raise errors.InvalidArgument(f"returns must have at most {MAX_VARIANTS:,} variants", found=n_variants, hint=hint)
    if n_variants == 1:
        return np.zeros(1, dtype=np.int64)
    # the cut is moved by rounding noise, so that equal variants fall together at any threshold below 1
    cut = np.sqrt((1 - correlation) / 2) + 1e-7
    labels = hierarchy.fcluster(hierarchy.average(_distances(values)), cut, criterion="distance")
    first, inverse = np.unique(labels, return_index=True, return_inverse=True)[1:]
    return np.asarray(np.argsort(np.argsort(first))[inverse], dtype=np.int64)


def effective_trials(returns: FloatArray, correlation: float = 0.5) -> int:
    """Number of clusters of variants: a lower, kinder count of trials than the true one.

    Use it beside the true number of distinct trials, never instead of it: it depends on the cut.

    Args:
        returns: (n_obs, n_variants) returns per period; finite, no column flat.
        correlation: variants that correlate more than this on average count as one, in (-1, 1).

    Returns:
        1 to n_variants: about n_variants for independent returns, 1 for copies of one variant.

    Raises:
        InvalidArgument: as `trial_clusters`.

    Source: as `trial_clusters`.
    """
    return int(trial_clusters(returns, correlation).max()) + 1


def _distances(values: FloatArray) -> FloatArray:
    """Condensed distances, row after row above the diagonal, by matrix products of a few hundred rows."""
    scaled = (values - values.mean(axis=0)) / (values.std(axis=0) * np.sqrt(values.shape[0]))
    n_variants = scaled.shape[1]
    condensed, place = np.empty(n_variants * (n_variants - 1) // 2), 0
    for start in range(0, n_variants, ROWS_AT_ONCE):
        rows = scaled[:, start : start + ROWS_AT_ONCE].T @ scaled[:, start:]
        for offset, row in enumerate(rows):
            length = row.size - offset - 1
            condensed[place : place + length] = row[offset + 1 :]
            place += length
    return np.asarray(np.sqrt(np.clip(1 - condensed, 0.0, 2.0) / 2))
