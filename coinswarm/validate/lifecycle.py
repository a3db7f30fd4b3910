"""Steps of a variant's life: promotion takes a verdict that passed, and every other step a reason in words.

The table of steps is `coinswarm.ledger.lifecycle`; the store holds every step to it.
"""

from __future__ import annotations

from datetime import UTC, datetime

from coinswarm import errors
from coinswarm.ledger import campaign_rules, lifecycle
from coinswarm.ledger.campaigns import Campaigns, VerdictRecord
from coinswarm.ledger.lifecycle import State, Transition
from coinswarm.validate import gates
from coinswarm.validate.card import ReportCard
from coinswarm.validate.gates import Gates, Verdict


def state(store: Campaigns, evaluation: str) -> State:
    """Where a variant stands."""
    return lifecycle.standing(store.steps(evaluation))


def record(store: Campaigns, verdict: Verdict, rules: Gates, judged: ReportCard, *, who: str) -> VerdictRecord:
    """Store a verdict with the gates and the card it was reached on; the same verdict is stored once.

    Raises:
        Refused: it was not reached with these gates on this card.
    """
    stored = next((entry for entry in store.verdicts(verdict.evaluation) if entry.hash == verdict.hash), None)
    made = stored or VerdictRecord(
        hash=verdict.hash,
        evaluation=verdict.evaluation,
        campaign=verdict.campaign,
        gates_hash=verdict.gates_hash,
        card_hash=verdict.card_hash,
        passed=verdict.passed,
        document=verdict.document,
        who=who,
        when=datetime.now(UTC),
    )
    store.save_verdict(made, gates=rules.text, card=gates.card_text(judged))
    return made


def require_open(store: Campaigns, evaluation: str, campaign: str) -> State:
    """The state of a variant that may be validated: a candidate, or one that is.

    Raises:
        Refused: its campaign has no vault, or it stands elsewhere.
    """
    campaign_rules.require_split(store.split(campaign), campaign)
    standing = state(store, evaluation)
    if standing not in (lifecycle.CANDIDATE, "validated"):
        raise errors.Refused(f"candidates are vetted, and {evaluation} is {standing}", hint="rework leads back to candidate")
    return standing


def promote(store: Campaigns, verdict: VerdictRecord, *, who: str, why: str) -> State:
    """Make a candidate validated on a verdict; one that is validated stays so.

    Raises:
        Refused: the verdict did not pass, the campaign has no vault, or the variant stands elsewhere.
    """
    if require_open(store, verdict.evaluation, verdict.campaign) == "validated":
        return "validated"
    step = Transition(
        evaluation=verdict.evaluation,
        step=len(store.steps(verdict.evaluation)),
        source="candidate",
        target="validated",
        who=who,
        when=datetime.now(UTC),
        why=why,
        verdict=verdict.hash,
        gates_hash=verdict.gates_hash,
        card_hash=verdict.card_hash,
    )
    store.advance(step)
    return step.target


def move(store: Campaigns, evaluation: str, target: State, *, who: str, why: str) -> Transition:
    """Take a step for a reason in words, such as to rework or disabled.

    Raises:
        Refused: no such step leads from where the variant stands, it needs more than a reason, or there is none.
    """
    taken = store.steps(evaluation)
    step = Transition(
        evaluation=evaluation, step=len(taken), source=lifecycle.standing(taken), target=target, who=who, when=datetime.now(UTC), why=why
    )
    store.advance(step)
    return step
