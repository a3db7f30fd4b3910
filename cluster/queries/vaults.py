"""Declaring a campaign's vault, and looking into it: one variant at a time, written down before the first bar is read."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cluster.compute.evaluator import BarSource, Evaluator
from cluster.compute.sources import CatalogSource
from cluster.queries import replay, vetting
from cluster.queries.replay import Visit
from coinswarm import errors
from coinswarm.ledger import campaign_rules, campaigns
from coinswarm.ledger.campaigns import Campaigns, CampaignSplit, SplitMarket, VaultOpening
from coinswarm.ledger.records import OUT_OF_SAMPLE
from coinswarm.ledger.store import Store
from coinswarm.market import splits
from coinswarm.market.catalog import Catalog
from coinswarm.market.vault import VaultPass
from coinswarm.metrics.figures import FIGURES
from coinswarm.validate.gates import Verdict


@dataclasses.dataclass(frozen=True, kw_only=True)
class VaultQuery:
    """How a campaign's time is to be cut.

    Attributes:
        campaign: whose; not empty.
        markets: names of data sets.
        timeframe: of the bars, when several are stored.
        validation, vault: shares of the bars, in (0, 1).
        hold: bars that the longest trade of the campaign is held.
        embargo: bars skipped after each cut; None: as many as are held.
    """

    campaign: str
    markets: tuple[str, ...]
    timeframe: str | None = None
    validation: float = 0.2
    vault: float = 0.2
    hold: int = 48
    embargo: int | None = None


def declare(kept: Campaigns, wanted: VaultQuery, catalog_path: Path, *, who: str) -> CampaignSplit:
    """Cut the campaign's time and remember it for good.

    Raises:
        NotFound, InvalidArgument, SpanTooShort: the markets, shares or bars do not allow it; nothing was written.
        Refused: the campaign is cut otherwise, or its jobs have seen the bars that would be its vault.
    """
    if not wanted.campaign.strip() or not wanted.markets:
        raise errors.InvalidArgument("a vault is declared for a campaign and its markets", found=f"{wanted.campaign!r}, {wanted.markets}")
    with Catalog.open(catalog_path, read_only=True) as catalog:
        keys = [catalog.find(market, wanted.timeframe).key for market in wanted.markets]
        if len(set(keys)) < len(keys):
            raise errors.InvalidArgument("each market is named once", found=", ".join(keys))
        bars = [catalog.read(key) for key in keys]
    parts = splits.three_way(bars, wanted.validation, wanted.vault, hold=wanted.hold, embargo=wanted.embargo)
    known = [SplitMarket(key=one.key, content_hash=one[: one.index_at(parts.vault.end_ts)].content_hash) for one in bars]
    split = CampaignSplit(
        campaign=wanted.campaign,
        markets=tuple(known),
        train=parts.train,
        validation=parts.validation,
        vault=parts.vault,
        validation_share=wanted.validation,
        vault_share=wanted.vault,
        purge_bars=wanted.hold,
        embargo_bars=wanted.hold if wanted.embargo is None else wanted.embargo,
        who=who,
        when=datetime.now(UTC),
    )
    return kept.declare(split)


def ensure(
    kept: Campaigns, campaign: str, markets: Sequence[str], share: float, catalog_path: Path, *, who: str
) -> tuple[CampaignSplit, bool]:
    """The split of a campaign, declared on these data sets where it has none, and whether it was.

    Raises:
        Refused: the campaign has a split with another share, or its jobs have seen the bars that would be its vault.
        InvalidArgument, SpanTooShort: the share or the bars do not allow it; nothing was written.
    """
    split = kept.split(campaign)
    if split is None:
        wanted = VaultQuery(campaign=campaign, markets=tuple(markets), vault=share)
        try:
            return declare(kept, wanted, catalog_path, who=who), True
        except errors.Refused as problem:
            raise errors.Refused(problem.rule, found=problem.found, hint="name a new campaign: `--campaign NAME`") from problem
    if not math.isclose(split.vault_share, share):
        raise errors.Refused(
            f"the vault of campaign {campaign} was declared on {split.when:%Y-%m-%d} and stays", found=f"a share of {share:g}",
            hint=f"it has {split.vault_share:g}; say that, or name another campaign",
        )  # fmt: skip
    return split, False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Candidate:
    """A variant that may be judged on its campaign's vault: its id, the campaign's split, and whether it passed; None: it has no card."""

    evaluation: str
    split: CampaignSplit
    passed: bool | None


def candidate(store: Store, kept: Campaigns, name: str, *, anyway: bool = False) -> Candidate:
    """The variant that a vault would be opened for. Nothing is charged by asking.

    Args:
        store: where runs are remembered.
        kept: where campaigns are.
        name: an evaluation's id, or the beginning of it.
        anyway: also one that has not passed the default gates.

    Raises:
        NotFound: there is no such evaluation.
        Refused: it has no figures, its campaign has no vault, or it has not passed and `anyway` is not said.
    """
    record = store.evaluation(name)
    split = campaign_rules.require_split(kept.split(record.campaign), record.campaign)
    if not replay.is_scored(record):
        raise errors.Refused(f"{record.id} has no figures to confirm", found=record.status)
    verdict = vetting.verdict(store, record)
    if not anyway:
        _require_passed(record.id, verdict)
    return Candidate(evaluation=record.id, split=split, passed=None if verdict is None else verdict.passed)


def _require_passed(evaluation: str, verdict: Verdict | None) -> None:
    anyway = "`--anyway` (over HTTP `anyway`) opens the vault all the same, and the log says so"
    if verdict is None:
        raise errors.Refused(
            f"the vault is opened for variants that passed their gates, and {evaluation} has no report card",
            hint=f"`coinswarm validate {evaluation}` makes one; {anyway}",
        )
    if not verdict.passed:
        raise errors.Refused(
            f"the vault is opened for variants that passed their gates; {evaluation} failed {len(verdict.failed)} of "
            f"{len(verdict.results)} rules",
            found=", ".join(result.rule.name for result in verdict.failed),
            hint=f"`coinswarm gates check {evaluation}` says why and what would help; {anyway}",
        )


def look(
    store: Store, kept: Campaigns, evaluator: Evaluator, name: str, catalog_path: Path, *, who: str, why: str, anyway: bool = False
) -> VaultOpening:
    """Score one variant on the vault of its campaign. The opening is charged before anything is read, and stays charged.

    Args:
        store: where runs are remembered.
        kept: where campaigns are.
        evaluator: in this process, for a pass to the vault cannot leave it.
        name: an evaluation's id, or the beginning of it.
        catalog_path: the bars of this machine.
        who: for the ledger; not empty.
        why: likewise.
        anyway: also a variant that has not passed the default gates; the opening says so.

    Raises:
        Refused: as `candidate`, or who or why is empty; Conflict: the vault's bars changed since it was declared.
    """
    chosen = candidate(store, kept, name, anyway=anyway)
    found, split = replay.visit(store, chosen.evaluation, catalog_path), chosen.split
    asked = VaultOpening(
        id=campaigns.new_opening_id(), campaign=split.campaign, evaluation=chosen.evaluation, who=who, when=datetime.now(UTC), why=why,
        passed=chosen.passed,
    )  # fmt: skip
    opening, leave = kept.open_vault(asked)
    return kept.show_opening(opening.id, _figures(found, split, evaluator, opening, leave))


def _figures(
    found: Visit, split: CampaignSplit, evaluator: Evaluator, opening: VaultOpening, leave: VaultPass
) -> dict[str, dict[str, float]]:
    """The figures of the variant on the vault, by data set; their means over the markets stand under an empty name."""
    plain = found.plan.task
    task = dataclasses.replace(
        plain,
        id=opening.id,
        sources=tuple(_behind(source, split, leave) for source in plain.sources),
        others={symbol: _behind(source, split, leave) for symbol, source in plain.others.items()},
        split_ts=split.vault.start_ts,
        train_end_ts=None,
    )
    evaluator.open(task)
    scored = replay.figures(found, evaluator, OUT_OF_SAMPLE)
    rows = {source.key: scored[number] for number, source in enumerate(task.sources)}
    figures = {key: {name: float(row[name]) for name in FIGURES} for key, row in rows.items()}
    return {"": {name: _mean([row[name] for row in figures.values()]) for name in FIGURES}, **figures}


def _behind(source: BarSource, split: CampaignSplit, leave: VaultPass) -> CatalogSource:
    """All bars of a source up to the end of the vault, which must be those it was declared on."""
    if not isinstance(source, CatalogSource):
        raise errors.Refused("the vault is opened on bars of the catalog", found=type(source).__name__)
    declared = {market.key: market.content_hash for market in split.markets}
    whole = dataclasses.replace(source, start_ts=None, end_ts=split.vault.end_ts, fence=split.fence, leave=leave)
    content_hash = declared[source.key] if source.key in declared else whole.load().content_hash
    return dataclasses.replace(whole, content_hash=content_hash)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if all(math.isfinite(value) for value in values) else math.nan
