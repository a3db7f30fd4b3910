"""What a campaign has decided about its bars and its finds: splits, openings of the vault, verdicts, the lifecycle, vetted plays.

Nothing here is ever changed or taken back: a split is declared once, an opening stays charged, a verdict stays with the gates and the
card it was reached on. The contract on concurrency is that of `coinswarm.ledger.store`: each call is one transaction, and repeating it
with equal arguments changes nothing.
"""

from __future__ import annotations

import dataclasses
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from coinswarm.ledger.lifecycle import Transition
from coinswarm.ledger.records import Json
from coinswarm.market.splits import Span
from coinswarm.market.vault import Fence, VaultPass

_MANY = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitMarket:
    """Bars that a split was declared on: `content_hash` is of all of them up to the end of the vault, so that a later opening can tell."""

    key: str
    content_hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignSplit:
    """How a campaign's time is cut, the same for all of its markets.

    Attributes:
        campaign: whose it is.
        markets: the data sets it was declared on.
        train, validation, vault: the spans; between them lie `purge_bars` and `embargo_bars`.
        validation_share, vault_share: of all bars.
        who, when: the person and the time (UTC).
    """

    campaign: str
    markets: tuple[SplitMarket, ...]
    train: Span
    validation: Span
    vault: Span
    validation_share: float
    vault_share: float
    purge_bars: int
    embargo_bars: int
    who: str
    when: datetime

    @property
    def fence(self) -> Fence:
        """Keeps every bar that closes after the validation part from the campaign's jobs."""
        return Fence(campaign=self.campaign, ts=self.validation.end_ts)


@dataclass(frozen=True, kw_only=True, slots=True)
class VaultOpening:
    """One look at the vault: of which variant, by whom, when and why, and what it showed (empty until it was scored).

    `passed` says whether the newest report card of the variant kept the gates then; None: there was no card, or it was not asked.
    `seen_by` counts jobs of other campaigns whose bars reached behind the fence, so that this was no longer the first look at them.
    """

    id: str
    campaign: str
    evaluation: str
    who: str
    when: datetime
    why: str
    passed: bool | None = None
    seen_by: int = 0
    figures: Json = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class VerdictRecord:
    """What the gates said of one variant; `document` is the verdict in full as JSON and `hash` its SHA-256."""

    hash: str
    evaluation: str
    campaign: str
    gates_hash: str
    card_hash: str
    passed: bool
    document: str
    who: str
    when: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class VettedPlay:
    """A play with everything fixed that the gates let through; `sha256` is of `text`, `verdict` is what it passed with."""

    sha256: str
    name: str
    text: str
    evaluation: str
    verdict: str
    card_hash: str
    tags: Json
    who: str
    when: datetime


@runtime_checkable
class Campaigns(Protocol):
    """Where decisions about campaigns are kept."""

    def declare(self, split: CampaignSplit) -> CampaignSplit:
        """Remember how a campaign's time is cut; the answer is what is stored, by the first who declared it.

        Raises:
            Refused: it is declared otherwise, or jobs of the campaign have already seen bars of the vault.
        """

    def split(self, campaign: str) -> CampaignSplit | None:
        """The campaign's split; None when none was declared, and then it has no vault."""

    def splits(self) -> tuple[CampaignSplit, ...]:
        """All splits, by campaign."""

    def open_vault(self, opening: VaultOpening) -> tuple[VaultOpening, VaultPass]:
        """Write an opening down and give the pass for it; from then on it is charged, whatever becomes of it.

        Raises:
            Refused: the campaign has no vault, who or why is empty, or the opening was made before; NotFound: no such evaluation.
        """

    def show_opening(self, opening: str, figures: Json) -> VaultOpening:
        """Add to an opening what it showed, once; the answer is what is stored.

        Raises:
            Conflict: something else is stored; NotFound: no such opening.
        """

    def openings(self, campaign: str | None = None) -> tuple[VaultOpening, ...]:
        """Openings, oldest first."""

    def save_verdict(self, verdict: VerdictRecord, *, gates: str, card: str) -> None:
        """Remember a verdict with the gates and the card it was reached on.

        Args:
            verdict: the record.
            gates: the text of the gates, whose SHA-256 is the verdict's `gates_hash`.
            card: the card as JSON, whose SHA-256 is the verdict's `card_hash`.

        Raises:
            Refused: hashes, document and record do not belong together.
        """

    def verdicts(self, evaluation: str) -> tuple[VerdictRecord, ...]:
        """The verdicts of a variant, oldest first."""

    def evidence(self, content_hash: str) -> str:
        """The text of gates or of a card, by its hash.

        Raises:
            NotFound: there is none.
        """

    def advance(self, step: Transition) -> None:
        """Take a step of the lifecycle.

        Raises:
            Conflict: another caller took one in the meantime; Refused: the table of arrows, or the evidence, forbids it.
        """

    def steps(self, evaluation: str | None = None) -> tuple[Transition, ...]:
        """The steps of a variant, or of all, by variant and number."""

    def save_vetted(self, play: VettedPlay) -> None:
        """Put a play into the library.

        Raises:
            Refused: its variant is not validated, or the verdict is not of it and passed.
        """

    def vetted(self) -> tuple[VettedPlay, ...]:
        """The library, oldest first."""


def new_opening_id() -> str:
    """A fresh name for an opening."""
    return f"vault-{secrets.token_hex(6)}"


def content_hash(text: str) -> str:
    """SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
