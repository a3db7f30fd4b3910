"""How much may be asked for: amounts of a request, and the most of each that a job, a token or a campaign may have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from coinswarm import config, errors

_WORDS = {
    "trials": "variants", "chaos_trades": "chaos trades", "generations": "generations", "fetched_bars": "fetched bars",
    "stored_bytes": "bytes in the database",
}  # fmt: skip
_MOST = 2**62


@dataclass(frozen=True, kw_only=True, slots=True)
class JobAmounts:
    """What a job asks for, at most; what it is not known to need is 0."""

    trials: int = 0
    chaos_trades: int = 0
    generations: int = 0
    fetched_bars: int = 0
    stored_bytes: int = 0

    def __add__(self, other: JobAmounts) -> JobAmounts:
        return JobAmounts(**{name: getattr(self, name) + getattr(other, name) for name in _WORDS})


class Quota(config.Settings):
    """The most of each amount; none: any."""

    trials: Annotated[int, Field(ge=0, le=_MOST, description="variants that are evaluated")] | None = None
    chaos_trades: Annotated[int, Field(ge=0, le=_MOST, description="random trades")] | None = None
    generations: Annotated[int, Field(ge=0, le=_MOST, description="generations of searches")] | None = None
    fetched_bars: Annotated[int, Field(ge=0, le=_MOST, description="candles from exchanges")] | None = None
    stored_bytes: Annotated[int, Field(ge=0, le=_MOST, description="bytes in the database, as estimated before a job runs")] | None = None


ANY = Quota()


def refuse_job(asked: JobAmounts, limits: Quota, hint: str) -> None:
    """Raise `TooLarge` when one job asks for more than a job may.

    Args:
        asked: what it asks for.
        limits: of a job.
        hint: how the limit is raised.
    """
    for name, words in _WORDS.items():
        limit, wanted = getattr(limits, name), getattr(asked, name)
        if limit is not None and wanted > limit:
            raise errors.TooLarge(f"a job may ask for at most {limit:,} {words}", found=f"{wanted:,}", hint=f"ask for less, or {hint}")
