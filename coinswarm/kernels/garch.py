"""The variance of a GARCH(1,1), bar after bar, for several markets at once."""

from __future__ import annotations

import numpy as np

from coinswarm.kernels.jit import kernel
from coinswarm.types import FloatArray


@kernel
def variances(shocks: FloatArray, arch: float, persistence: float) -> FloatArray:
    """(n_bars, n_markets) variance of each bar relative to the usual one: h' = 1 - a - b + (a z^2 + b) h, from 1 on.

    `shocks` are (n_bars, n_markets) of variance 1; row i of the result is known before row i of `shocks`.
    """
    n, markets = shocks.shape
    result = np.empty((n, markets))
    for market in range(markets):
        variance = 1.0
        for bar in range(n):
            result[bar, market] = variance
            shock = shocks[bar, market]
            variance = 1.0 - arch - persistence + (arch * shock * shock + persistence) * variance
    return result
