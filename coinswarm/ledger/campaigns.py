"""What a campaign has decided about its bars and its finds: splits, openings of the vault, verdicts, the lifecycle, vetted plays.

Nothing here is ever changed or taken back: a split is declared once, an opening stays charged, a verdict stays with the gates and the
card it was reached on. The contract on concurrency is that of `coinswarm.ledger.store`: each call is one transaction, and repeating it
with equal arguments changes nothing.
"""

from __future__ import annotations

import dataclasses
import hashlib
import secrets
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from coinswarm import codec, errors
from coinswarm.ledger import identity, lifecycle
from coinswarm.ledger.lifecycle import State, Transition
from coinswarm.ledger.memory import MemoryStore
from coinswarm.ledger.records import Json
from coinswarm.market import vault
from coinswarm.market.splits import Span
from coinswarm.market.timeframe import Timeframe
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

    `seen_by` counts jobs of other campaigns whose bars reached behind the fence, so that this was no longer the first look at them.
    """

    id: str
    campaign: str
    evaluation: str
    who: str
    when: datetime
    why: str
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
        """Remember how a campaign's time is cut; the answer is what is stored, by whoever declared it first.

        Raises:
            Refused: it is declared otherwise, or jobs of the campaign have already seen bars of the vault.
        """
        ...

    def split(self, campaign: str) -> CampaignSplit | None:
        """The campaign's split; None when none was declared, and then it has no vault."""
        ...

    def splits(self) -> tuple[CampaignSplit, ...]:
        """All splits, by campaign."""
        ...

    def open_vault(self, opening: VaultOpening) -> tuple[VaultOpening, VaultPass]:
        """Write an opening down and give the pass for it; from then on it is charged, whatever becomes of it.

        Raises:
            Refused: the campaign has no vault, who or why is empty, or the opening was made before; NotFound: no such evaluation.
        """
        ...

    def show_opening(self, opening: str, figures: Json) -> VaultOpening:
        """Add to an opening what it showed, once; the answer is what is stored.

        Raises:
            Conflict: something else is stored; NotFound: no such opening.
        """
        ...

    def openings(self, campaign: str | None = None) -> tuple[VaultOpening, ...]:
        """Openings, oldest first."""
        ...

    def save_verdict(self, verdict: VerdictRecord, *, gates: str, card: str) -> None:
        """Remember a verdict with the gates and the card it was reached on.

        Args:
            verdict: the record.
            gates: the text of the gates, whose SHA-256 is the verdict's `gates_hash`.
            card: the card as JSON, whose SHA-256 is the verdict's `card_hash`.

        Raises:
            Refused: hashes, document and record do not belong together.
        """
        ...

    def verdicts(self, evaluation: str) -> tuple[VerdictRecord, ...]:
        """The verdicts of a variant, oldest first."""
        ...

    def evidence(self, content_hash: str) -> str:
        """The text of gates or of a card, by its hash.

        Raises:
            NotFound: there is none.
        """
        ...

    def advance(self, step: Transition) -> None:
        """Take a step of the lifecycle.

        Raises:
            Conflict: another caller took one in the meantime; Refused: the table of arrows, or the evidence, forbids it.
        """
        ...

    def steps(self, evaluation: str | None = None) -> tuple[Transition, ...]:
        """The steps of a variant, or of all, by variant and number."""
        ...

    def save_vetted(self, play: VettedPlay) -> None:
        """Put a play into the library.

        Raises:
            Refused: its variant is not validated, or the verdict is not of it and passed.
        """
        ...

    def vetted(self) -> tuple[VettedPlay, ...]:
        """The library, oldest first."""
        ...

    def close(self) -> None:
        """Let go of the connections."""
        ...


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
        """See `Campaigns`."""
        identity.check_text(split)
        with self._lock:
            stored = self._splits.get(split.campaign)
            if stored is None:
                self._refuse_seen(split)
            return same_split(self._splits.setdefault(split.campaign, split), split)

    def split(self, campaign: str) -> CampaignSplit | None:
        """See `Campaigns`."""
        with self._lock:
            return self._splits.get(campaign)

    def splits(self) -> tuple[CampaignSplit, ...]:
        """See `Campaigns`."""
        with self._lock:
            return tuple(self._splits[campaign] for campaign in sorted(self._splits))

    def open_vault(self, opening: VaultOpening) -> tuple[VaultOpening, VaultPass]:
        """See `Campaigns`."""
        check_opening(opening)
        with self._lock:
            split = require_split(self._splits.get(opening.campaign), opening.campaign)
            self._store.evaluation(opening.evaluation)
            if opening.id in self._openings:
                raise spent(opening.id)
            stored = dataclasses.replace(opening, seen_by=self._seen_by(split), figures={})
            self._openings[opening.id] = stored
            self._store.charge_opening(opening.campaign)
            return stored, vault.issue(opening.campaign, opening.id)

    def show_opening(self, opening: str, figures: Json) -> VaultOpening:
        """See `Campaigns`."""
        with self._lock:
            if opening not in self._openings:
                raise errors.not_found("opening", opening, self._openings)
            shown = shown_once(self._openings[opening], codec.copy(figures))
            self._openings[opening] = shown
            return shown

    def openings(self, campaign: str | None = None) -> tuple[VaultOpening, ...]:
        """See `Campaigns`."""
        with self._lock:
            found = [entry for entry in self._openings.values() if campaign in (None, entry.campaign)]
            return tuple(sorted(found, key=lambda entry: (entry.when, entry.id)))

    def save_verdict(self, verdict: VerdictRecord, *, gates: str, card: str) -> None:
        """See `Campaigns`."""
        check_verdict(verdict, gates=gates, card=card)
        with self._lock:
            self._evidence |= {verdict.gates_hash: gates, verdict.card_hash: card}
            self._verdicts.setdefault(verdict.hash, verdict)

    def verdicts(self, evaluation: str) -> tuple[VerdictRecord, ...]:
        """See `Campaigns`."""
        with self._lock:
            found = [verdict for verdict in self._verdicts.values() if verdict.evaluation == evaluation]
            return tuple(sorted(found, key=lambda verdict: (verdict.when, verdict.hash)))

    def evidence(self, content_hash: str) -> str:
        """See `Campaigns`."""
        with self._lock:
            if content_hash not in self._evidence:
                raise errors.not_found("evidence", content_hash, self._evidence)
            return self._evidence[content_hash]

    def advance(self, step: Transition) -> None:
        """See `Campaigns`."""
        identity.check_text(step)
        with self._lock:
            taken = self._steps.setdefault(step.evaluation, [])
            if step.step < len(taken) and taken[step.step] == step:
                return
            if lifecycle.require(taken, step).evidence == "verdict":
                found = self._verdicts.get(step.verdict)
                check_promotion(step, found, None if found is None else self._splits.get(found.campaign))
            taken.append(step)

    def steps(self, evaluation: str | None = None) -> tuple[Transition, ...]:
        """See `Campaigns`."""
        with self._lock:
            wanted = sorted(self._steps) if evaluation is None else [evaluation]
            return tuple(step for name in wanted for step in self._steps.get(name, ()))

    def save_vetted(self, play: VettedPlay) -> None:
        """See `Campaigns`."""
        identity.check_text(play)
        with self._lock:
            check_vetted(play, lifecycle.standing(self._steps.get(play.evaluation, [])), self._verdicts.get(play.verdict))
            self._vetted.setdefault((play.sha256, play.verdict), dataclasses.replace(play, tags=codec.copy(play.tags)))

    def vetted(self) -> tuple[VettedPlay, ...]:
        """See `Campaigns`."""
        with self._lock:
            return tuple(sorted(self._vetted.values(), key=lambda play: (play.when, play.sha256, play.verdict)))

    def close(self) -> None:
        """See `Campaigns`."""

    def _refuse_seen(self, split: CampaignSplit) -> None:
        for job in self._store.jobs(campaign=split.campaign, limit=_MANY):
            if any(_reaches(record, split) for record in self._store.data_sets(job.data_hashes)):
                raise seen_before(split.campaign, job.id)

    def _seen_by(self, split: CampaignSplit) -> int:
        jobs = [job for job in self._store.jobs(limit=_MANY) if job.campaign != split.campaign]
        return sum(any(_reaches(record, split) for record in self._store.data_sets(job.data_hashes)) for job in jobs)


