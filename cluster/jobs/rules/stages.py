"""The steps of a test of published rules: each tries one rule on all markets, and all are judged together at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from cluster.compute.evaluator import TimeSegment
from cluster.compute.executor import Executor
from cluster.jobs import markets
from cluster.jobs.kind import Estimate, PlanContext, Planned, Recount, RunContext
from cluster.jobs.recount import of_steps
from cluster.jobs.rules import work
from cluster.jobs.rules.settings import RuleSettings
from cluster.jobs.stages import Step, Steps, estimated
from coinswarm import codec, config
from coinswarm.ledger.patterns import PatternRecord, PatternStatus, pattern_id
from coinswarm.ledger.records import Json
from coinswarm.patterns import rule_tests
from coinswarm.patterns.rule_tests import RuleVerdict, SideSummary

PROCEDURE, ALPHA = "lond", 0.05
_SEGMENT = TimeSegment(name="rules")


class RuleSteps:
    """The steps of a job: each tries one rule. The bars are of the traded markets, then of those that features look at."""

    unit = "rules"

    def __init__(self, made: Planned, context: RunContext, executor: Executor) -> None:
        settled = made.job.config
        self._job, self._rules, self._executor, self._library = made.job, made.plays, executor, context.patterns
        self._settings = config.stored(RuleSettings, settled["test"])
        self._sources = [markets.source(span, settled, context.bars_file) for span in (*settled["markets"], *settled["others"])]

    @property
    def total(self) -> int:
        """How many rules there are."""
        return len(self._rules)

    def steps(self, done: Sequence[Json], _halted: Callable[[], bool]) -> Iterator[Step]:
        """The rules that are missing, in order."""
        held = [self._executor.load(source, _SEGMENT) for source in self._sources]
        settled = self._job.config
        items = (
            work.RuleTrial(
                text=record.text,
                traded=len(settled["markets"]),
                start_ts=tuple(settled["start_ts"]),
                end_ts=tuple(settled["end_ts"]),
                warmup_tolerance=self._settings.warmup_tolerance,
            )
            for record in self._rules[len(done) :]
        )
        for number, figures in enumerate(self._executor.run(work.try_rule, items, markets=held), start=len(done)):
            yield Step(number=number, figures=figures, trials=len(figures["sides"]), failures=int(bool(figures["refused"])))

    def conclude(self, figures: Sequence[Json]) -> tuple[Json, str]:
        """All rules judged together; what was judged goes into the library."""
        rulings, digest = _judged(self._settings, figures)
        self._library.add([record for entry in rulings if (record := self._record(entry)) is not None], alpha=ALPHA, procedure=PROCEDURE)
        refused = {entry["rule"]: entry["refused"] for entry in figures if entry["refused"]}
        better = sum(entry.verdict == "better" for entry in rulings)
        return {"rulings": [asdict(entry) for entry in rulings], "refused": refused, "better": better, "tested": len(rulings)}, digest

    def _record(self, entry: RuleVerdict) -> PatternRecord | None:
        """The test of a rule as the library keeps it; None for a rule with too few trades to judge."""
        status: PatternStatus | None = {"better": "candidate", "no better": "rejected"}.get(entry.verdict)  # type: ignore[assignment]
        if status is None:
            return None
        job = self._job
        sha256 = next(record.sha256 for record in self._rules if record.name == entry.rule)
        conditions = [{"rule": entry.rule, "play": sha256, "side": entry.side}]
        seen = {
            "trades": entry.n_trades, "net": entry.net, "effect": entry.excess, "effect_low": entry.low, "effect_high": entry.high,
            "win_rate": entry.win_rate, "blocks": entry.n_blocks, "active_blocks": entry.active_blocks,
        }  # fmt: skip
        traded = [str(span["key"]) for span in job.config["markets"]]
        return PatternRecord(
            id=pattern_id(job.config["source"], job.id, conditions), source=job.config["source"], name=f"{entry.rule}, {entry.side}",
            conditions=conditions, figures={"discovery": seen}, status=status, job=job.id, discovered_at=datetime.now(UTC),
            evidence={"p_family": entry.p_adjusted, "p_value": entry.p_value, "naive_p": entry.naive_p, "markets": traded},
            synthetic=job.synthetic,
        )  # fmt: skip


def recount(made: Planned, context: PlanContext) -> Iterator[Recount]:
    """Recounts of a job."""
    settings = config.stored(RuleSettings, made.job.config["test"])
    return of_steps(made, context, lambda _, figures: _judged(settings, figures)[1])


def _judged(settings: RuleSettings, figures: Sequence[Json]) -> tuple[Sequence[RuleVerdict], str]:
    """What is said of the rules, and the hash of it."""
    tried = [SideSummary(**{**side, "sums": tuple(side["sums"])}) for entry in figures for side in entry["sides"]]
    rulings = rule_tests.judge(tried, seed=settings.seed, alpha=settings.alpha, n_flips=settings.flips)
    return rulings, codec.canonical_hash([asdict(entry) for entry in rulings])


def load(made: Planned, context: RunContext) -> Steps:
    """The work of a planned job."""
    executor = context.executor()
    return Steps(context.store, made.job.id, RuleSteps(made, context, executor), workers=lambda: executor.workers)


def estimate(made: Planned, context: RunContext) -> Estimate:
    """What a test would take: two rules are tried for it."""
    return estimated(RuleSteps(made, context, context.executor()))
