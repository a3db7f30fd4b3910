"""Planning a report card: the variant, its bars and its trials are found, and all that decides the card is written down.

All that a section depends on stands in the job's config, the trials drawn from the ledger included, so that a card says what was known
when it was asked for, and a resumed job makes the same one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cluster.jobs import markets, plays
from cluster.jobs.kind import JobSpec, PlanContext
from cluster.jobs.plays import described
from cluster.jobs.validate import targets
from cluster.jobs.validate.settings import ValidateRequest
from cluster.jobs.validate.targets import ValidationTarget
from coinswarm import errors
from coinswarm.ledger.records import PlayRecord
from coinswarm.market.bars import Bars
from coinswarm.market.catalog import Catalog
from coinswarm.market.vault import Fence
from coinswarm.play import variants
from coinswarm.play.model import Play

ORDER = (
    "in_sample", "validation", "markets", "years", "regimes", "unseen", "lint", "capacity", "crash", "plateau", "stress", "superiority",
    "montecarlo", "walk_forward", "cpcv", "odds", "overfitting",
)  # fmt: skip
"""The order in which sections are computed: what is there at once comes first."""


def plan(request: ValidateRequest, context: PlanContext) -> JobSpec:
    """Settle what is judged: find the bars, refuse what cannot be judged, and write down all that decides the card.

    Raises:
        NotFound: a market is not stored. SpanTooShort: there are no bars.
        Conflict: the bars are not those of the search.
    """
    target = targets.of(request, context)
    play = plays.read(target.play, target.overrides, target.timeframe)
    with Catalog.open(context.bars_file, read_only=True) as catalog:
        bars = [_cut(catalog.read(key, start=target.start_ts, end=target.end_ts), target) for key in target.markets]
        others = [_cut(catalog.read(key, start=target.start_ts, end=target.end_ts), target) for key in _looked_at(catalog, play, bars[0])]
        unseen = [one for key in _unseen(catalog, bars, others, request) if len(one := _cut(_spanned(catalog, key, target), target))]
    _refuse_changed(target, bars)
    return JobSpec(
        settled=_settled(target, request, play, bars, others, unseen),
        campaign=target.campaign,
        seed=request.seed,
        plays=(PlayRecord(sha256=target.play.digest, name=play.name, text=target.play.yaml),),
        data_sets=markets.records((*bars, *others, *unseen)),
    )


def check(request: ValidateRequest) -> None:
    """Refuse a request that is of no one thing, and a play that cannot be run with what is said of it.

    Raises:
        BadPlay, BadSetting, InvalidArgument: it is.
    """
    if request.subject == "plays":
        targets.variant(request)


def cost(settled: Mapping[str, Any]) -> float:
    """What is computed, in variant-bars."""
    effort, tried = settled["effort"], settled["trials"]
    variants_ = effort["lotteries"] + effort["neighbours"] + effort["worlds"] + len(tried["sample"]) + len(tried["leaderboard"])
    return float(variants_ * markets.n_bars(settled))


def _cut(bars: Bars, target: ValidationTarget) -> Bars:
    """The bars this side of the campaign's vault."""
    return bars if target.fence is None else Fence(**target.fence).cut(bars)


def _spanned(catalog: Catalog, key: str, target: ValidationTarget) -> Bars:
    """Bars of an unseen market in the time that the variant is judged on."""
    end = target.splits.whole.end_ts if target.end_ts is None else target.end_ts
    return catalog.read(key, start=target.start_ts, end=end)


def _looked_at(catalog: Catalog, play: Play, first: Bars) -> list[str]:
    """Data sets of markets that features look at, of the exchange and timeframe of the first market."""
    return [catalog.find(name).key for name in markets.looked_at(plays.looked_at([play]), first)]


def _unseen(catalog: Catalog, bars: Sequence[Bars], others: Sequence[Bars], request: ValidateRequest) -> list[str]:
    """Data sets of the same timeframe that the variant was not used on: those named, then the stored ones by name, made ones apart."""
    used = {one.key for one in (*bars, *others)}
    timeframe = bars[0].timeframe
    named = [catalog.find(market, timeframe).key for market in request.also]
    stored = [entry.key for entry in catalog.list() if str(entry.timeframe) == str(timeframe) and entry.synthetic == bars[0].synthetic]
    rest = sorted(key for key in stored if key not in named) if request.all_unseen else []
    return [key for key in dict.fromkeys([*named, *rest]) if key not in used][: max(len(named), request.most_unseen)]


def _refuse_changed(target: ValidationTarget, bars: Sequence[Bars]) -> None:
    for one in bars:
        if not len(one):
            raise errors.SpanTooShort(f"{one.key} has no bars in the span", hint="`coinswarm bars list` shows what is stored")
        before = target.hashes.get(one.key, one.content_hash)
        if before != one.content_hash:
            raise errors.Conflict(
                f"the bars of {one.key} changed since the search", found=f"{one.content_hash[:12]} instead of {before[:12]}",
                hint="search again on the new bars",
            )  # fmt: skip


def _settled(
    target: ValidationTarget, request: ValidateRequest, play: Play, bars: Sequence[Bars], others: Sequence[Bars], unseen: Sequence[Bars]
) -> dict[str, Any]:
    facts, later = target.trials, target.splits.validation
    return {
        "plays": [described(target.play, play)],
        "overrides": target.overrides.model_dump(mode="json"),
        "timeframe": target.timeframe,
        "genome": [float(gene) for gene in target.genome],
        "variant": variants.identities(play, target.genome[np.newaxis])[0],
        "parameters": play.space.decode(target.genome) if len(play.space) else {},
        "markets": [markets.span(one) for one in bars],
        "others": [markets.span(one) for one in others],
        "unseen": [markets.span(one) for one in unseen],
        "from": target.start_ts,
        "to": target.end_ts,
        "fence": None if target.fence is None else dict(target.fence),
        "splits": {
            "train": [target.splits.train.start_ts, target.splits.train.end_ts],
            "validation": None if later is None else [later.start_ts, later.end_ts],
        },
        "trials": {"campaign": facts.campaign, "trials": facts.trials, "hole": facts.hole,
                   "sample": facts.sample.tolist(), "leaderboard": facts.leaderboard.tolist()},
        "seed": request.seed,
        "effort": request.effort.model_dump(mode="json"),
        "sections": list(ORDER),
        "source_job": target.job,
        "evaluation": target.evaluation,
    }  # fmt: skip
