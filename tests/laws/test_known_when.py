"""What is known when follows from what went into a value: on every grid that an exchange may have, nothing that comes later changes it."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coinswarm import errors
from coinswarm.chaos import markets, naming
from coinswarm.indicators import align, catalog, features
from coinswarm.market import splits
from coinswarm.market.bars import COLUMNS, Bars
from coinswarm.market.resample import resample
from coinswarm.market.timeframe import Timeframe
from coinswarm.play import expressions, model
from coinswarm.play.space import Space
from coinswarm.validate import lookahead
from coinswarm.validate.lookahead.worlds import World
from tests.laws import random_families
from tests.unit.market.tapes import START, tape

HOUR, DAY = 3_600_000, 86_400_000
GRIDS = {
    "hours at :30": ("1h", HOUR // 2, "1d"),
    "hours at :17": ("1h", 17 * 60_000, "4h"),
    "days at 16:00": ("1d", 16 * HOUR, "1w"),
    "weeks from Sunday": ("1w", -DAY, "2w"),
    "days into months": ("1d", 16 * HOUR, "30d"),
    "on the grid": ("1h", 0, "1d"),
}
EXAMPLES = 40 if settings.get_current_profile_name() != "thorough" else 2_000
some = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)


def off_grid(timeframe: str, phase: int, n: int, seed: int, *, symbol: str = "BTC/USDT", gaps: float = 0.1, drift: float = 0.0) -> Bars:
    """Bars that begin `phase` ms after the grid, some missing, with funding; `drift`: how often the grid moves on."""
    rng = np.random.default_rng(seed)
    bars = tape(n, timeframe, seed=seed, symbol=symbol)
    step = bars.timeframe.ms
    moved = np.cumsum((rng.random(n) < drift) * rng.integers(1, 60, n) * step // 60)
    ts = START + phase + step * np.arange(n) + moved
    kept = rng.random(n) > gaps
    kept[0] = True
    paid = np.arange(int(ts[0]), int(ts[-1]), 8 * HOUR) + rng.integers(-20, 20, len(range(int(ts[0]), int(ts[-1]), 8 * HOUR)))
    columns = {name: getattr(bars, name)[kept] for name in COLUMNS}
    return replace(bars, ts=ts[kept], **columns, funding_ts=paid, funding_rate=rng.normal(0, 1e-3, paid.size))


worlds = st.builds(
    lambda grid, seed, gaps, drift: (off_grid(*GRIDS[grid][:2], 240, seed, gaps=gaps, drift=drift), Timeframe.parse(GRIDS[grid][2])),
    st.sampled_from(sorted(GRIDS)), st.integers(0, 2**32), st.sampled_from([0.0, 0.1, 0.6]), st.sampled_from([0.0, 0.0, 0.05]),
)  # fmt: skip


@some
@given(worlds, st.floats(0, 1))
def test_bars_that_come_later_change_no_slow_bar_that_is_known(world: tuple[Bars, Timeframe], share: float) -> None:
    bars, slow = world
    now = int(bars.ts[0] + share * (bars.close_ts[-1] - bars.ts[0]))
    then, whole = (resample(part, slow, unfinished=True) for part in (bars[: bars.closed_by(now)], bars))
    known = [one[: one.closed_by(now)] for one in (then, whole)]
    for name in ("ts", *COLUMNS, "close_ts"):
        assert getattr(known[0], name).tolist() == getattr(known[1], name).tolist()


# a bar that leaves the grid and is the last of a slow bar in which one that left it before stands first
TWICE = (off_grid("1d", 16 * HOUR, 240, 250, gaps=0.6, drift=0.05), Timeframe.parse("1w"))


@some
@given(worlds)
@example(TWICE)
def test_a_slow_bar_is_known_after_all_that_went_into_it_and_less_than_a_bar_late(world: tuple[Bars, Timeframe]) -> None:
    bars, length = world
    slow = resample(bars, length)
    known = bars.close_ts[np.searchsorted(bars.close_ts, slow.close_ts, side="right") - 1]
    assert (np.diff(slow.close_ts) > 0).all()
    assert (slow.close_ts >= slow.ts + length.ms).all()
    assert (slow.close_ts < slow.ts + length.ms + bars.timeframe.ms).all()
    assert (known <= slow.close_ts).all()
    for place, (ts, close) in enumerate(zip(slow.ts.tolist(), slow.close.tolist(), strict=True)):
        inside = np.flatnonzero((bars.ts >= ts - bars.timeframe.ms) & (bars.close_ts <= slow.close_ts[place]))
        assert close == bars.close[inside[-1]]


@some
@given(
    worlds,
    st.sampled_from(["price", "roc", "vwap", "funding_rate", "hour_of_day", "day_of_week", "swing"]),
    st.integers(2, 200),
    st.booleans(),
)
def test_bars_that_come_later_change_no_feature(world: tuple[Bars, Timeframe], name: str, cut: int, slow: bool) -> None:
    other, length = world
    traded = replace(off_grid(str(other.timeframe), 0, 240, 5), symbol="ETH/USDT")
    cut = min(cut, len(traded) - 1)
    whole = World(bars=traded, markets={other.symbol: other})
    timeframe = length.ms if slow else None
    shown = [
        features.compute(name, {}, part.bars, timeframe_ms=timeframe, market=part.markets[other.symbol]).outputs
        for part in (whole.until(cut), whole)
    ]
    for output in shown[1]:
        np.testing.assert_array_equal(shown[0][output], shown[1][output][:cut])


@some
@given(st.sampled_from(sorted(GRIDS)), st.integers(0, 2**32), st.sampled_from([0.1, 0.25, 0.5]), st.integers(0, 9), st.integers(0, 9))
def test_no_part_of_a_split_holds_what_is_known_in_the_next(grid: str, seed: int, share: float, purge: int, embargo: int) -> None:
    timeframe, phase, _ = GRIDS[grid]
    markets = [off_grid(timeframe, 0, 300, seed), off_grid(timeframe, phase, 300, seed + 1, symbol="ETH/USDT")]
    inside, outside = splits.holdout(markets, share, purge=purge, embargo=embargo)
    for bars in markets:
        assert bars[: bars.index_at(inside.end_ts)].close_ts[-1:].max(initial=0) <= outside.start_ts


RULES = model.Play(
    name="known when",
    features={
        "slow": model.Feature(id="slow", indicator="roc", params=(("length", 1.0),), timeframe_ms=DAY, market="BTC/USDT"),
        "vwap": model.Feature(id="vwap", indicator="vwap", params=(), market="BTC/USDT"),
        "paid": model.Feature(id="paid", indicator="funding_rate", params=(), timeframe_ms=DAY, market="BTC/USDT"),
        "hour": model.Feature(id="hour", indicator="hour_of_day", params=(), market="BTC/USDT"),
        "own": model.Feature(id="own", indicator="price", params=(), timeframe_ms=DAY),
    },
    entry_long=expressions.AnyOf((
        expressions.Compare(">", expressions.Output("slow", "value"), expressions.Literal(0.2)),
        expressions.Compare("<", expressions.Output("paid", "value"), expressions.Literal(-0.001)),
    )),
    exit_long=expressions.AnyOf((
        expressions.Compare("<", expressions.Output("vwap", "value"), expressions.Output("own", "value")),
        expressions.Compare("==", expressions.Output("hour", "value"), expressions.Literal(7.0)),
    )),
    risk=model.Risk(max_hold_bars=9.0),
    space=Space((), ()),
)  # fmt: skip


@pytest.mark.parametrize("phases", [(0, HOUR // 2), (HOUR // 2, 0), (HOUR // 2, HOUR // 2), (17 * 60_000, 43 * 60_000)])
@pytest.mark.parametrize("gaps", [0.0, 0.2])
def test_the_look_ahead_command_passes_hours_on_any_grid(phases: tuple[int, int], gaps: float) -> None:
    traded = off_grid("1h", phases[0], 600, 1, symbol="ETH/USDT", gaps=gaps)
    other = off_grid("1h", phases[1], 600, 2, gaps=gaps)
    report = lookahead.check(RULES, traded, markets={other.symbol: other}, cuts=6)
    assert [verdict.offences for verdict in report.verdicts] == [(), (), ()]
    assert report.passed
    assert report.trades > 0


def by_labels(
    indicator: str, params: catalog.Params, bars: Bars, *, source: str, timeframe_ms: int | None, market: Bars | None, **settings: float
) -> features.Computed:
    """`features.compute` as it was before: a slow bar is known when its label ends, whatever went into it."""
    slow = resample(bars if market is None else market, Timeframe(timeframe_ms or bars.timeframe.ms))
    made = features.compute(indicator, params, replace(slow, known_ts=slow.ts[:0]), source=source, **settings)
    shown = align.align(bars.close_ts, slow.ts + slow.timeframe.ms, slow.timeframe.ms)
    outputs = {name: align.spread(values, shown) for name, values in made.outputs.items()}
    return replace(made, outputs=outputs, first=int(np.searchsorted(shown.index, made.first)))


def test_the_look_ahead_command_fails_the_rule_of_before() -> None:
    traded, other = off_grid("1h", 0, 600, 1, symbol="ETH/USDT", gaps=0.0), off_grid("1h", HOUR // 2, 600, 2, gaps=0.0)
    report = lookahead.check(RULES, traded, markets={other.symbol: other}, cuts=6, engine=lookahead.Engine(compute=by_labels))
    assert {offence.name for offence in report["truncation"].offences} >= {"slow"}
    assert {offence.name for offence in report["scramble"].offences} >= {"slow"}


@pytest.mark.parametrize("grid", ["days at 16:00", "weeks from Sunday", "days into months"])
def test_the_look_ahead_command_passes_slow_markets_that_faster_ones_look_at(grid: str) -> None:
    timeframe, phase, slow = GRIDS[grid]
    length = Timeframe.parse(timeframe).ms
    n = 900
    other = off_grid(timeframe, phase, n * 4 * HOUR // length + 9, 2)
    traded = off_grid("4h", 0, n, 1, symbol="ETH/USDT")
    rules = model.Play(
        name="slow", space=Space((), ()), risk=model.Risk(max_hold_bars=3.0),
        features={"x": model.Feature(id="x", indicator="price", params=(), timeframe_ms=Timeframe.parse(slow).ms, market=other.symbol)},
        entry_long=expressions.Compare(">", expressions.Output("x", "value"), expressions.Column("close")),
    )  # fmt: skip
    report = lookahead.check(rules, traded, markets={other.symbol: other}, cuts=6)
    assert [verdict.offences for verdict in report.verdicts] == [(), (), ()]
    assert report.passed


@pytest.mark.parametrize("seed", range(12))
def test_random_plays_on_random_grids_are_honest(seed: int) -> None:
    rnd = Random(seed)
    bars = random_families.market(rnd, 500)
    other = random_families.market(rnd, 500, random_families.OTHER)
    try:
        report = lookahead.check(random_families.family(rnd), bars, markets={other.symbol: other}, variants=1, cuts=4, seed=seed)
    except errors.SpanTooShort:
        return
    assert [verdict.offences for verdict in report.verdicts[:2]] == [(), ()]


def test_what_chaos_trades_were_decided_on_does_not_change_with_later_bars() -> None:
    bars = off_grid("1h", 0, 900, 1, symbol="ETH/USDT", gaps=0.02)
    other = off_grid("1h", HOUR // 2, 900, 2, gaps=0.02)
    names = naming.described_by(["BTC/USDT:roc(1)@1d", "vwap@4h", "BTC/USDT:funding_rate"])
    whole = markets.describe(bars, names, {other.symbol: other})
    for cut in range(200, 900, 97):
        world = World(bars=bars, markets={other.symbol: other}).until(cut)
        part = markets.describe(world.bars, names, world.markets)
        np.testing.assert_array_equal(part.state, whole.state[:cut])
