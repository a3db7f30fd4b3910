"""Slow, obvious twins of the indicators that are not TA-Lib's: one plain loop each, straight from the definition.

Each takes bars and parameters and returns the outputs in the catalogue's order. None of them looks at how the fast one does it; where a
value is undefined they say NaN. Structures leave out the rule that says nothing at first: a twin is compared where the fast one speaks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from coinswarm.market.bars import Bars
from coinswarm.types import FloatArray

NAN = math.nan
Twin = Callable[[Bars, Mapping[str, Any]], tuple[list[float], ...]]


def windows(values: FloatArray | list[float], length: int) -> list[list[float] | None]:
    """The last `length` values at each place; None while there are fewer or one is NaN."""
    cut = [list(values[i + 1 - length : i + 1]) if i + 1 >= length else None for i in range(len(values))]
    return [None if part is None or any(math.isnan(value) for value in part) else part for part in cut]


def rolling(values: FloatArray | list[float], length: int, of: Callable[[list[float]], float]) -> list[float]:
    return [NAN if part is None else of(part) for part in windows(values, length)]


def rolling_sum(values: FloatArray | list[float], length: int) -> list[float]:
    return rolling(values, length, math.fsum)


def mean(values: FloatArray | list[float], length: int) -> list[float]:
    return rolling(values, length, lambda part: math.fsum(part) / length)


def squares(part: list[float]) -> float:
    middle = math.fsum(part) / len(part)
    return math.fsum((value - middle) ** 2 for value in part)


def rolling_moments(values: FloatArray, length: int) -> tuple[list[float], list[float]]:
    return rolling(values, length, lambda part: part[-1] - math.fsum(part) / length), rolling(values, length, squares)


def divide(above: list[float], below: list[float], scale: float = 1.0) -> list[float]:
    return [scale * a / b if b > 0 else NAN for a, b in zip(above, below, strict=True)]


ratio = divide


def ema(values: FloatArray | list[float], length: int) -> list[float]:
    out: list[float] = []
    seed: list[float] = []
    for value in values:
        if math.isnan(value):
            out.append(NAN)
        elif len(seed) < length:
            seed.append(value)
            out.append(math.fsum(seed) / length if len(seed) == length else NAN)
        else:
            out.append(out[-1] + 2.0 / (length + 1) * (value - out[-1]))
    return out


def typical(bars: Bars) -> list[float]:
    return [(h + low + c) / 3 for h, low, c in zip(bars.high, bars.low, bars.close, strict=True)]


def middles(bars: Bars) -> list[float]:
    return [(h + low) / 2 for h, low in zip(bars.high, bars.low, strict=True)]


def true_range(bars: Bars) -> list[float]:
    return [NAN, *(max(bars.high[i], bars.close[i - 1]) - min(bars.low[i], bars.close[i - 1]) for i in range(1, len(bars)))]


def atr(bars: Bars, length: int) -> list[float]:
    out: list[float] = []
    ranges = true_range(bars)
    for i, reach in enumerate(ranges):
        if i < length:
            out.append(NAN)
        elif i == length:
            out.append(math.fsum(ranges[1 : length + 1]) / length)
        else:
            out.append((out[-1] * (length - 1) + reach) / length)
    return out


def zlma(bars: Bars, p: Mapping[str, Any]) -> tuple[list[float], ...]:
    lag = (p["length"] - 1) // 2
    return (ema([NAN] * lag + [2 * bars.close[i] - bars.close[i - lag] for i in range(lag, len(bars))], p["length"]),)


def alma(bars: Bars, p: Mapping[str, Any]) -> tuple[list[float], ...]:
    n = p["length"]
    weights = [math.exp(-((k - p["offset"] * (n - 1)) ** 2) / (2 * (n / p["sigma"]) ** 2)) for k in range(n)]
    return (rolling(bars.close, n, lambda part: sum(w * x for w, x in zip(weights, part, strict=True)) / sum(weights)),)


def kama(bars: Bars, p: Mapping[str, Any]) -> tuple[list[float], ...]:
    n, fast, slow = p["length"], 2 / (p["fast"] + 1), 2 / (p["slow"] + 1)
    out = [NAN] * len(bars)
    last = bars.close[n - 1]
    for i in range(n, len(bars)):
        path = math.fsum(abs(bars.close[j] - bars.close[j - 1]) for j in range(i - n + 1, i + 1))
        efficiency = 1.0 if path == 0 else abs(bars.close[i] - bars.close[i - n]) / path
        last = last + (efficiency * (fast - slow) + slow) ** 2 * (bars.close[i] - last)
        out[i] = last
    return (out,)


def bbands(bars: Bars, p: Mapping[str, Any]) -> tuple[list[float], ...]:
    n = p["length"]
    middle = mean(bars.close, n)
    reach = [p["std"] * math.sqrt(total / n) for total in rolling(bars.close, n, squares)]
    lower = [m - r for m, r in zip(middle, reach, strict=True)]
    upper = [m + r for m, r in zip(middle, reach, strict=True)]
    wide = divide([2 * r for r in reach], middle, 100.0)
    place = [(c - low) / (up - low) if up > low else NAN for c, low, up in zip(bars.close, lower, upper, strict=True)]
    return lower, middle, upper, wide, place


bands = bbands


def kc(bars: Bars, p: Mapping[str, Any]) -> tuple[list[float], ...]:
    basis, reach = ema(bars.close, p["length"]), ema(true_range(bars), p["length"])
    lower = [b - p["scalar"] * r for b, r in zip(basis, reach, strict=True)]
    return lower, basis, [b + p["scalar"] * r for b, r in zip(basis, reach, strict=True)]


def squeeze(bars: Bars, p: Mapping[str, Any]) -> tuple[list[float], ...]:
    back = p["mom_length"]
    momentum = mean([NAN] * back + [bars.close[i] - bars.close[i - back] for i in range(back, len(bars))], p["mom_smooth"])
    low, _, high, *_ = bbands(bars, {"length": p["bb_length"], "std": p["bb_std"]})
    under, _, over = kc(bars, {"length": p["kc_length"], "scalar": p["kc_scalar"]})
    on, off, neither = [], [], []
    for a, b, c, d in zip(low, high, under, over, strict=True):
        known = not (math.isnan(a) or math.isnan(c))
        on.append(float(a > c and b < d) if known else NAN)
        off.append(float(a < c and b > d) if known else NAN)
        neither.append(float(on[-1] == 0 and off[-1] == 0) if known else NAN)
    return momentum, on, off, neither


def tsi(bars: Bars, p: Mapping[str, Any]) -> tuple[list[float], ...]:
    change = [NAN, *(bars.close[i] - bars.close[i - 1] for i in range(1, len(bars)))]
    moved = ema(ema(change, p["slow"]), p["fast"])
    path = ema(ema([abs(value) for value in change], p["slow"]), p["fast"])
    line = [0.0 if b == 0 else 100 * a / b for a, b in zip(moved, path, strict=True)]
    return line, ema(line, p["signal"])


def fisher(bars: Bars, p: Mapping[str, Any]) -> tuple[list[float], ...]:
    line: list[float] = []
    smooth = 0.0
    for i, part in enumerate(windows(middles(bars), p["length"])):
        if part is None:
            line.append(NAN)
        elif i == p["length"] - 1:
            line.append(0.0)
        else:
            reach = max(part) - min(part)
            place = (part[-1] - min(part)) / reach - 0.5 if reach > 0 else 0.0
            smooth = min(0.999, max(-0.999, 0.66 * place + 0.67 * smooth))
            line.append(0.5 * math.log((1 + smooth) / (1 - smooth)) + 0.5 * line[-1])
    return line, ([NAN] * p["signal"] + line)[: len(line)]


def vortex(bars: Bars, p: Mapping[str, Any]) -> tuple[list[float], ...]:
    up = [NAN, *(abs(bars.high[i] - bars.low[i - 1]) for i in range(1, len(bars)))]
    down = [NAN, *(abs(bars.low[i] - bars.high[i - 1]) for i in range(1, len(bars)))]
    ranges = rolling_sum(true_range(bars), p["length"])
    return divide(rolling_sum(up, p["length"]), ranges), divide(rolling_sum(down, p["length"]), ranges)


def ratchet(basic: list[float], close: list[float], start: int) -> list[float]:
    """The upper band of the supertrend, begun afresh at `start`."""
    out = [NAN] * start + [basic[start]]
    for i in range(start + 1, len(basic)):
        out.append(basic[i] if basic[i] < out[-1] or close[i - 1] > out[-1] else out[-1])
    return out


def supertrend(bars: Bars, p: Mapping[str, Any]) -> tuple[list[float], ...]:
    n = p["length"]
    reach = [p["multiplier"] * value for value in atr(bars, n)]
    upper = ratchet([m + r for m, r in zip(middles(bars), reach, strict=True)], list(bars.close), n)
    lower = [-x for x in ratchet([r - m for m, r in zip(middles(bars), reach, strict=True)], [-x for x in bars.close], n)]
    side, sides = 1.0, []
    for i in range(len(bars)):
        if side < 0 and bars.close[i] > upper[i]:
            side = 1.0
        elif side > 0 and bars.close[i] < lower[i]:
            side = -1.0
        sides.append(side)
    line = [low if s > 0 else up for s, low, up in zip(sides, lower, upper, strict=True)]
    long = [x if s > 0 else NAN for x, s in zip(line, sides, strict=True)]
    return line, sides, long, [x if s < 0 else NAN for x, s in zip(line, sides, strict=True)]


def psar(bars: Bars, p: Mapping[str, Any]) -> tuple[list[float], ...]:
    high, low = bars.high, bars.low
    long = not (low[0] - low[1] > max(high[1] - high[0], 0))
    best, stop, speed = (high[1], low[0], min(p["af0"], p["max_af"])) if long else (low[1], high[0], min(p["af0"], p["max_af"]))
    rows: list[tuple[float, float, float, float]] = [(NAN, NAN, NAN, NAN)]
    for i in range(1, len(bars)):
        highs, lows = high[max(1, i - 1) : i + 1], low[max(1, i - 1) : i + 1]
        turned = bool(low[i] <= stop) if long else bool(high[i] >= stop)
        if turned:
            long = not long
            stop = min(best, *lows) if long else max(best, *highs)
            shown, best, speed = stop, (high[i] if long else low[i]), min(p["af0"], p["max_af"])
        else:
            shown = stop
            if (long and high[i] > best) or (not long and low[i] < best):
                best, speed = (high[i] if long else low[i]), min(speed + p["af"], p["max_af"])
        rows.append((shown if long else NAN, NAN if long else shown, speed, float(turned)))
        stop = stop + speed * (best - stop)
        stop = min(stop, *lows) if long else max(stop, *highs)
    return tuple(list(column) for column in zip(*rows, strict=True))


def cmf(bars: Bars, p: Mapping[str, Any]) -> tuple[list[float], ...]:
    flow = []
    for h, low, c, v in zip(bars.high, bars.low, bars.close, bars.volume, strict=True):
        flow.append(((c - low) - (h - c)) / (h - low) * v if h > low else 0.0)
    return (divide(rolling_sum(flow, p["length"]), rolling_sum(bars.volume, p["length"])),)


def volume_ratio(bars: Bars, p: Mapping[str, Any]) -> tuple[list[float], ...]:
    return (divide(list(bars.volume), mean(bars.volume, p["length"])),)


def kvo(bars: Bars, p: Mapping[str, Any]) -> tuple[list[float], ...]:
    price = typical(bars)
    signed = [NAN] + [bars.volume[i] * float(np.sign(price[i] - price[i - 1])) for i in range(1, len(bars))]
    line = [a - b for a, b in zip(ema(signed, p["fast"]), ema(signed, p["slow"]), strict=True)]
    return line, ema(line, p["signal"])


def anchored_mean(bars: Bars, anchors: list[bool]) -> tuple[list[float], list[float]]:
    values, ages = [], []
    begun = None
    for i in range(len(bars)):
        begun = i if anchors[i] else begun
        if begun is None:
            values.append(NAN)
            ages.append(NAN)
            continue
        part = slice(begun, i + 1)
        traded = math.fsum(bars.volume[part])
        money = math.fsum(price * v for price, v in zip(typical(bars[part]), bars.volume[part], strict=True))
        values.append(money / traded if traded > 0 else NAN)
        ages.append(float(i - begun))
    return values, ages


def vwap(bars: Bars, _p: Mapping[str, Any]) -> tuple[list[float], ...]:
    day = [int(ts) // 86_400_000 for ts in bars.ts]
    anchors = [int(bars.ts[i]) % 86_400_000 == 0 if i == 0 else day[i] != day[i - 1] for i in range(len(bars))]
    return anchored_mean(bars, anchors)[:1]


def anchored_vwap(bars: Bars, p: Mapping[str, Any]) -> tuple[list[float], ...]:
    tops, bottoms = pivots(bars, p)
    return anchored_mean(bars, [i in tops or i in bottoms for i in range(len(bars))])


def momentum(bars: Bars, p: Mapping[str, Any]) -> tuple[list[float], ...]:
    return ([NAN if i < p["bars"] else bars.close[i] / bars.close[i - p["bars"]] - 1 for i in range(len(bars))],)


def volatility(bars: Bars, p: Mapping[str, Any]) -> tuple[list[float], ...]:
    returns = momentum(bars, {"bars": 1})[0]
    return ([math.sqrt(total / (p["length"] - 1)) for total in rolling(returns, p["length"], squares)],)


def sma_distance(bars: Bars, p: Mapping[str, Any]) -> tuple[list[float], ...]:
    return ([c / m - 1 for c, m in zip(bars.close, mean(bars.close, p["length"]), strict=True)],)


def pivots(bars: Bars, p: Mapping[str, Any]) -> tuple[dict[int, int], dict[int, int]]:
    """For tops and for bottoms: the bar on which each becomes known -> the bar on which it is."""
    found: tuple[dict[int, int], dict[int, int]] = ({}, {})
    for which, values in enumerate((list(bars.high), [-x for x in bars.low])):
        for j in range(p["left"], len(bars) - p["right"]):
            before, after = values[j - p["left"] : j], values[j + 1 : j + 1 + p["right"]]
            if values[j] > max(before) and values[j] >= max(after):
                found[which][j + p["right"]] = j
    return found


def ordinal(bars: Bars, i: int) -> float:
    return float(int(bars.ts[i]) // bars.timeframe.ms)


def turns(bars: Bars, p: Mapping[str, Any]) -> list[tuple[int, int, float, int]]:
    """Every pivot in order: the bar on which it is known, 1 or -1, its level, the bar on which it is."""
    tops, bottoms = pivots(bars, p)
    every = [(i, 1, float(bars.high[j]), j) for i, j in tops.items()] + [(i, -1, float(bars.low[j]), j) for i, j in bottoms.items()]
    return sorted(every, key=lambda turn: (turn[0], -turn[1]))


def swing(bars: Bars, p: Mapping[str, Any]) -> tuple[list[float], ...]:
    rows = [[NAN] * 9 for _ in range(len(bars))]
    known = turns(bars, p)
    for i in range(len(bars)):
        seen = [turn for turn in known if turn[0] <= i][-60:]
        row = rows[i]
        for place, side in ((0, 1), (2, -1)):
            same = [turn for turn in seen if turn[1] == side]
            if same:
                row[place], row[place + 1] = same[-1][2], ordinal(bars, same[-1][3])
        if seen:
            row[4] = ordinal(bars, seen[-1][0])
        legs: list[tuple[int, int, float]] = []
        for when, side, level, _ in seen:
            if legs and legs[-1][1] == side:
                if (level - legs[-1][2]) * side > 0:
                    legs[-1] = (when, side, level)
            else:
                legs.append((when, side, level))
        if len(legs) >= 2:
            top, bottom = (legs[-1], legs[-2]) if legs[-1][1] > 0 else (legs[-2], legs[-1])
            row[5:] = [top[2], bottom[2], float(legs[-1][1]), ordinal(bars, legs[-1][0])]
    return tuple(list(column) for column in zip(*rows, strict=True))


def trend(bars: Bars, p: Mapping[str, Any]) -> tuple[list[float], ...]:
    rows = []
    known = turns(bars, p)
    directions: list[float] = []
    for i in range(len(bars)):
        seen = [turn for turn in known if turn[0] <= i]
        moves = []
        levels: dict[int, list[float]] = {1: [], -1: []}
        for _, side, level, _ in seen:
            if levels[side]:
                moves.append((side, float(np.sign(level - levels[side][-1]))))
            levels[side].append(level)
        up = [move for side, move in moves if side == 1][-1:]
        down = [move for side, move in moves if side == -1][-1:]
        if not up or not down:
            directions.append(NAN)
            rows.append([NAN] * 10)
            continue
        directions.append(up[0] if up == down else 0.0)
        since = i
        while directions[since - 1] == directions[i]:
            since -= 1
        row = 0
        while row < len(moves) and moves[-1 - row][1] == moves[-1][1] != 0:
            row += 1
        strength = 0.0 if directions[i] == 0 else 2.0 if row >= p["wave_history_size"] else 1.0
        hints = [float(up[0] > 0), float(down[0] > 0), float(up[0] < 0), float(down[0] < 0)]
        rows.append([directions[i], strength, float(i - since), float(row), float(seen[-1][1]), *hints, ordinal(bars, since)])
    return tuple(list(column) for column in zip(*rows, strict=True))


def market_structure(bars: Bars, p: Mapping[str, Any]) -> tuple[list[float], ...]:
    known = turns(bars, p)
    over = bars.close if p["confirmation_close"] else bars.high
    under = bars.close if p["confirmation_close"] else bars.low
    watched: dict[int, float | None] = {1: None, -1: None}
    bias = 0
    last: dict[str, tuple[float, float]] = {"bos": (NAN, NAN), "choch": (NAN, NAN)}
    version = NAN
    rows = []
    for i in range(len(bars)):
        broken = [side for side, level in watched.items() if level is not None and (over[i] > level if side > 0 else under[i] < level)]
        happened = {"bos": 0, "choch": 0}
        if broken:
            side = broken[0] if len(broken) == 1 else (1 if bars.close[i] >= bars.open[i] else -1)
            if bias:
                kind = "bos" if side == bias else "choch"
                happened[kind] = side
                last[kind] = (ordinal(bars, i), float(watched[side] or NAN))
                version = ordinal(bars, i)
            bias = side
            watched.update(dict.fromkeys(broken))
        watched.update({side: level for when, side, level, _ in known if when == i})
        events = [float(abs(happened["bos"])), float(abs(happened["choch"])), float(happened["bos"]), float(happened["choch"])]
        levels = [NAN if watched[side] is None else float(watched[side] or NAN) for side in (1, -1)]
        rows.append([float(bias), *events, *last["bos"], *last["choch"], *levels, version])
    return tuple(list(column) for column in zip(*rows, strict=True))


def trend_ema(bars: Bars, p: Mapping[str, Any]) -> tuple[list[float], ...]:
    average = ema(bars.close, p["ema_length"])
    state: list[float] = []
    for i in range(len(bars)):
        rises, falls = i > 0 and average[i] > average[i - 1], i > 0 and average[i] < average[i - 1]
        word = 1.0 if rises and bars.close[i] > average[i] else -1.0 if falls and bars.close[i] < average[i] else 0.0
        state.append(word if i > 0 and not math.isnan(average[i - 1]) else NAN)
    recent = []
    for i, word in enumerate(state):
        past = [value for value in state[max(0, i - p["recent_bars"]) : i + 1] if not math.isnan(value)]
        recent.append(NAN if math.isnan(word) else float(len(set(past)) > 1))
    return state, recent


def rolling_window(bars: Bars, p: Mapping[str, Any]) -> tuple[list[float], ...]:
    return (rolling(bars.close, p["size"], max if p["mode"] == "max" else min),)


def hour_of_day(bars: Bars, _p: Mapping[str, Any]) -> tuple[list[float], ...]:
    return ([float(np.datetime64(int(ts), "ms").astype(object).hour) for ts in bars.close_ts],)


def day_of_week(bars: Bars, _p: Mapping[str, Any]) -> tuple[list[float], ...]:
    return ([float(np.datetime64(int(ts), "ms").astype(object).weekday()) for ts in bars.close_ts],)


def funding_rate(bars: Bars, _p: Mapping[str, Any]) -> tuple[list[float], ...]:
    out = []
    for close in bars.close_ts:
        paid = [rate for ts, rate in zip(bars.funding_ts, bars.funding_rate, strict=True) if ts < close - 30_000]
        out.append(float(paid[-1]) if paid else NAN)
    return (out,)


TWINS: dict[str, Twin] = {
    twin.__name__: twin
    for twin in (
        zlma, alma, kama, bbands, kc, squeeze, tsi, fisher, vortex, supertrend, psar, cmf, volume_ratio, kvo, vwap, anchored_vwap, momentum,
        volatility, sma_distance, swing, trend, market_structure, trend_ema, rolling_window, hour_of_day, day_of_week, funding_rate,
    )
}  # fmt: skip
