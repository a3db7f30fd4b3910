"""Splits, openings of the vault, verdicts, the lifecycle and the library in PostgreSQL, where triggers hold the same rules."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from cluster.store import connect, reading, schema, tables
from coinswarm import errors
from coinswarm.ledger import campaigns, identity, jsontext, lifecycle
from coinswarm.ledger.campaigns import CampaignSplit, SplitMarket, VaultOpening, VerdictRecord, VettedPlay
from coinswarm.ledger.lifecycle import Transition
from coinswarm.ledger.records import Json
from coinswarm.market import vault
from coinswarm.market.splits import Span
from coinswarm.market.vault import VaultPass

_T = TypeVar("_T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PARTS = ("train", "validation", "vault")


class PostgresCampaigns:
    """Keeps the contract of `coinswarm.ledger.campaigns.Campaigns` in a PostgreSQL database, which it brings to the current schema."""

    def __init__(self, url: str, *, patience_s: float = 0.0) -> None:
        self._engine = connect.engine(url)
        self._patience_s = patience_s
        self._do(schema.migrate)

    def declare(self, split: CampaignSplit) -> CampaignSplit:
        """See `Campaigns`."""
        identity.check_text(split)
        return self._do(lambda connection: campaigns.same_split(_declared(connection, split), split))

    def split(self, campaign: str) -> CampaignSplit | None:
        """See `Campaigns`."""
        return self._do(lambda connection: _find_split(connection, campaign))

    def splits(self) -> tuple[CampaignSplit, ...]:
        """See `Campaigns`."""
        query = sa.select(tables.campaign_splits).order_by(tables.campaign_splits.c.campaign)
        return self._do(lambda connection: tuple(_split(row) for row in connection.execute(query)))

    def open_vault(self, opening: VaultOpening) -> tuple[VaultOpening, VaultPass]:
        """See `Campaigns`."""
        campaigns.check_opening(opening)
        stored = self._do(lambda connection: _opened(connection, opening))
        return stored, vault.issue(stored.campaign, stored.id)

    def show_opening(self, opening: str, figures: Json) -> VaultOpening:
        """See `Campaigns`."""
        return self._do(lambda connection: _shown(connection, opening, jsontext.copy(figures)))

    def openings(self, campaign: str | None = None) -> tuple[VaultOpening, ...]:
        """See `Campaigns`."""
        table = tables.vault_openings.c
        query = sa.select(tables.vault_openings).order_by(table.opened, table.id)
        query = query if campaign is None else query.where(table.campaign == campaign)
        return self._do(lambda connection: tuple(_opening(row) for row in connection.execute(query)))

    def save_verdict(self, verdict: VerdictRecord, *, gates: str, card: str) -> None:
        """See `Campaigns`."""
        campaigns.check_verdict(verdict, gates=gates, card=card)
        texts = [{"hash": verdict.gates_hash, "text": gates}, {"hash": verdict.card_hash, "text": card}]
        self._do(lambda connection: _save_verdict(connection, verdict, texts))

    def verdicts(self, evaluation: str) -> tuple[VerdictRecord, ...]:
        """See `Campaigns`."""
        table = tables.verdicts.c
        query = sa.select(tables.verdicts).where(table.evaluation == evaluation).order_by(table.reached, table.hash)
        return self._do(lambda connection: tuple(_verdict(row) for row in connection.execute(query)))

    def evidence(self, content_hash: str) -> str:
        """See `Campaigns`."""
        table = tables.verdict_evidence.c
        text = self._do(lambda connection: connection.scalar(sa.select(table.text).where(table.hash == content_hash)))
        if text is None:
            raise errors.not_found("evidence", content_hash)
        return str(text)

    def advance(self, step: Transition) -> None:
        """See `Campaigns`."""
        identity.check_text(step)
        self._do(lambda connection: _advance(connection, step))

    def steps(self, evaluation: str | None = None) -> tuple[Transition, ...]:
        """See `Campaigns`."""
        return self._do(lambda connection: _steps(connection, evaluation))

    def save_vetted(self, play: VettedPlay) -> None:
        """See `Campaigns`."""
        identity.check_text(play)
        self._do(lambda connection: _save_vetted(connection, play))

    def vetted(self) -> tuple[VettedPlay, ...]:
        """See `Campaigns`."""
        table = tables.vetted_plays.c
        query = sa.select(tables.vetted_plays).order_by(table.vetted, table.sha256, table.verdict)
        return self._do(lambda connection: tuple(_vetted(row) for row in connection.execute(query)))

    def close(self) -> None:
        """See `Campaigns`."""
        self._engine.dispose()

    def _do(self, work: Callable[[sa.Connection], _T]) -> _T:
        return connect.run(self._engine, work, patience_s=self._patience_s)


def _declared(connection: sa.Connection, split: CampaignSplit) -> CampaignSplit:
    stored = _find_split(connection, split.campaign)
    if stored is None:
        connection.execute(insert(tables.campaign_splits).on_conflict_do_nothing(), [_split_row(split)])
        stored = _find_split(connection, split.campaign)
    return campaigns.require_split(stored, split.campaign)


def _find_split(connection: sa.Connection, campaign: str) -> CampaignSplit | None:
    row = connection.execute(sa.select(tables.campaign_splits).where(tables.campaign_splits.c.campaign == campaign)).one_or_none()
    return None if row is None else _split(row)


def _opened(connection: sa.Connection, opening: VaultOpening) -> VaultOpening:
    split = campaigns.require_split(_find_split(connection, opening.campaign), opening.campaign)
    reading.evaluation(connection, opening.evaluation)
    stored = dataclasses.replace(opening, seen_by=_seen_by(connection, split), figures={})
    made = insert(tables.vault_openings).on_conflict_do_nothing().returning(tables.vault_openings.c.id)
    if connection.execute(made, [_opening_row(stored)]).one_or_none() is None:
        raise campaigns.spent(opening.id)
    return stored


def _seen_by(connection: sa.Connection, split: CampaignSplit) -> int:
    query = sa.text("SELECT count(*) FROM jobs WHERE campaign <> :campaign AND reaches_behind(data_hashes, :fence)")
    return int(connection.scalar(query, {"campaign": split.campaign, "fence": _time(split.fence.ts)}) or 0)


def _shown(connection: sa.Connection, name: str, figures: Json) -> VaultOpening:
    table = tables.vault_openings
    row = connection.execute(sa.select(table).where(table.c.id == name).with_for_update()).one_or_none()
    if row is None:
        raise errors.not_found("opening", name, connection.scalars(sa.select(table.c.id).limit(100)))
    stored = _opening(row)
    shown = campaigns.shown_once(stored, figures)
    if not stored.figures and figures:
        connection.execute(sa.update(table).where(table.c.id == name).values(figures=figures))
    return shown


def _save_verdict(connection: sa.Connection, verdict: VerdictRecord, texts: list[dict[str, str]]) -> None:
    connection.execute(insert(tables.verdict_evidence).on_conflict_do_nothing(), texts)
    connection.execute(insert(tables.verdicts).on_conflict_do_nothing(), [_renamed(dataclasses.asdict(verdict), "when", "reached")])


def _advance(connection: sa.Connection, step: Transition) -> None:
    """Check in our words first; the trigger checks again, alone, and has the last word."""
    taken = _steps(connection, step.evaluation)
    if step.step < len(taken) and taken[step.step] == step:
        return
    if lifecycle.require(taken, step).evidence == "verdict":
        row = connection.execute(sa.select(tables.verdicts).where(tables.verdicts.c.hash == step.verdict)).one_or_none()
        verdict = None if row is None else _verdict(row)
        campaigns.check_promotion(step, verdict, None if verdict is None else _find_split(connection, verdict.campaign))
    connection.execute(sa.insert(tables.lifecycle), [_renamed(dataclasses.asdict(step), "when", "taken")])


def _steps(connection: sa.Connection, evaluation: str | None) -> tuple[Transition, ...]:
    table = tables.lifecycle.c
    query = sa.select(tables.lifecycle).order_by(table.evaluation, table.step)
    query = query if evaluation is None else query.where(table.evaluation == evaluation)
    return tuple(Transition(**_renamed(row._asdict(), "taken", "when")) for row in connection.execute(query))


def _save_vetted(connection: sa.Connection, play: VettedPlay) -> None:
    row = connection.execute(sa.select(tables.verdicts).where(tables.verdicts.c.hash == play.verdict)).one_or_none()
    state = lifecycle.standing(_steps(connection, play.evaluation))
    campaigns.check_vetted(play, state, None if row is None else _verdict(row))
    connection.execute(insert(tables.vetted_plays).on_conflict_do_nothing(), [_renamed(dataclasses.asdict(play), "when", "vetted")])


# --- rows and records ------------------------------------------------------------------------------------------------


def _renamed(fields: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    return {new if name == old else name: value for name, value in fields.items()}


def _time(ts: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ts)


def _ms(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(milliseconds=1)


def _split_row(split: CampaignSplit) -> dict[str, Any]:
    row = _renamed(dataclasses.asdict(split), "when", "declared")
    for part in _PARTS:
        span = row.pop(part)
        row |= {f"{part}_start": _time(span["start_ts"]), f"{part}_end": _time(span["end_ts"])}
    return row


def _split(row: Any) -> CampaignSplit:
    fields = _renamed(row._asdict(), "declared", "when")
    for part in _PARTS:
        fields[part] = Span(start_ts=_ms(fields.pop(f"{part}_start")), end_ts=_ms(fields.pop(f"{part}_end")))
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
