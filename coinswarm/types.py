"""Array aliases used in every signature. Shapes stand in docstrings as `(n_bars,)`, `(n_variants, n_dims)` and so on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Bits = npt.NDArray[np.uint64]
"""Packed truth values of bars: bar `i` is bit `i % 64` of word `i // 64`; bits past the last bar are 0."""
