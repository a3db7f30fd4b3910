"""The library of patterns: re-tests, plays, and what a search could find at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cluster.jobs.discover.plan import sampled_jobs, trades_of
from cluster.jobs.discover.stages import beside
from coinswarm import check, errors, patterns
from coinswarm.config import Costs
from coinswarm.ledger.campaigns import CampaignSplit
from coinswarm.ledger.chaos import ChaosStore, ChaosTrades
from coinswarm.ledger.patterns import PatternRecord, PatternStore
from coinswarm.ledger.store import Store
from coinswarm.market.catalog import Catalog
from coinswarm.market.timeframe import Timeframe
from coinswarm.patterns import DiscoverSettings, export, review
from coinswarm.patterns.power import Power, independent_markets, minimum_effect
from coinswarm.printable import counted
from coinswarm.types import FloatArray


def review_confirmed(
    store: Store,
    kept: ChaosStore,
    library: PatternStore,
    bars_file: Path,
    *,
    jobs: Sequence[str] = (),
    campaign: str | None = None,
    seed: int = 0,
) -> list[tuple[PatternRecord, review.ReviewResult | None, str]]:
    """Re-test every confirmed pattern of chaos on later random trades of its own markets, retire what died, and note it all.

    Returns:
        Each pattern as it is stored now, its review, and why there was none.

    Raises:
        Refused: none of them can be reviewed on these trades.
    """
    drawn = sampled_jobs(store, jobs, campaign or "default")
    trades, synthetic = trades_of(kept, drawn), any(job.synthetic for job in drawn)
    _, moves = beside(drawn, trades, bars_file)
    names = ",".join(job.id for job in drawn)
    found = library.patterns(source="chaos", status="confirmed")
    reviews = [_reviewed(library, record, trades, moves, names, seed) for record in found if record.synthetic is synthetic]
    if reviews and all(seen is None for _, seen, _ in reviews):
        raise errors.Refused(
            f"none of {counted(len(reviews), 'confirmed pattern')} can be reviewed on the trades of {names}: {reviews[0][2]}"
        )
    return reviews


def _reviewed(
    library: PatternStore, record: PatternRecord, trades: ChaosTrades, moves: FloatArray | None, names: str, seed: int
) -> tuple[PatternRecord, review.ReviewResult | None, str]:
    try:
        known = review.belief(patterns.from_json(record.conditions), record.figures, record.evidence)
        seen = review.review(known, trades, DiscoverSettings(seed=seed), first_moves=moves)
    except (errors.NotFound, errors.InvalidArgument, errors.Refused) as problem:
        return record, None, str(problem)
    if seen.verdict == "nothing new":
        return record, seen, seen.reason
    return library.amend(record.id, seen.note(names), status="retired" if seen.verdict == "dead" else None), seen, seen.reason


def play_of(record: PatternRecord, *, hold_bars: int | None, side: int | None) -> str:
    """A stored pattern as a play; hold and side follow from its own trades unless given.

    Raises:
        InvalidArgument: the hold or the side is not the pattern's, or it is not one of random trades.
    """
    if record.source != "chaos":
        raise errors.InvalidArgument("only patterns of random trades are exported: others are plays already", found=record.source)
    pattern, costs = patterns.from_json(record.conditions), record.evidence.get("costs")
    own_side = any(isinstance(condition, patterns.Side) for condition in pattern.conditions)
    chosen = side if side is not None or own_side else export.better_side(record.figures["slices"])
    return export.to_play(
        pattern, name=f"pattern_{record.id}", bar_ms=int(record.evidence["bar_ms"]),
        hold_bars=hold_bars or max(1, round(record.figures["discovery"]["hold_bars"])), side=chosen,
        costs=None if costs is None else Costs.model_validate(costs),
    )  # fmt: skip


def power(
    bars_file: Path, library: PatternStore, markets: Sequence[str], timeframe: str | None, hold: str, *, support: float, candidates: int,
    chance: float, split: CampaignSplit | None = None,
) -> Power:  # fmt: skip
    """What a search on stored bars could find; markets that move together count as fewer.

    Only bars that a search of the campaign would be given count: with a split, those before its vault.

    Raises:
        InvalidArgument: no market is named, or a number is out of bounds. NotFound: a market is missing. SpanTooShort: no bars are left.
    """
    if not markets:
        raise errors.InvalidArgument("power needs a market", found="none", hint="say --symbol BTC/USDT")
    wanted = None if timeframe is None else Timeframe.parse(timeframe)
    with Catalog.open(bars_file, read_only=True) as catalog:
        whole = [catalog.read(key) for key in dict.fromkeys(catalog.find(market, wanted).key for market in markets)]
    bars = whole if split is None else [split.fence.cut(market) for market in whole]
    if short := [market.key for market in bars if len(market) < 3]:
        raise errors.SpanTooShort(f"{short[0]} has no bars before the vault of campaign {split.campaign if split else ''}")
    lengths = sorted({market.timeframe for market in bars})
    if len(lengths) > 1:
        raise errors.InvalidArgument("markets that are searched together share a timeframe", found=", ".join(map(str, lengths)))
    hold_bars = Timeframe.parse(hold).ms // lengths[0].ms
    check.at_least(hold_bars, f"bars of {lengths[0]} that {hold} takes", 1, hint="hold longer, or name a faster --timeframe")
    earlier = tuple(spent.p_value for spent in library.spent(synthetic=any(market.synthetic for market in bars)))
    return minimum_effect(
        min(len(market) for market in bars), hold_bars, support, n_markets=independent_markets(bars), n_candidates=candidates, power=chance,
        volatility=float(np.mean([np.std(np.diff(np.log(market.close))) for market in bars])), earlier=earlier,
    )  # fmt: skip
