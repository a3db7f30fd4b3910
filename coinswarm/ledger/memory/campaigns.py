"""Decisions about campaigns in memory."""

from __future__ import annotations

import dataclasses
import threading

from coinswarm import codec, errors
from coinswarm.ledger import campaign_rules, identity, lifecycle
from coinswarm.ledger.campaigns import CampaignSplit, VaultOpening, VerdictRecord, VettedPlay
from coinswarm.ledger.lifecycle import Transition
from coinswarm.ledger.memory.store import MemoryStore
from coinswarm.ledger.records import DataSetRecord, Json
from coinswarm.market import vault
from coinswarm.market.timeframe import Timeframe
from coinswarm.market.vault import VaultPass

_MANY = 1_000_000


class MemoryCampaigns:
    """Keeps the contract of `Campaigns` beside a `MemoryStore`, with one lock around every method."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._lock = threading.RLock()
        self._splits: dict[str, CampaignSplit] = {}
        self._openings: dict[str, VaultOpening] = {}
        self._verdicts: dict[str, VerdictRecord] = {}
        self._evidence: dict[str, str] = {}
        self._steps: dict[str, list[Transition]] = {}
        self._vetted: dict[tuple[str, str], VettedPlay] = {}

    def declare(self, split: CampaignSplit) -> CampaignSplit:
        identity.check_text(split)
        with self._lock:
            stored = self._splits.get(split.campaign)
            if stored is None:
                self._refuse_seen(split)
            return campaign_rules.same_split(self._splits.setdefault(split.campaign, split), split)

    def split(self, campaign: str) -> CampaignSplit | None:
        with self._lock:
            return self._splits.get(campaign)

    def splits(self) -> tuple[CampaignSplit, ...]:
        with self._lock:
            return tuple(self._splits[campaign] for campaign in sorted(self._splits))

    def open_vault(self, opening: VaultOpening) -> tuple[VaultOpening, VaultPass]:
        campaign_rules.check_opening(opening)
        with self._lock:
            split = campaign_rules.require_split(self._splits.get(opening.campaign), opening.campaign)
            self._store.evaluation(opening.evaluation)
            if opening.id in self._openings:
                raise campaign_rules.opening_used(opening.id)
            stored = dataclasses.replace(opening, seen_by=self._seen_by(split), figures={})
            self._openings[opening.id] = stored
            self._store.charge_opening(opening.campaign)
            return stored, vault.issue(opening.campaign, opening.id)

    def show_opening(self, opening: str, figures: Json) -> VaultOpening:
        with self._lock:
            if opening not in self._openings:
                raise errors.not_found("opening", opening, self._openings)
            shown = campaign_rules.shown_once(self._openings[opening], codec.copy(figures))
            self._openings[opening] = shown
            return shown

    def openings(self, campaign: str | None = None) -> tuple[VaultOpening, ...]:
        with self._lock:
            found = [entry for entry in self._openings.values() if campaign in (None, entry.campaign)]
            return tuple(sorted(found, key=lambda entry: (entry.when, entry.id)))

    def save_verdict(self, verdict: VerdictRecord, *, gates: str, card: str) -> None:
        campaign_rules.check_verdict(verdict, gates=gates, card=card)
        with self._lock:
            self._evidence |= {verdict.gates_hash: gates, verdict.card_hash: card}
            self._verdicts.setdefault(verdict.hash, verdict)

    def verdicts(self, evaluation: str) -> tuple[VerdictRecord, ...]:
        with self._lock:
            found = [verdict for verdict in self._verdicts.values() if verdict.evaluation == evaluation]
            return tuple(sorted(found, key=lambda verdict: (verdict.when, verdict.hash)))

    def evidence(self, content_hash: str) -> str:
        with self._lock:
            if content_hash not in self._evidence:
                raise errors.not_found("evidence", content_hash, self._evidence)
            return self._evidence[content_hash]

    def advance(self, step: Transition) -> None:
        identity.check_text(step)
        with self._lock:
            taken = self._steps.setdefault(step.evaluation, [])
            if step.step < len(taken) and taken[step.step] == step:
                return
            if lifecycle.require(taken, step).evidence == "verdict":
                found = self._verdicts.get(step.verdict)
                campaign_rules.check_promotion(step, found, None if found is None else self._splits.get(found.campaign))
            taken.append(step)

    def steps(self, evaluation: str | None = None) -> tuple[Transition, ...]:
        with self._lock:
            wanted = sorted(self._steps) if evaluation is None else [evaluation]
            return tuple(step for name in wanted for step in self._steps.get(name, ()))

    def save_vetted(self, play: VettedPlay) -> None:
        identity.check_text(play)
        with self._lock:
            campaign_rules.check_vetted(play, lifecycle.standing(self._steps.get(play.evaluation, [])), self._verdicts.get(play.verdict))
            self._vetted.setdefault((play.sha256, play.verdict), dataclasses.replace(play, tags=codec.copy(play.tags)))

    def vetted(self) -> tuple[VettedPlay, ...]:
        with self._lock:
            return tuple(sorted(self._vetted.values(), key=lambda play: (play.when, play.sha256, play.verdict)))

    def _refuse_seen(self, split: CampaignSplit) -> None:
        for job in self._store.jobs(campaign=split.campaign, limit=_MANY):
            if any(_reaches(record, split) for record in self._store.data_sets(job.data_hashes)):
                raise campaign_rules.vault_seen(split.campaign, job.id)

    def _seen_by(self, split: CampaignSplit) -> int:
        jobs = [job for job in self._store.jobs(limit=_MANY) if job.campaign != split.campaign]
        return sum(any(_reaches(record, split) for record in self._store.data_sets(job.data_hashes)) for job in jobs)


def _reaches(record: DataSetRecord, split: CampaignSplit) -> bool:
    """Whether a data set's bars reach behind the fence."""
    return record.last_ts + Timeframe.parse(record.timeframe).ms > split.fence.ts
