"""Splits, openings of the vault, verdicts, the lifecycle and the library in PostgreSQL, where triggers hold the same rules."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from typing_extensions import override

from cluster.store import reading, rows, tables
from cluster.store.database import Repository, transaction
from coinswarm import codec, errors
from coinswarm.ledger import campaign_rules, identity, lifecycle
from coinswarm.ledger.campaigns import Campaigns, CampaignSplit, SplitMarket, VaultOpening, VerdictRecord, VettedPlay
from coinswarm.ledger.lifecycle import Transition
from coinswarm.ledger.records import Json
from coinswarm.market import vault
from coinswarm.market.splits import Span
from coinswarm.market.vault import VaultPass

_PARTS = ("train", "validation", "vault")


class PostgresCampaigns(Repository, Campaigns):
    """Decisions about campaigns in a PostgreSQL database."""

    @override
    @transaction
    def declare(self, connection: sa.Connection, split: CampaignSplit) -> CampaignSplit:
        identity.check_text(split)
        stored = _find_split(connection, split.campaign)
        if stored is None:
            connection.execute(insert(tables.campaign_splits).on_conflict_do_nothing(), [_split_row(split)])
            stored = _find_split(connection, split.campaign)
        return campaign_rules.same_split(campaign_rules.require_split(stored, split.campaign), split)

    @override
    @transaction
    def split(self, connection: sa.Connection, campaign: str) -> CampaignSplit | None:
        return _find_split(connection, campaign)

    @override
    @transaction
    def splits(self, connection: sa.Connection) -> tuple[CampaignSplit, ...]:
        query = sa.select(tables.campaign_splits).order_by(tables.campaign_splits.c.campaign)
        return tuple(map(_split, connection.execute(query)))

    @override
    def open_vault(self, opening: VaultOpening) -> tuple[VaultOpening, VaultPass]:
        campaign_rules.check_opening(opening)
        stored = self._opened(opening)
        return stored, vault.issue(stored.campaign, stored.id)

    @transaction
    def _opened(self, connection: sa.Connection, opening: VaultOpening) -> VaultOpening:
        split = campaign_rules.require_split(_find_split(connection, opening.campaign), opening.campaign)
        reading.evaluation(connection, opening.evaluation)
        stored = dataclasses.replace(opening, seen_by=_seen_by(connection, split), figures={})
        made = insert(tables.vault_openings).on_conflict_do_nothing().returning(tables.vault_openings.c.id)
        if connection.execute(made, [_opening_row(stored)]).one_or_none() is None:
            raise campaign_rules.opening_used(opening.id)
        return stored

    @override
    @transaction
    def show_opening(self, connection: sa.Connection, opening: str, figures: Json) -> VaultOpening:
        table = tables.vault_openings
        row = connection.execute(sa.select(table).where(table.c.id == opening).with_for_update()).one_or_none()
        if row is None:
            raise errors.not_found("opening", opening, connection.scalars(sa.select(table.c.id).limit(100)))
        stored, seen = _opening(row), codec.copy(figures)
        shown = campaign_rules.shown_once(stored, seen)
        if not stored.figures and seen:
            connection.execute(sa.update(table).where(table.c.id == opening).values(figures=seen))
        return shown

    @override
    @transaction
    def openings(self, connection: sa.Connection, campaign: str | None = None) -> tuple[VaultOpening, ...]:
        table = tables.vault_openings.c
        query = sa.select(tables.vault_openings).order_by(table.opened, table.id)
        query = query if campaign is None else query.where(table.campaign == campaign)
        return tuple(map(_opening, connection.execute(query)))

    @override
    @transaction
    def save_verdict(self, connection: sa.Connection, verdict: VerdictRecord, *, gates: str, card: str) -> None:
        campaign_rules.check_verdict(verdict, gates=gates, card=card)
        texts = [{"hash": verdict.gates_hash, "text": gates}, {"hash": verdict.card_hash, "text": card}]
        connection.execute(insert(tables.verdict_evidence).on_conflict_do_nothing(), texts)
        connection.execute(insert(tables.verdicts).on_conflict_do_nothing(), [_renamed(dataclasses.asdict(verdict), "when", "reached")])

    @override
    @transaction
    def verdicts(self, connection: sa.Connection, evaluation: str) -> tuple[VerdictRecord, ...]:
        table = tables.verdicts.c
        query = sa.select(tables.verdicts).where(table.evaluation == evaluation).order_by(table.reached, table.hash)
        return tuple(map(_verdict, connection.execute(query)))

    @override
    @transaction
    def evidence(self, connection: sa.Connection, content_hash: str) -> str:
        table = tables.verdict_evidence.c
        text = connection.scalar(sa.select(table.text).where(table.hash == content_hash))
        if text is None:
            raise errors.not_found("evidence", content_hash)
        return str(text)

    @override
    @transaction
    def advance(self, connection: sa.Connection, step: Transition) -> None:
        """Check in our words first; the trigger checks again, alone, and has the last word."""
        identity.check_text(step)
        taken = _steps(connection, step.evaluation)
        if step.step < len(taken) and taken[step.step] == step:
            return
        if lifecycle.require(taken, step).evidence == "verdict":
            verdict = _find_verdict(connection, step.verdict)
            campaign_rules.check_promotion(step, verdict, None if verdict is None else _find_split(connection, verdict.campaign))
        connection.execute(sa.insert(tables.lifecycle), [_renamed(dataclasses.asdict(step), "when", "taken")])

    @override
    @transaction
    def steps(self, connection: sa.Connection, evaluation: str | None = None) -> tuple[Transition, ...]:
        return _steps(connection, evaluation)

    @override
    @transaction
    def save_vetted(self, connection: sa.Connection, play: VettedPlay) -> None:
        identity.check_text(play)
        state = lifecycle.standing(_steps(connection, play.evaluation))
        campaign_rules.check_vetted(play, state, _find_verdict(connection, play.verdict))
        connection.execute(insert(tables.vetted_plays).on_conflict_do_nothing(), [_renamed(dataclasses.asdict(play), "when", "vetted")])

    @override
    @transaction
    def vetted(self, connection: sa.Connection) -> tuple[VettedPlay, ...]:
        table = tables.vetted_plays.c
        query = sa.select(tables.vetted_plays).order_by(table.vetted, table.sha256, table.verdict)
        return tuple(map(_vetted, connection.execute(query)))


def _find_split(connection: sa.Connection, campaign: str) -> CampaignSplit | None:
    row = connection.execute(sa.select(tables.campaign_splits).where(tables.campaign_splits.c.campaign == campaign)).one_or_none()
    return None if row is None else _split(row)


def _find_verdict(connection: sa.Connection, content_hash: str) -> VerdictRecord | None:
    row = connection.execute(sa.select(tables.verdicts).where(tables.verdicts.c.hash == content_hash)).one_or_none()
    return None if row is None else _verdict(row)


def _seen_by(connection: sa.Connection, split: CampaignSplit) -> int:
    query = sa.text("SELECT count(*) FROM jobs WHERE campaign <> :campaign AND reaches_behind(data_hashes, :fence)")
    return int(connection.scalar(query, {"campaign": split.campaign, "fence": rows.time_of(split.fence.ts)}) or 0)


def _steps(connection: sa.Connection, evaluation: str | None) -> tuple[Transition, ...]:
    table = tables.lifecycle.c
    query = sa.select(tables.lifecycle).order_by(table.evaluation, table.step)
    query = query if evaluation is None else query.where(table.evaluation == evaluation)
    return tuple(Transition(**_renamed(row._asdict(), "taken", "when")) for row in connection.execute(query))


def _renamed(fields: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    return {new if name == old else name: value for name, value in fields.items()}


def _split_row(split: CampaignSplit) -> dict[str, Any]:
    row = _renamed(dataclasses.asdict(split), "when", "declared")
    for part in _PARTS:
        span = row.pop(part)
        row |= {f"{part}_start": rows.time_of(span["start_ts"]), f"{part}_end": rows.time_of(span["end_ts"])}
    return row


def _split(row: Any) -> CampaignSplit:
    fields = _renamed(row._asdict(), "declared", "when")
    for part in _PARTS:
        fields[part] = Span(start_ts=rows.ts_of(fields.pop(f"{part}_start")), end_ts=rows.ts_of(fields.pop(f"{part}_end")))
    return CampaignSplit(**{**fields, "markets": tuple(SplitMarket(**market) for market in fields["markets"])})


def _opening_row(opening: VaultOpening) -> dict[str, Any]:
    return {**_renamed(dataclasses.asdict(opening), "when", "opened"), "figures": None}


def _opening(row: Any) -> VaultOpening:
    fields = _renamed(row._asdict(), "opened", "when")
    return VaultOpening(**{**fields, "figures": fields["figures"] or {}})


def _verdict(row: Any) -> VerdictRecord:
    return VerdictRecord(**_renamed(row._asdict(), "reached", "when"))


def _vetted(row: Any) -> VettedPlay:
    return VettedPlay(**_renamed(row._asdict(), "vetted", "when"))
