"""Small plays and tapes, built from the model itself: signals are read off the bars, so that a test says when to trade."""

from __future__ import annotations

from typing import Any

import numpy as np

from coinswarm import backtest
from coinswarm.backtest.run import Backtest
from coinswarm.config import Account, Costs
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.play import expressions, model
from coinswarm.play.space import Space

MINUTE = Timeframe(60_000)
FREE = Costs(taker_bps=0, maker_bps=0, slippage_bps=0)
ACCOUNT = Account(starting_equity=1000.0, min_notional=0.0)

# A tape's volume tells the play what to do: the units digit asks for entries, the tens digit for exits.
ENTER_LONG, ENTER_SHORT, ENTER_BOTH, EXIT = 1, 2, 3, 10


def is_volume(*values: float) -> expressions.Condition:
    """True where the volume is one of the values."""
    return expressions.Member(expressions.Column("volume"), tuple(expressions.Literal(float(value)) for value in values))


def tape(*candles: tuple[float, ...], signals: dict[int, int] | None = None, gaps: dict[int, int] | None = None, **extra: Any) -> Bars:
    """One-minute bars from (open, high, low, close); `signals` by bar, `gaps`: minutes missing before a bar."""
    rows = np.array(candles, dtype=float)
    volume = np.full(len(rows), 1000.0)
    for bar, signal in (signals or {}).items():
        volume[bar] = signal
    steps = np.array([1 + (gaps or {}).get(bar, 0) for bar in range(len(rows))])
    ts = (np.cumsum(steps) - 1) * MINUTE.ms
    columns = {name: np.ascontiguousarray(rows[:, place]) for place, name in enumerate(("open", "high", "low", "close"))}
    return Bars(symbol="BTC/USDT", timeframe=MINUTE, ts=ts.astype(np.int64), volume=extra.pop("volume", volume), **columns, **extra)


def flat(price: float) -> tuple[float, float, float, float]:
    """A bar that trades at one price."""
    return price, price, price, price


def play(risk: model.Risk | None = None, **fields: Any) -> model.Play:
    """A play that enters and leaves as the tape's volume says; `fields` go to the play or its policy."""
    policy = {key: fields.pop(key) for key in ("exit_mode", "reverse", "max_gap_ms") if key in fields}
    mode = fields.pop("mode", model.Mode.LONG_SHORT)
    settings: dict[str, Any] = {
        "name": "taped",
        "entry_long": is_volume(ENTER_LONG, ENTER_BOTH, ENTER_LONG + EXIT),
        "entry_short": is_volume(ENTER_SHORT, ENTER_BOTH, ENTER_SHORT + EXIT),
        "exit_long": is_volume(EXIT, ENTER_LONG + EXIT, ENTER_SHORT + EXIT),
        "exit_short": is_volume(EXIT, ENTER_LONG + EXIT, ENTER_SHORT + EXIT),
        "risk": risk or model.Risk(),
        "policy": model.Policy(mode=mode, **policy),
        "space": Space(),
    }
    return model.Play(**(settings | fields))


def stop(kind: model.StopKind = model.StopKind.PERCENT, value: float = 2.0, **fields: Any) -> model.Stop:
    """A stop, by default 2 % away."""
    return model.Stop(kind=kind, value=value, **fields)


def target(kind: model.TargetKind = model.TargetKind.PERCENT, value: float = 4.0, **fields: Any) -> model.Target:
    """A target, by default 4 % away."""
    return model.Target(kind=kind, value=value, **fields)


def run(played: model.Play, bars: Bars, **settings: Any) -> Backtest:
    """Run without costs on an account of 1000 unless told otherwise."""
    return backtest(played, bars, **({"costs": FREE, "account": ACCOUNT} | settings))


def trade(result: Backtest, row: int = 0) -> dict[str, Any]:
    """One trade as a mapping."""
    return result.trades.row(row, named=True)