def new_opening_id() -> str:
    """A fresh name for an opening."""
    return f"vault-{secrets.token_hex(6)}"


def content_hash(text: str) -> str:
    """SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def _reaches(record: Any, split: CampaignSplit) -> bool:
    """Whether a data set's bars reach behind the fence."""
    return bool(record.last_ts + Timeframe.parse(record.timeframe).ms > split.fence.ts)


# --- rules that every store applies in the same words ----------------------------------------------------------------


def require_split(split: CampaignSplit | None, campaign: str) -> CampaignSplit:
    """The split, or `Refused` when the campaign has none."""
    if split is None:
        raise errors.Refused(
            f"campaign {campaign} has no vault, so nothing of it can be promoted",
            hint="declare one for a new campaign before its first search: `coinswarm vault declare --campaign NAME --symbol …`",
        )
    return split


def same_split(stored: CampaignSplit, split: CampaignSplit) -> CampaignSplit:
    """What is stored, or `Refused` when it is declared otherwise; who and when may differ."""
    names = [field.name for field in dataclasses.fields(split) if field.name not in ("who", "when")]
    differing = [name for name in names if getattr(stored, name) != getattr(split, name)]
    if differing:
        raise errors.Refused(
            f"the split of campaign {split.campaign} was declared on {stored.when:%Y-%m-%d} by {stored.who} and stays",
            found=f"another {', '.join(differing)}",
            hint="start another campaign",
        )
    return stored


