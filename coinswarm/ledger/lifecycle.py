"""The life of a variant as a table: which state may follow which, and what has to be shown for it.

The database holds the same table and refuses what it does not list, so that not even SQL promotes by hand.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from coinswarm import errors
from coinswarm.printable import counted

State: TypeAlias = Literal["candidate", "validated", "demo", "vetted", "live_test", "production", "rework", "disabled"]
Evidence: TypeAlias = Literal["verdict", "why", "later"]

CANDIDATE: State = "candidate"
"""What every evaluated variant is before anything was decided about it."""
LADDER: tuple[State, ...] = ("candidate", "validated", "demo", "vetted", "live_test", "production")
STATES: tuple[State, ...] = (*LADDER, "rework", "disabled")


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrow:
    """A step that exists.

    Attributes:
        source, target: from which state to which.
        evidence: `verdict`, a verdict of the gates that passed; `why`, a reason in words; `later`, what nothing can show yet.
        reason: why it is refused, where the evidence is `later`.
    """

    source: State
    target: State
    evidence: Evidence
    reason: str = ""


_LATER = {
    "demo": "a demo needs an account that trades on paper, and there is none yet",
    "vetted": "vetting needs the record of a demo, and no demo can be run yet",
    "live_test": "a live test needs a venue for orders, and there is none yet",
    "production": "production needs the record of a live test, and no live test can be run yet",
}
_UPWARD = tuple(
    Arrow(source=low, target=high, evidence="later" if high in _LATER else "verdict", reason=_LATER.get(high, ""))
    for low, high in itertools.pairwise(LADDER)
)
_ASIDE = tuple(
    Arrow(source=state, target=aside, evidence="why")
    for aside in ("rework", "disabled")
    for state in STATES
    if state not in (aside, "disabled")
)
ARROWS: tuple[Arrow, ...] = (
    *_UPWARD,
    *_ASIDE,
    Arrow(source="rework", target="candidate", evidence="why"),
    Arrow(source="disabled", target="rework", evidence="why"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Transition:
    """One step that was taken, with its evidence.

    Attributes:
        evaluation: the variant in the job that found it.
        step: 0 for its first, then 1, 2…
        source, target: from which state to which.
        who, when, why: the person, the time (UTC) and the reason in words.
        verdict, gates_hash, card_hash: hashes of the evidence; empty where a reason is all that is asked for.
    """

    evaluation: str
    step: int
    source: State
    target: State
    who: str
    when: datetime
    why: str
    verdict: str = ""
    gates_hash: str = ""
    card_hash: str = ""


def standing(steps: Sequence[Transition]) -> State:
    """The state after some steps, oldest first."""
    return steps[-1].target if steps else CANDIDATE


def parse_state(name: str) -> State:
    """The state of this name.

    Raises:
        NotFound: there is none; the nearest are named.
    """
    for state in STATES:
        if state == name:
            return state
    raise errors.not_found("state", name, STATES)


def require(taken: Sequence[Transition], new: Transition) -> Arrow:
    """The arrow that a new step takes.

    Args:
        taken: the variant's steps so far, oldest first.
        new: the step wanted.

    Raises:
        Conflict: another caller took a step in the meantime.
        Refused: there is no such arrow, nothing can show its evidence yet, or its evidence is missing.
    """
    if new.step != len(taken) or new.source != standing(taken):
        raise errors.Conflict(
            f"{new.evaluation} must still be {new.source} after {counted(new.step, 'step')}", found=f"{standing(taken)} after {len(taken)}"
        )
    arrow = next((arrow for arrow in ARROWS if (arrow.source, arrow.target) == (new.source, new.target)), None)
    if arrow is None:
        ways = ", ".join(arrow.target for arrow in ARROWS if arrow.source == new.source)
        raise errors.Refused(f"no step leads from {new.source} to {new.target}", hint=f"from {new.source} there is {ways}")
    if arrow.evidence == "later":
        raise errors.Refused(f"{new.evaluation} stays {new.source}: {arrow.reason}")
    if not new.who.strip() or not new.why.strip():
        raise errors.Refused("a step says who takes it and why", found=f"who {new.who!r}, why {new.why!r}")
    if arrow.evidence == "verdict" and not (new.verdict and new.gates_hash and new.card_hash):
        raise errors.Refused(f"a step to {new.target} needs a verdict of the gates", hint="`coinswarm play vet` runs them")
    return arrow
