"""Where the last digit decides: prices in ticks, round percentages, least notionals and an equity of nothing."""

from __future__ import annotations

import numpy as np
import pytest

from coinswarm import backtest, fitness
from coinswarm.backtest import rules as reference
from coinswarm.backtest.decisions import decide
from coinswarm.config import Account, Costs
from coinswarm.fitness import figures
from coinswarm.fitness.cache import Cache
from coinswarm.fitness.conditions import Evaluation
from coinswarm.fitness.rules import RuleTable
from coinswarm.kernels.codes import N_TALLY, RuleColumn, Tally
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.metrics.figures import Status
from coinswarm.play import expressions, model, variants
from coinswarm.play.dimension import Dimension
from coinswarm.play.space import Space
from coinswarm.types import FloatArray

NONE = np.empty((1, 0))
FREE = Costs(taker_bps=0, maker_bps=0, slippage_bps=0)
TF = Timeframe.parse("5m")
ALWAYS = expressions.Compare(">", expressions.Column("close"), expressions.Literal(0.0))


def bars_at(close: FloatArray, low: FloatArray | None = None) -> Bars:
    close = np.asarray(close, dtype=np.float64)
    opening = np.concatenate([close[:1], close[:-1]])
    bottom = np.minimum(opening, close) if low is None else low
    return Bars(
        symbol="AAA/USDT", timeframe=TF, ts=np.arange(close.size) * TF.ms, open=opening, high=np.maximum(opening, close), low=bottom,
        close=close, volume=np.ones(close.size),
    )  # fmt: skip


def one(risk: model.Risk | None = None, entry: expressions.Condition = ALWAYS) -> model.Play:
    return model.Play(name="one", entry_long=entry, risk=risk or model.Risk(), space=Space())


def evaluated(play: model.Play, bars: Bars) -> Evaluation:
    return Evaluation(play, NONE, bars, {}, Cache())


@pytest.mark.parametrize("leverage", [1.0, 3.0, 7.0])
def test_both_simulators_turn_percent_of_margin_into_the_same_price_move_to_the_last_digit(leverage: float) -> None:
    account = Account(max_leverage=leverage)
    for percent in np.round(np.arange(0.1, 10.0, 0.1), 1).tolist():
        kinds = model.StopKind.PERCENT, model.TargetKind.PERCENT
        play = one(model.Risk(stop=model.Stop(kind=kinds[0], value=percent), target=model.Target(kind=kinds[1], value=percent)))
        row = RuleTable(evaluated(play, bars_at(np.ones(3))), account).rows[0]
        assert row[RuleColumn.STOP_VALUE] == row[RuleColumn.TARGET_VALUE] == reference.price_move(percent, leverage)


def test_both_simulators_find_the_same_prices_near_a_round_one() -> None:
    bars = bars_at(np.arange(2970.0, 3031.0))
    for percent in np.round(np.arange(0.1, 1.0, 0.1), 1).tolist():
        near = expressions.Near(expressions.Column("close"), expressions.Literal(3000.0), expressions.Literal(percent), percent=True)
        words = evaluated(one(entry=near), bars).condition(near).results[0]
        fast = np.unpackbits(words.view(np.uint8), bitorder="little")[: len(bars) - 1]
        assert fast.tolist() == decide(one(entry=near), bars).entry_long[:-1].tolist()


def test_a_list_of_truths_is_read_in_its_own_order() -> None:
    rng = np.random.default_rng(3)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0, 1e-3, 400)))
    bars = bars_at(close, np.minimum(close, np.roll(close, 1)) * rng.uniform(0.997, 1.0, close.size))
    params = (("confirmation_close", expressions.Slot(0)), ("left", 2.0), ("right", 2.0))
    broken = expressions.Compare("==", expressions.Output("s", "bos_this_bar"), expressions.Literal(1.0))
    play = model.Play(
        name="truths", features={"s": model.Feature(id="s", indicator="market_structure", params=params)}, entry_long=broken,
        risk=model.Risk(max_hold_bars=3.0), space=Space((Dimension.choice("s.confirmation_close", (True, False)),)),
    )  # fmt: skip
    genomes = np.array([[0.0], [1.0]])
    scores = fitness.score(play, genomes, bars)
    slow = [backtest(variants.fix(play, genome), bars).metrics["n_trades"] for genome in genomes]
    assert scores["n_trades"].tolist() == slow
    assert slow[0] != slow[1]


