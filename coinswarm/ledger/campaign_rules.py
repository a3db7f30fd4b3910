"""Rules of campaigns that every store applies in the same words."""

from __future__ import annotations

import dataclasses

from coinswarm import codec, errors
from coinswarm.ledger import identity
from coinswarm.ledger.campaigns import CampaignSplit, VaultOpening, VerdictRecord, VettedPlay, content_hash
from coinswarm.ledger.lifecycle import State, Transition
from coinswarm.ledger.records import Json


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


def vault_seen(campaign: str, job: str) -> errors.Refused:
    """A vault declared too late."""
    return errors.Refused(
        f"bars of a vault must be unseen, and job {job} of campaign {campaign} has seen them", hint="declare it for a new campaign"
    )


def check_opening(opening: VaultOpening) -> None:
    """Raise `Refused` unless an opening says who and why."""
    identity.check_text(opening)
    if not opening.who.strip() or not opening.why.strip() or not opening.id:
        raise errors.Refused("an opening of the vault says who opens it and why", found=f"who {opening.who!r}, why {opening.why!r}")


def opening_used(opening: str) -> errors.Refused:
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
