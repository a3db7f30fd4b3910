"""Vetting: a variant's report card held against the gates, and, when it passes, the play with everything fixed, for good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cluster.jobs import validate
from cluster.jobs.validate.report import card_of
from cluster.queries import replay
from cluster.queries.replay import Visit
from coinswarm import errors
from coinswarm.ledger import campaigns
from coinswarm.ledger.campaigns import Campaigns, VettedPlay
from coinswarm.ledger.records import EvaluationRecord
from coinswarm.ledger.store import Store
from coinswarm.market.timeframe import Timeframe
from coinswarm.validate import gates, lifecycle
from coinswarm.validate.card import ReportCard
from coinswarm.validate.gates import Gates, Verdict

_MANY = 100_000
_CALM, _LIVELY = 0.10, 0.20
"""Worst drawdown up to which a play's risk is called low, and medium."""


@dataclass(frozen=True, kw_only=True)
class Vetted:
    """What came of vetting.

    Attributes:
        verdict: of the gates.
        card: the card it was reached on.
        play: what is in the library now; None: the verdict did not pass, and nothing was promoted or written.
    """

    verdict: Verdict
    card: ReportCard
    play: VettedPlay | None


def newest_card(store: Store, record: EvaluationRecord) -> ReportCard:
    """The report card that a finished job last made of a variant.

    Raises:
        NotFound: there is none. Refused: it is of something else.
    """
    jobs = store.jobs(campaign=record.campaign, status="done", limit=_MANY)
    mine = (job for job in jobs if job.kind == validate.NAME and job.config.get("evaluation") == record.id)
    newest = next(mine, None)
    if newest is None:
        raise errors.NotFound(f"{record.id} has no report card", hint=f"`coinswarm validate {record.id}` makes one")
    judged = card_of(newest)
    found = (judged.evaluation, judged.variant, judged.campaign)
    if found != (record.id, record.variant, record.campaign):
        raise errors.Refused(f"the card of job {newest.id} must be of {record.id}", found=", ".join(found))
    return judged


def verdict(store: Store, record: EvaluationRecord) -> Verdict | None:
    """What the default gates say of a variant's newest report card; None: it has none. Nothing is stored or promoted."""
    try:
        judged = newest_card(store, record)
    except errors.NotFound:
        return None
    return gates.check(gates.load(), judged)


def vet(
    store: Store,
    kept: Campaigns,
    name: str,
    wanted: Gates,
    catalog_path: Path,
    *,
    who: str,
    why: str,
    tags: Mapping[str, str] | None = None,
) -> Vetted:
    """Hold a variant's newest card against gates; when it passes, validate the variant and put it into the library.

    A verdict is remembered either way. Nothing else is written unless it passed.

    Args:
        store: where runs are remembered.
        kept: where campaigns are.
        name: an evaluation's id, or the beginning of it.
        wanted: the gates; at least as strict as the default ones.
        catalog_path: the bars of this machine.
        who: for the ledger.
        why: likewise.
        tags: besides, or instead of, those that follow from the card.

    Raises:
        Refused: the gates are looser than the default ones, the campaign has no vault, or the variant is no candidate.
        NotFound: it has no card.
    """
    _refuse_looser(wanted)
    found = replay.visit(store, name, catalog_path)
    lifecycle.require_open(kept, found.record.id, found.record.campaign)
    judged = newest_card(store, found.record)
    reached = gates.check(wanted, judged)
    labels = _tags(found, judged, tags or {})
    text = replay.play_text(found, labels) if reached.passed else ""  # refused before anything is written
    record = lifecycle.record(kept, reached, wanted, judged, who=who)
    if not reached.passed:
        return Vetted(verdict=reached, card=judged, play=None)
    lifecycle.promote(kept, record, who=who, why=why)
    play = VettedPlay(
        sha256=campaigns.content_hash(text),
        name=found.setup.play.name,
        text=text,
        evaluation=found.record.id,
        verdict=record.hash,
        card_hash=record.card_hash,
        tags=labels,
        who=who,
        when=datetime.now(UTC),
    )
    kept.save_vetted(play)
    return Vetted(verdict=reached, card=judged, play=play)


def written(vetted: Vetted) -> dict[str, str]:
    """What goes into the folder of vetted plays: names of files and their texts; none when the verdict did not pass."""
    if vetted.play is None:
        return {}
    stem = f"{''.join(letter if letter.isalnum() or letter in '-_' else '_' for letter in vetted.play.name)}-{vetted.play.evaluation[:8]}"
    return {
        f"{stem}.yml": vetted.play.text,
        f"{stem}.card.json": gates.card_text(vetted.card),
        f"{stem}.verdict.json": vetted.verdict.document,
    }


def _refuse_looser(wanted: Gates) -> None:
    loose = gates.looser(wanted, gates.load())
    if loose:
        raise errors.Refused(
            f"gates that promote hold at least what the default ones do; {wanted.name} lacks {len(loose)} of them",
            found=", ".join(rule.text for rule in loose[:3]),
            hint="`coinswarm gates show` lists them; `coinswarm gates check` takes any gates and promotes nothing",
        )


def _tags(found: Visit, judged: ReportCard, given: Mapping[str, str]) -> dict[str, object]:
    """What a person sorts a library by: market, timeframe, regime and risk profile."""
    length = found.setup.play.timeframe_ms
    made: dict[str, object] = {
        "market": [span["symbol"] for span in found.job.config["markets"]],
        "timeframe": judged.timeframe if length is None else str(Timeframe(length)),
        "regime": regimes(judged),
        "risk_profile": risk_profile(judged),
        "synthetic": judged.synthetic,
    }
    return {**made, **given}


def regimes(judged: ReportCard) -> list[str]:
    """The thirds of trend and volatility in which it gained, best first; empty when the card does not tell."""
    section = judged.sections.get("regimes")
    thirds = [table for table in section.tables if table.head == ("third", "Sharpe")] if section else []
    rows = [(str(row[0]), float(row[1] or 0.0)) for table in thirds for row in table.rows]
    return [name for name, sharpe in sorted(rows, key=lambda row: -row[1]) if sharpe > 0]


def risk_profile(judged: ReportCard) -> str:
    """Low, medium or high, by the worst drawdown the card shows: in sample, held out, and in a flash crash of ten bars."""
    names = ("in_sample.max_drawdown", "validation.max_drawdown", "crash.drawdown_ten_bars")
    known = judged.figures
    worst = max((known[name] for name in names if known.get(name, -1.0) >= 0), default=1.0)
    return "low" if worst <= _CALM else "medium" if worst <= _LIVELY else "high"