def seen_before(campaign: str, job: str) -> errors.Refused:
    """A vault declared too late."""
    return errors.Refused(
        f"bars of a vault must be unseen, and job {job} of campaign {campaign} has seen them", hint="declare it for a new campaign"
    )


def check_opening(opening: VaultOpening) -> None:
    """Raise `Refused` unless an opening says who and why."""
    identity.check_text(opening)
    if not opening.who.strip() or not opening.why.strip() or not opening.id:
        raise errors.Refused("an opening of the vault says who opens it and why", found=f"who {opening.who!r}, why {opening.why!r}")


def spent(opening: str) -> errors.Refused:
    """An opening that was made before gives no second pass."""
    return errors.Refused(f"opening {opening} was used", hint="open the vault again; it counts again")


def shown_once(stored: VaultOpening, figures: Json) -> VaultOpening:
    """The opening with what it showed.

    Raises:
        Conflict: something else is stored.
    """
    if stored.figures and codec.dumps(stored.figures) != codec.dumps(figures):
        raise errors.Conflict(f"opening {stored.id} has shown something else already")
    return dataclasses.replace(stored, figures=figures)


def check_verdict(verdict: VerdictRecord, *, gates: str, card: str) -> None:
    """Raise `Refused` unless record, document, gates and card belong together."""
    identity.check_text(verdict)
    said = codec.loads(verdict.document)
    results = said.get("results") or []
    passed = bool(results) and all(result.get("passed") is True for result in results)
    wanted = {
        "hash": content_hash(verdict.document),
        "gates_hash": content_hash(gates),
        "card_hash": content_hash(card),
        "passed": passed,
        **{name: said.get(name) for name in ("evaluation", "campaign")},
    }
    wrong = [name for name, value in wanted.items() if getattr(verdict, name) != value]
    wrong += [name for name in ("gates_hash", "card_hash") if said.get(name) != getattr(verdict, name)]
    if wrong:
        raise errors.Refused("a verdict must agree with the evidence it names", found=f"another {', '.join(dict.fromkeys(wrong))}")


def check_promotion(step: Transition, verdict: VerdictRecord | None, split: CampaignSplit | None) -> None:
    """Raise `Refused` unless the verdict is of this variant, has passed, has these gates and card, and its campaign has a vault."""
    if verdict is None or verdict.evaluation != step.evaluation:
        raise errors.Refused(f"no verdict {step.verdict[:12]} was reached on {step.evaluation}")
    if not verdict.passed:
        raise errors.Refused(f"verdict {verdict.hash[:12]} did not pass, so {step.evaluation} stays {step.source}")
    if (verdict.gates_hash, verdict.card_hash) != (step.gates_hash, step.card_hash):
        raise errors.Refused(f"verdict {verdict.hash[:12]} was reached with other gates or on another card")
    require_split(split, verdict.campaign)


def check_vetted(play: VettedPlay, state: State, verdict: VerdictRecord | None) -> None:
    """Raise `Refused` unless the play's variant is validated and the verdict is of it and passed."""
    if content_hash(play.text) != play.sha256:
        raise errors.Refused(f"the text of {play.name} must have the hash it is kept under", found=play.sha256[:12])
    if state != "validated":
        raise errors.Refused(f"the library takes validated plays, and {play.evaluation} is {state}", hint="`coinswarm play vet` validates")
    if verdict is None or not verdict.passed or (verdict.evaluation, verdict.card_hash) != (play.evaluation, play.card_hash):
        raise errors.Refused(f"the library takes plays with a verdict that passed, and {play.verdict[:12]} is none of {play.evaluation}")
