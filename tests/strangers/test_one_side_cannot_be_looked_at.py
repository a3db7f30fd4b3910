"""One side of a long-short play alone: its own entries, as if the play had no other side."""

from __future__ import annotations

import numpy as np
import pytest

from coinswarm import errors, fitness, play
from coinswarm.backtest.run import Backtest
from coinswarm.play import model
from tests.unit.backtest import plays
from tests.unit.backtest.plays import ENTER_BOTH, ENTER_LONG, ENTER_SHORT, EXIT, flat, run, tape

NO_GENES = np.empty((1, 0))
PRICES = [flat(price) for price in (100, 100, 100, 110, 110, 120, 120, 120)]
TURNS = tape(*PRICES, signals={1: ENTER_LONG, 3: ENTER_SHORT, 5: EXIT})
"""Bought at the open of bar 2 (100); a short is asked for at bar 3 and filled at bar 4 (110); all is left at bar 6 (120)."""
REVERSING = plays.play(reverse=True)


def spans(result: Backtest) -> list[tuple[str, int, int]]:
    return result.trades.select("side", "entry_bar", "exit_bar").rows()


def test_a_long_that_a_short_would_end_goes_on_without_the_short() -> None:
    # both sides: +10 % long, then -9.09 % short; the long alone: from 100 to 120, +20 %
    assert spans(run(REVERSING, TURNS)) == [("long", 2, 4), ("short", 4, 6)]
    alone = run(REVERSING, TURNS, side="long")
    assert spans(alone) == [("long", 2, 6)]
    assert alone.trades["return"].to_list() == pytest.approx([0.2])


def test_a_short_that_a_long_was_in_the_way_of_is_taken() -> None:
    assert spans(run(REVERSING, TURNS, side="short")) == [("short", 4, 6)]


def test_an_entry_that_the_other_side_cancelled_is_taken() -> None:
    # where both sides are asked for on one bar neither is entered; one side alone knows no other
    bars = tape(*PRICES, signals={1: ENTER_BOTH, 5: EXIT})
    assert spans(run(plays.play(), bars)) == []
    assert spans(run(plays.play(), bars, side="long")) == [("long", 2, 6)]


def test_the_fast_path_means_the_same_side() -> None:
    for side in ("long", "short"):
        scored = fitness.score(REVERSING, NO_GENES, TURNS, costs=plays.FREE, account=plays.ACCOUNT, side=side)[0]
        assert scored["total_return"] == pytest.approx(run(REVERSING, TURNS, side=side).metrics["total_return"], rel=1e-12)


def test_a_side_alone_says_so_and_leaves_the_identity_of_the_play_alone() -> None:
    before = play.identity(REVERSING)
    assert run(REVERSING, TURNS, side="long").play.name == "taped, long side alone"
    assert play.identity(REVERSING) == before


def test_a_side_that_the_play_does_not_have_is_refused() -> None:
    with pytest.raises(errors.InvalidArgument, match="has no short side"):
        run(plays.play(mode=model.Mode.LONG_ONLY), TURNS, side="short")


def test_a_side_that_only_the_other_one_closes_is_refused() -> None:
    endless = plays.play(reverse=True, exit_long=None, exit_short=None)
    with pytest.raises(errors.BadPlay, match="a long position must be closed by something"):
        run(endless, TURNS, side="long")
