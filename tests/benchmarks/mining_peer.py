"""pysubgroup on given trades, in an interpreter of its own: it needs an older NumPy than this project.

Run as a program: `python mining_peer.py trades.npz depth top`; prints seconds, patterns evaluated and the best ones as JSON.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import pandas as pd
import pysubgroup as ps


class Counting(ps.StandardQFNumeric):
    """The quality function, counting how often it is asked."""

    asked = 0

    def evaluate(self, *arguments: object) -> object:
        """Count and pass on."""
        Counting.asked += 1
        return super().evaluate(*arguments)


def main(path: str, depth: int, top: int) -> None:
    """Search one file."""
    stored = np.load(path)
    frame = pd.DataFrame({f"f{number}": row for number, row in enumerate(stored["codes"])})
    frame["y"] = stored["y"]
    selectors = [ps.EqualitySelector(name, value) for name in frame.columns[:-1] for value in sorted(frame[name].unique())]
    task = ps.SubgroupDiscoveryTask(
        frame, ps.NumericTarget("y"), selectors, result_set_size=top, depth=depth, qf=Counting(0.5, invert=False),
        constraints=[ps.MinSupportConstraint(int(stored["min_trades"]))],
    )  # fmt: skip
    began = time.process_time()
    found = ps.SimpleDFS().execute(task)
    seconds = time.process_time() - began
    best = [[float(quality), sorted([int(part.attribute_name[1:]), int(part.attribute_value)] for part in rule.selectors)]
            for quality, rule, *_ in found.results]  # fmt: skip
    json.dump({"seconds": seconds, "evaluated": Counting.asked, "best": best}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
