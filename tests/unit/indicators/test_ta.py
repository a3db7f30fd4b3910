"""TA-Lib is loaded without pandas, and whoever imports it later finds all of it."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from coinswarm.indicators import catalog
from coinswarm.indicators.ta import talib as ours
assert not {"pandas", "polars", "numba", "talib"} & set(sys.modules)
import numpy as np, pandas, talib
given = np.arange(30.0)
theirs = talib.SMA(pandas.Series(given), 3)
assert isinstance(theirs, pandas.Series)
np.testing.assert_array_equal(theirs.to_numpy(), ours.SMA(given, 3))
"""


def test_the_catalogue_loads_no_frames_and_no_compiler_and_takes_them_from_nobody() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
