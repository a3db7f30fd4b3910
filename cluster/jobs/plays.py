"""Plays as a run wants them: with its costs, account and limits in place of their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import Field, ValidationError

from cluster.jobs.settings import PlayGiven
from coinswarm import config, errors, play
from coinswarm.market.timeframe import Timeframe


class Overrides(config.Settings):
    """What a run says instead of its plays; None leaves it to the play. The warm-up tolerance is the run's alone."""

    taker_bps: Annotated[float | None, Field(description="fee of market and stop fills, in basis points; else the play's")] = None
    maker_bps: Annotated[float | None, Field(description="fee of limit fills, in basis points; else the play's")] = None
    slippage_bps: Annotated[float | None, Field(description="slippage of market and stop fills; else the play's")] = None
    starting_equity: Annotated[float | None, Field(description="of the account, in quote currency; else the play's")] = None
    max_leverage: Annotated[float | None, Field(description="of the account; else the play's")] = None
    max_hold_bars: Annotated[int | None, Field(description="close a position after so many bars")] = None
    stop_loss_pct: Annotated[float | None, Field(description="a stop, in percent of margin; else the play's")] = None
    take_profit_pct: Annotated[float | None, Field(description="a target, in percent of margin; else the play's")] = None
    warmup_tolerance: config.WarmupTolerance = config.WARMUP_TOLERANCE


def read(given: PlayGiven, overrides: Overrides, timeframe: str | None = None) -> play.Play:
    """The play as the run wants it: checked, and with something that closes its positions.

    Raises:
        BadPlay: it is none. BadSetting: what the run says lies outside its domain.
    """
    loaded = play.loads(given.yaml, file=None if given.path is None else str(given.path))
    costs = _changed(loaded.costs, taker_bps=overrides.taker_bps, maker_bps=overrides.maker_bps, slippage_bps=overrides.slippage_bps)
    account = _changed(loaded.account, starting_equity=overrides.starting_equity, max_leverage=overrides.max_leverage)
    wanted = play.with_run(
        loaded, costs=costs, account=account, timeframe=None if timeframe is None else Timeframe.parse(timeframe),
        max_hold_bars=overrides.max_hold_bars, stop_loss_pct=overrides.stop_loss_pct, take_profit_pct=overrides.take_profit_pct,
        warmup_tolerance=overrides.warmup_tolerance,
    )  # fmt: skip
    play.check_runnable(wanted)
    return wanted


def looked_at(found: Iterable[play.Play]) -> set[str]:
    """Symbols of the markets that features of plays look at."""
    return {feature.market for one in found for feature in one.features.values() if feature.market}


def described(given: PlayGiven, wanted: play.Play) -> dict[str, Any]:
    """What a job's config says of a play."""
    return {
        "sha256": given.digest,
        "name": wanted.name,
        "costs": wanted.costs.model_dump(mode="json"),
        "account": wanted.account.model_dump(mode="json"),
    }


def _changed(settings: Any, **values: float | None) -> Any:
    given = {name: value for name, value in values.items() if value is not None}
    try:
        return type(settings).model_validate(settings.model_dump() | given) if given else settings
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
        raise errors.BadSetting("what a run says instead of its play must be in its domain", found=problems) from None