@pytest.mark.parametrize("sizing", [model.SizingModel.PERCENT_EQUITY, model.SizingModel.FIXED_NOTIONAL])
def test_an_order_of_exactly_the_least_notional_is_taken_at_every_price(sizing: model.SizingModel) -> None:
    play = one(model.Risk(sizing=model.Sizing(model=sizing, value=10.0), max_hold_bars=1.0))
    account = Account(starting_equity=100.0, min_notional=10.0)
    for price in np.arange(1.0, 60.0).tolist():
        run = {"costs": FREE, "account": account}
        bars = bars_at(np.full(9, price * 1.1))
        rejected = fitness.score(play, NONE, bars, **run)["n_rejected"][0], backtest(play, bars, **run).metrics["n_rejected"]
        assert rejected == (0.0, 0.0)


@pytest.mark.parametrize("leverage", [2.0, 5.0, 11.0])
def test_a_liquidation_of_everything_is_ruin_whatever_rounding_leaves(leverage: float) -> None:
    names = ["n_liquidated", "n_trades", "n_rejected"]
    for price in np.arange(1.0, 40.0, 1.3).tolist():
        bars = bars_at(price * np.array([1.0, 1.1, 0.3, 0.31, 0.32, 0.33]))
        run = {
            "costs": FREE.model_copy(update={"taker_bps": price}),
            "account": Account(starting_equity=1_000.1, max_leverage=leverage, min_notional=0.0),
        }
        slow = backtest(one(), bars, **run)
        assert fitness.score(one(), NONE, bars, **run)[names].tolist() == [(1.0, 1.0, 0.0)]
        assert [slow.metrics[name] for name in names] == [1.0, 1.0, 0.0]


def test_a_span_without_bars_makes_every_variant_invalid() -> None:
    scores = fitness.score(one(), NONE, bars_at(np.ones(9)), end_ts=0)
    assert scores["status"].tolist() == [Status.INVALID]


@pytest.mark.parametrize("spread", [1e-3, 1e-2, 0.05, 0.1, 0.3, 3.0])
def test_moments_are_right_to_nine_digits_or_called_doubtful(spread: float) -> None:
    returns = 0.01 * (1.0 + spread * np.random.default_rng(0).standard_exponential(5_000))
    tallies = np.zeros((1, N_TALLY))
    tallies[0, Tally.EQUITY_END] = 1.0
    for power in range(4):
        tallies[0, Tally.SUM + power] = np.cumsum(returns ** (power + 1))[-1]
    scores, doubtful = figures.from_tallies(tallies, np.array([returns.size]), np.array([TF.periods_per_year]), 1.0)
    right = figures.moments_of(returns, TF.periods_per_year)
    assert doubtful[0] or [scores[name][0] for name in ("sharpe", "skew", "kurtosis")] == pytest.approx(
        [right[name] for name in ("sharpe", "skew", "kurtosis")], rel=1e-9
    )


def test_what_is_remembered_of_few_bars_counts_its_keys_too() -> None:
    play = model.Play(
        name="keys", entry_long=expressions.Compare(">", expressions.Column("close"), expressions.Literal(expressions.Slot(0))),
        space=Space((Dimension(path="level", kind="float", low=0.5, high=1.5, step=0.0),)),
    )  # fmt: skip
    scorer = fitness.Scorer(play, bars_at(np.ones(70)))
    scorer.score(np.linspace(0.5, 1.5, 200)[:, None])
    assert scorer.cache_info.bytes >= 500 * scorer.cache_info.entries
