"""Trades and whole histories found by jumping equal those led bar by bar."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coinswarm.fitness.tape import shared_outcomes
from coinswarm.kernels import blocks, chain, trades
from coinswarm.kernels.bits import packed
from coinswarm.kernels.codes import N_OUTCOME, N_PATH, N_TALLY, InForce, Outcome, Reason, RuleColumn, Size, StopCode, Tally, TargetCode
from coinswarm.kernels.tape import Tape, Terms
from tests.oracles import naive_chain, naive_trades

seeds = st.integers(0, 2**32)
NO_ORDER = {RuleColumn.LIMIT_OFFSET: np.nan, RuleColumn.BREAK_EVEN_AT: -1.0, RuleColumn.ACTIVATION: -1.0}
LEVEL_ROWS = {RuleColumn.STOP_ROW_LONG: 0.0, RuleColumn.STOP_ROW_SHORT: 1.0, RuleColumn.TARGET_ROW: 2.0}
STOPS = [
    (StopCode.NONE, 0.0), (StopCode.PERCENT, 0.02), (StopCode.ATR, 1.0), (StopCode.POINTS, 3.0), (StopCode.STRUCTURE, 1.0),
    (StopCode.TRAIL_PERCENT, 0.03), (StopCode.TRAIL_ATR, 2.0),
]  # fmt: skip
TARGETS = [
    (TargetCode.NONE, 0.0),
    (TargetCode.PERCENT, 0.03),
    (TargetCode.ATR, 2.0),
    (TargetCode.POINTS, 4.0),
    (TargetCode.R_MULTIPLE, 1.5),
]
SIZES = [(Size.PERCENT_EQUITY, 60.0), (Size.RISK_BASED, 1.0), (Size.FIXED_NOTIONAL, 400.0)]


def tape_of(random: np.random.Generator, n: int) -> Tape:
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.02, n)))
    opening = np.concatenate([[100.0], close[:-1]]) * np.exp(random.normal(0, 0.004, n))
    high = np.maximum(opening, close) * (1 + random.exponential(0.005, n))
    low = np.minimum(opening, close) * (1 - random.exponential(0.005, n))
    paid = np.cumsum(random.normal(0, 0.05, n) * (random.random(n) < 0.2))
    adjusted = close - paid
    return Tape(
        open=opening, high=high, low=low, close=close, volume=random.integers(0, 40, n).astype(float), adjusted=adjusted, funding=paid,
        volatility=np.where(random.random(n) < 0.1, np.nan, random.random(n) / 50), gaps=np.cumsum(random.random(n) < 0.05),
        low_small=blocks.block_min(low, blocks.SMALL), low_large=blocks.block_min(low, blocks.LARGE),
        high_small=blocks.block_max(high, blocks.SMALL), high_large=blocks.block_max(high, blocks.LARGE),
        adjusted_low=blocks.block_min(adjusted, blocks.SMALL), adjusted_high=blocks.block_max(adjusted, blocks.SMALL),
    )  # fmt: skip


def rule_of(random: np.random.Generator, scale_free: bool) -> np.ndarray:
    """A rule of any kind of stop, target, size and order."""
    stop, target = STOPS[random.integers(len(STOPS))], TARGETS[random.integers(len(TARGETS))]
    size = SIZES[1 if stop[0] in {StopCode.PERCENT, StopCode.ATR} and random.random() < 0.5 else 0]
    size = size if scale_free or random.random() < 0.5 else SIZES[2]
    rule = {
        **NO_ORDER, **LEVEL_ROWS, RuleColumn.LEVERAGE: random.choice([1.0, 2.0, 8.0]), RuleColumn.SIZE_MODEL: size[0],
        RuleColumn.SIZE_VALUE: size[1], RuleColumn.STOP_KIND: stop[0], RuleColumn.STOP_VALUE: stop[1], RuleColumn.TARGET_KIND: target[0],
        RuleColumn.TARGET_VALUE: target[1], RuleColumn.MAX_HOLD: random.choice([0.0, 5.0, 30.0]), RuleColumn.USE_SIGNAL: 1.0,
        RuleColumn.USE_LEVELS: random.random() < 0.9, RuleColumn.REVERSE: random.random() < 0.4,
    }  # fmt: skip
    if random.random() < 0.4:
        expires = random.choice([0.0, 3.0])
        order = {RuleColumn.LIMIT_OFFSET: random.choice([-0.3, 0.0, 0.5]), RuleColumn.TIME_IN_FORCE: random.choice(list(InForce))}
        rule |= {**order, RuleColumn.EXPIRE_AFTER: expires}
    if random.random() < 0.3:
        rule |= {RuleColumn.BREAK_EVEN_AT: 0.01, RuleColumn.BREAK_EVEN_OFFSET: 0.002}
    if random.random() < 0.3:
        rule |= {RuleColumn.ACTIVATION: 0.01}
    return np.array([float(rule.get(column, 0.0)) for column in RuleColumn])


def terms_of(random: np.random.Generator, scale_free: bool, stop: float = np.inf) -> Terms:
    uses_volume = not scale_free and random.random() < 0.5
    return Terms(
        taker=0.001, maker=0.0004, slip=random.choice([0.0, 0.0005]), slip_volatility=random.choice([0.0, 0.1]),
        slip_participation=0.01 * uses_volume, max_participation=0.5 if uses_volume else np.inf, lot_step=0.0 if scale_free else 0.01,
        min_notional=0.0 if scale_free else 20.0, maintenance=0.005, max_drawdown=stop, starting_equity=1_000.0,
    )  # fmt: skip


def levels_of(random: np.random.Generator, tape: Tape) -> np.ndarray:
    """Rows for stops of longs, of shorts, and targets; ranges where a rule multiplies them, prices where it does not."""
    spread = 2.0 + random.random((3, tape.open.size))
    spread[random.random(spread.shape) < 0.05] = np.nan
    return spread if random.random() < 0.7 else np.stack([tape.low * 0.98, tape.high * 1.02, spread[2]])


def masks_of(random: np.random.Generator, n: int, share: float, rows: int) -> list[list[bool]]:
    return (random.random((rows, n)) < share).tolist()


def words(mask: list[bool]) -> np.ndarray:
    return packed(np.array(mask, dtype=np.bool_))


def assert_fields(found: Any, expected: dict[Any, float]) -> None:
    for field, value in expected.items():
        np.testing.assert_allclose(found[field], float(value), rtol=1e-8, atol=1e-9, err_msg=field.name)


@given(seeds, st.integers(2, 90), st.sampled_from([1, -1]), st.booleans())
@settings(max_examples=400)
def test_a_trade_found_by_jumping_is_the_trade_led_bar_by_bar(seed: int, n: int, side: int, has_exits: bool) -> None:
    random = np.random.default_rng(seed)
    tape, rule, terms = tape_of(random, n), rule_of(random, scale_free=False), terms_of(random, scale_free=False)
    levels, d = levels_of(random, tape), int(random.integers(0, n - 1))
    exits, own, opposite = masks_of(random, n, 0.03, 3)
    exits = exits if has_exits else []
    out = np.full(N_OUTCOME, np.nan)
    trades.trade(tape, terms, levels, rule, side, d, 1_000.0, words(exits), words(own), words(opposite), n, out)
    assert_fields(out, naive_trades.trade(tape, terms, levels, rule, side, d, 1_000.0, exits, own, opposite, n))


@given(seeds, st.sampled_from([1, -1]), st.sampled_from([reason for reason in Reason if reason > Reason.REJECTED]), st.booleans())
def test_a_trade_is_settled_as_its_cash_flows_say(seed: int, side: int, reason: Reason, reverses: bool) -> None:
    random = np.random.default_rng(seed)
    tape, rule, terms = tape_of(random, 70), rule_of(random, scale_free=False), terms_of(random, scale_free=False)
    e, x = sorted(random.integers(0, 70, 2).tolist())
    raw, price = float(tape.open[e]), float(tape.close[x])
    entry = naive_trades.Bought(bar=e, fill=raw * (1 + 0.001 * side), raw=raw, qty=3.0, stop=0.0, target=0.0, inside=False, fee=0.001)
    out = np.full(N_OUTCOME, np.nan)
    out[Outcome.REVERSES] = reverses
    trades.settle(tape, terms, rule, side, e, entry.fill, raw, entry.qty, entry.fee, reason, x, price, 1_000.0, out)
    assert_fields(out, naive_trades.settle(tape, terms, rule, side, entry, reason, x, price, 1_000.0, reverses))


@given(seeds, st.sampled_from([1.0, -1.0, 0.5]), st.booleans())
def test_the_path_of_a_trade_is_that_of_its_closes(seed: int, size: float, reverses: bool) -> None:
    random = np.random.default_rng(seed)
    tape = tape_of(random, 120)
    e, x = sorted(random.integers(0, 120, 2).tolist())
    base, qty = float(tape.open[e]), size / 200
    cash, out = 0.999 + qty * (tape.adjusted[x] - base), np.full(N_OUTCOME, np.nan)
    out[Outcome.REVERSES] = reverses
    trades.describe_path(tape, e, x, base, 0.999, qty, cash, out)
    assert_fields(out, naive_trades.describe_path(tape, e, x, base, 0.999, qty, cash, reverses))


@given(seeds, st.integers(2, 120), st.booleans(), st.sampled_from([0.05, 0.2, np.inf]), st.sampled_from([0.02, 0.2]))
@example(seed=78, n=78, scale_free=True, stop=0.2, share=0.2)  # the account stop acts at a close between an exit and the order that turns
@settings(max_examples=300)
def test_a_history_found_by_jumping_is_the_one_walked_bar_by_bar(seed: int, n: int, scale_free: bool, stop: float, share: float) -> None:
    random = np.random.default_rng(seed)
    tape, rule, terms = tape_of(random, n), rule_of(random, scale_free), terms_of(random, scale_free, stop)
    levels, first, masks = levels_of(random, tape), int(random.integers(0, n)), masks_of(random, n, share, 4)
    tally, curve, log = np.zeros(N_TALLY), np.full(n, np.nan), np.zeros((n, N_OUTCOME + 2))
    halted = chain.chain(
        tape, terms, 200.0, levels, rule, *map(words, masks), first, -1, scale_free, shared_outcomes(n), tally, curve, log
    )  # fmt: skip
    stopped, figures, closes, records = naive_chain.chain(tape, terms, 200.0, levels, rule, *masks, first, scale_free)
    assert_fields(tally, figures)
    assert halted == stopped
    held = np.flatnonzero(~np.isnan(curve))
    np.testing.assert_allclose(curve[held], np.array(closes)[held - first], rtol=1e-9)
    for row, (record, side, equity) in zip(log[: int(tally[Tally.N_ENTERED])], records, strict=True):
        assert row[Outcome.REASON] == record[Outcome.REASON]
        assert [row[Outcome.ENTRY_BAR], row[Outcome.EXIT_BAR], row[N_OUTCOME]] == [
            record[Outcome.ENTRY_BAR],
            record[Outcome.EXIT_BAR],
            side,
        ]
        np.testing.assert_allclose(row[N_OUTCOME + 1], equity, rtol=1e-9)


@given(seeds, st.integers(2, 120), st.booleans())
@settings(max_examples=40)
def test_a_walk_in_given_room_has_the_figures_of_its_history(seed: int, n: int, scale_free: bool) -> None:
    random = np.random.default_rng(seed)
    tape, rule, terms = tape_of(random, n), rule_of(random, scale_free), terms_of(random, scale_free, 0.2)
    levels, masks, tally = levels_of(random, tape), masks_of(random, n, 0.1, 4), np.zeros(N_TALLY)
    room, none = (np.zeros(N_PATH), np.zeros(N_OUTCOME)), (np.empty(0), np.empty((0, 0)))
    chain.walk(tape, terms, 200.0, levels, rule, *map(words, masks), 0, -1, scale_free, shared_outcomes(n), *room, tally, *none)
    assert_fields(tally, naive_chain.walk(tape, terms, 200.0, levels, rule, *masks, 0, scale_free)[1])


@given(seeds, st.booleans())
@settings(max_examples=40)
def test_a_batch_is_its_variants_one_by_one_whatever_they_share(seed: int, scale_free: bool) -> None:
    random = np.random.default_rng(seed)
    n, rules = 80, np.stack([rule_of(random, scale_free) for _ in range(2)])
    tape, terms = tape_of(random, n), terms_of(random, scale_free)
    levels, entries, exits = levels_of(random, tape), masks_of(random, n, 0.1, 3), masks_of(random, n, 0.1, 2)
    # variants that share a group have one rule and one pair of exits
    groups = [(0, -1, 1), (1, 0, -1)]
    variants = []
    for place in random.permutation(6).tolist():
        group = int(random.integers(2))
        rule, exit_long, exit_short = groups[group]
        long, short = random.permutation(3)[:2].tolist()
        variants.append([place, rule, 0, 1, exit_long, exit_short, int(random.integers(40)), group if (long, short) == (0, 1) else -1])
    tallies = np.zeros((6, N_TALLY))
    chain.chain_batch(
        tape, terms, 200.0, levels, rules, np.stack([words(row) for row in entries]), np.stack([words(row) for row in exits]),
        np.array(variants), scale_free, shared_outcomes(n), tallies,
    )  # fmt: skip
    expected = naive_chain.chain_batch(tape, terms, 200.0, levels, rules, entries, exits, variants, scale_free)
    for place, tally in enumerate(tallies):
        assert_fields(tally, expected[place])


def test_a_row_of_exits_is_that_row_or_none() -> None:
    exits = masks_of(np.random.default_rng(1), 70, 0.5, 3)
    rows = np.stack([words(row) for row in exits])
    for place in (-1, 0, 2):
        assert chain.exit_row(rows, place).tolist() == words(naive_chain.exit_row(exits, place)).tolist()
