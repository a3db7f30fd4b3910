"""Market structures: pivots, and what follows from their order.

Numbers that count bars are ordinals (bars since 1970), so that they do not depend on where the data begins. For the same reason every
structure says nothing until each of its outputs would be the same whatever came before the data.
"""

from __future__ import annotations

import numpy as np

from coinswarm.kernels.jit import kernel
from coinswarm.types import FloatArray


@kernel
def pivots(values: FloatArray, left: int, right: int) -> FloatArray:
    """(n,) on the bar on which it becomes known, the value of a pivot: above the `left` values before it and not below the `right` after.

    NaN on other bars. A pivot at `j` becomes known at `j + right`. Pivots down are pivots of the negated series.
    """
    out = np.full(values.size, np.nan)
    for i in range(left + right, values.size):
        value = values[i - right]
        found = True
        for j in range(i - right + 1, i + 1):
            if values[j] > value:
                found = False
                break
        if found:
            for j in range(i - right - left, i - right):
                if values[j] >= value:
                    found = False
                    break
        if found:
            out[i] = value
    return out


@kernel
def _write(out: FloatArray, i: int, state: FloatArray) -> None:
    for row in range(state.size):
        out[row, i] = state[row]


@kernel
def swing(tops: FloatArray, bottoms: FloatArray, ordinal: FloatArray, right: int, out: FloatArray) -> None:
    """Write the last pivots and the last leg between them into the rows of `out` (9, n).

    Rows: level and ordinal of the last top and bottom; ordinal of the last confirmation; top, bottom, direction and last change of the
    leg. A leg joins two pivots of different kind; a further pivot of the same kind moves its end when it lies beyond. The
    end is certain after one change of kind, the beginning after two.
    """
    state = np.full(9, np.nan)
    leg = np.array([0.0, np.nan, -1.0])
    for i in range(ordinal.size):
        if not np.isnan(tops[i]):
            _turn(state, leg, 1.0, tops[i], ordinal[i - right], ordinal[i])
        if not np.isnan(bottoms[i]):
            _turn(state, leg, -1.0, bottoms[i], ordinal[i - right], ordinal[i])
        if leg[2] >= 2.0:
            _write(out, i, state)
        else:
            out[:, i] = np.nan


@kernel
def _turn(state: FloatArray, leg: FloatArray, side: float, level: float, when: float, now: float) -> None:
    """Take in a pivot. `leg`: kind of its end, level of its end, changes of kind so far (the first pivot counts from -1 to 0)."""
    place = 0 if side > 0.0 else 2
    state[place] = level
    state[place + 1] = when
    state[4] = now
    if side != leg[0]:
        state[5 if side < 0.0 else 6] = leg[1]
        leg[2] += 1.0
    elif (level - leg[1]) * side <= 0.0:
        return
    leg[0] = side
    leg[1] = level
    state[5 if side > 0.0 else 6] = level
    state[7] = side
    state[8] = now


@kernel
def trend(tops: FloatArray, bottoms: FloatArray, ordinal: FloatArray, history: int, out: FloatArray) -> None:
    """Write what higher and lower pivots say of the trend into the rows of `out` (10, n).

    Rows: direction, strength, bars in it, pivots in a row that moved the same way, kind of the last pivot, higher top, higher bottom, lower
    top, lower bottom, ordinal of the last change of direction. Values begin once a direction and a row of pivots have been seen to begin.
    """
    last, moves, row = np.full(2, np.nan), np.full(2, np.nan), np.array([np.nan, 0.0, 0.0])
    state = np.full(10, np.nan)
    since = -1
    for i in range(ordinal.size):
        if not np.isnan(tops[i]):
            _move(last, moves, row, 0, tops[i])
            state[4] = 1.0
        if not np.isnan(bottoms[i]):
            _move(last, moves, row, 1, bottoms[i])
            state[4] = -1.0
        out[:, i] = np.nan
        if np.isnan(moves[0]) or np.isnan(moves[1]):
            continue
        direction = moves[0] if moves[0] == moves[1] else 0.0
        if direction != state[0]:
            since = -1 if np.isnan(state[0]) else i
            state[0] = direction
        if row[2] > 0.0 and since >= 0:
            _describe(state, moves, row[1], history, i - since, ordinal[since])
            _write(out, i, state)


@kernel
def _move(last: FloatArray, moves: FloatArray, row: FloatArray, place: int, level: float) -> None:
    """Compare a pivot with the last of its kind. `row`: the newest move, how many in a row, whether the row was seen to begin."""
    if not np.isnan(last[place]):
        move = np.sign(level - last[place])
        if move == 0.0 or (not np.isnan(row[0]) and move != row[0]):
            row[2] = 1.0
        row[1] = 0.0 if move == 0.0 else (row[1] + 1.0 if move == row[0] else 1.0)
        row[0] = move
        moves[place] = move
    last[place] = level


@kernel
def _describe(state: FloatArray, moves: FloatArray, count: float, history: int, age: int, changed: float) -> None:
    state[1] = 0.0 if state[0] == 0.0 else (2.0 if count >= history else 1.0)
    state[2] = age
    state[3] = count
    for place in range(2):
        state[5 + place] = 1.0 if moves[place] > 0.0 else 0.0
        state[7 + place] = 1.0 if moves[place] < 0.0 else 0.0
    state[9] = changed


@kernel
def market_structure(prices: FloatArray, tops: FloatArray, bottoms: FloatArray, ordinal: FloatArray, out: FloatArray) -> None:
    """Write breaks of structure and changes of character into the rows of `out` (12, n).

    `prices` (4, n): what breaks a top, what breaks a bottom, open, close. Rows: bias; break of structure and change of character on this
    bar; their directions; ordinal and level of the last of each; levels watched above and below; ordinal of the last event.
    A level is watched from the bar after its pivot became known, until it breaks or a newer pivot takes its place. Both levels are
    certain once a pivot of each kind was seen, the bias after the next break, and from there on what each break means.
    """
    state = np.full(12, np.nan)
    state[0] = 0.0
    seen_top, seen_bottom, certain = False, False, False
    for i in range(ordinal.size):
        state[1:5] = 0.0
        above, below = prices[0, i] > state[9], prices[1, i] < state[10]
        if above or below:
            side = 1.0 if above and (not below or prices[3, i] >= prices[2, i]) else -1.0
            if certain:
                _tell(state, side, ordinal[i])
            certain = certain or (seen_top and seen_bottom)
            state[0] = side
            state[9] = np.nan if above else state[9]
            state[10] = np.nan if below else state[10]
        if not np.isnan(tops[i]):
            state[9] = tops[i]
            seen_top = True
        if not np.isnan(bottoms[i]):
            state[10] = bottoms[i]
            seen_bottom = True
        if np.isnan(state[5]) or np.isnan(state[7]):
            out[:, i] = np.nan
        else:
            _write(out, i, state)


@kernel
def _tell(state: FloatArray, side: float, now: float) -> None:
    """Record a break to `side`: of structure when the bias was there already, else a change of character."""
    event = 0 if side == state[0] else 1
    state[1 + event] = 1.0
    state[3 + event] = side
    state[5 + 2 * event] = now
    state[6 + 2 * event] = state[9] if side > 0.0 else state[10]
    state[11] = now
