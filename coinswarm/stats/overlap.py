"""Trades that overlap share their bars: how much information they really hold."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from coinswarm import check, errors
from coinswarm.stats import inputs
from coinswarm.types import FloatArray, IntArray


def average_uniqueness(spans: npt.ArrayLike) -> FloatArray:
    """How much of each trade's time it has to itself: the mean over its bars of 1 / (trades that are open on the bar).

    Args:
        spans: (n_trades, 2) first and last bar of each trade, both included; whole numbers (bar indices or times in ms), last >= first.

    Returns:
        (n_trades,) in (0, 1]; 1 for a trade that overlaps none. Their sum is an effective number of trades.

    Raises:
        ShapeMismatch: spans are not pairs, or there are none.
        InvalidArgument: a span ends before it begins.

    Source: Lopez de Prado 2018 ("Advances in financial machine learning"), section 4.4.
    """
    pairs = _pairs(spans)
    return _mean_over_spans(pairs, pairs, extra=0)


def sequential_bootstrap_probabilities(spans: npt.ArrayLike, drawn: npt.ArrayLike) -> FloatArray:
    """Chance of each trade to be drawn next, given those drawn already: the more it overlaps them, the smaller.

    Args:
        spans: (n_trades, 2) first and last bar of each trade, both included, last >= first.
        drawn: (n_drawn,) indices of trades drawn so far, with repeats; may be empty.

    Returns:
        (n_trades,) above 0, adding up to 1.

    Raises:
        ShapeMismatch: spans are not pairs, or there are none.
        InvalidArgument: a span ends before it begins, or a drawn index is no trade.

    Source: Lopez de Prado 2018, section 4.5.
    """
    pairs = _pairs(spans)
    indices = np.asarray(drawn, dtype=np.int64)
    if indices.size and (indices.min() < 0 or indices.max() >= len(pairs)):
        raise errors.InvalidArgument(f"drawn must be indices of {len(pairs)} trades", found=f"{indices.min()} to {indices.max()}")
    uniqueness = _mean_over_spans(pairs, pairs[indices], extra=1)
    return np.asarray(uniqueness / uniqueness.sum())


def overlap_variance(hold: int, n_obs: int) -> tuple[float, float]:
    """Variance of the mean of n overlapping sums of `hold` independent terms of variance 1, one sum beginning at each observation.

    (n h + 2 sum over k < min(h, n) of (n - k)(h - k)) / n^2.

    Args:
        hold: terms in a sum (bars a trade is held), at least 1.
        n_obs: number of sums, at least 1.

    Returns:
        (variance, ratio), ratio to the variance h / n of independent sums, at least 1.

    Raises:
        InvalidArgument: an argument lies outside its domain.

    Source: Hansen & Hodrick 1980 (overlapping observations).
    """
    inputs.whole(hold, "hold", 1)
    inputs.whole(n_obs, "n_obs", 1)
    k = np.arange(1, min(hold, n_obs), dtype=np.float64)
    variance = (n_obs * hold + 2 * float(((n_obs - k) * (hold - k)).sum())) / n_obs**2
    return variance, variance / (hold / n_obs)


def _pairs(spans: npt.ArrayLike) -> IntArray:
    check.matrix(spans, "spans")
    pairs = np.asarray(spans)
    if pairs.shape[1] != 2:
        raise errors.ShapeMismatch("spans must have 2 columns, first and last bar", found=f"shape {pairs.shape}")
    pairs = pairs.astype(np.int64)
    backwards = np.flatnonzero(pairs[:, 1] < pairs[:, 0])
    if backwards.size:
        raise errors.InvalidArgument("spans must not end before they begin", found=f"{pairs[backwards[0]].tolist()} at {backwards[0]}")
    return pairs


def _mean_over_spans(spans: IntArray, open_spans: IntArray, *, extra: int) -> FloatArray:
    """Mean over each span of 1 / (open spans + extra); only bars where something begins or ends are looked at, so times may be in ms."""
    edges = np.unique(np.concatenate([spans[:, 0], spans[:, 1] + 1]))
    steps = np.bincount(np.searchsorted(edges, open_spans[:, 0]), minlength=edges.size) - np.bincount(
        np.searchsorted(edges, open_spans[:, 1] + 1), minlength=edges.size
    )
    shared = np.cumsum(steps)[:-1] + extra
    parts = np.divide(np.diff(edges), shared, out=np.zeros(edges.size - 1), where=shared > 0)
    reached = np.concatenate([[0.0], np.cumsum(parts)])
    totals = reached[np.searchsorted(edges, spans[:, 1] + 1)] - reached[np.searchsorted(edges, spans[:, 0])]
    return np.asarray(totals / (spans[:, 1] + 1 - spans[:, 0]))
