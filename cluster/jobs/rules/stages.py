"""The steps of a test of published rules: each tries one rule on all markets, and all are judged together at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from cluster.compute.evaluator import TimeSegment
from cluster.compute.executor import Executor
from cluster.compute.sources import CatalogSource
from cluster.jobs import markets
from cluster.jobs.kind import Estimate, Planned, RunContext
from cluster.jobs.rules import work
from cluster.jobs.rules.settings import RuleSettings
from cluster.jobs.stages import Step, Steps, estimated
from coinswarm import codec, config
from coinswarm.ledger.patterns import PatternRecord, PatternStatus, PatternStore, pattern_id
from coinswarm.ledger.records import Job, Json, PlayRecord
from coinswarm.patterns import rule_tests
from coinswarm.patterns.rule_tests import RuleVerdict, SideSummary

PROCEDURE, ALPHA = "lond", 0.05
_SEGMENT = TimeSegment(name="rules")


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleTest:
    """What a job tests. `sources` are the traded markets, then those that features look at."""

    job: Job
    settings: RuleSettings
    rules: tuple[PlayRecord, ...]
    traded: int
    sources: tuple[CatalogSource, ...]

    @classmethod
    def of(cls, made: Planned, bars_file: Path) -> RuleTest:
        """The test of a planned job."""
        settled = made.job.config
        spans = (*settled["markets"], *settled["others"])
        return cls(
            job=made.job,
            settings=config.stored(RuleSettings, settled["test"]),
            rules=made.plays,
            traded=len(settled["markets"]),
            sources=tuple(markets.source(span, settled, bars_file) for span in spans),
        )


class RuleSteps:
    """The steps of a job: each tries one rule."""

    unit = "rules"

    def __init__(self, test: RuleTest, executor: Executor, library: PatternStore) -> None:
        self._test, self._executor, self._library = test, executor, library

    @property
    def total(self) -> int:
        """How many rules there are."""
        return len(self._test.rules)

    def steps(self, done: Sequence[Json], _halted: Callable[[], bool]) -> Iterator[Step]:
        """The rules that are missing, in order."""
        held = [self._executor.load(source, _SEGMENT) for source in self._test.sources]
        settled = self._test.job.config
        items = (
            work.RuleTrial(
                text=record.text,
                traded=self._test.traded,
                start_ts=tuple(settled["start_ts"]),
                end_ts=tuple(settled["end_ts"]),
                warmup_tolerance=self._test.settings.warmup_tolerance,
            )
            for record in self._test.rules[len(done) :]
        )
        for number, figures in enumerate(self._executor.run(work.try_rule, items, markets=held), start=len(done)):
            yield Step(number=number, figures=figures, trials=len(figures["sides"]), failures=int(bool(figures["refused"])))

    def conclude(self, figures: Sequence[Json]) -> tuple[Json, str]:
        """All rules judged together; what was judged goes into the library."""
        settings = self._test.settings
        tried = [SideSummary(**{**side, "sums": tuple(side["sums"])}) for entry in figures for side in entry["sides"]]
        rulings = rule_tests.judge(tried, seed=settings.seed, alpha=settings.alpha, n_flips=settings.flips)
        digest = codec.canonical_hash([asdict(entry) for entry in rulings])
        self._library.add([record for entry in rulings if (record := self._record(entry)) is not None], alpha=ALPHA, procedure=PROCEDURE)
        refused = {entry["rule"]: entry["refused"] for entry in figures if entry["refused"]}
        better = sum(entry.verdict == "better" for entry in rulings)
        return {"rulings": [asdict(entry) for entry in rulings], "refused": refused, "better": better, "tested": len(rulings)}, digest

    def _record(self, entry: RuleVerdict) -> PatternRecord | None:
        """The test of a rule as the library keeps it; None for a rule with too few trades to judge."""
        status: PatternStatus | None = {"better": "candidate", "no better": "rejected"}.get(entry.verdict)  # type: ignore[assignment]
        if status is None:
            return None
        job = self._test.job
        sha256 = next(record.sha256 for record in self._test.rules if record.name == entry.rule)
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


def load(made: Planned, context: RunContext) -> Steps:
    """The work of a planned job."""
    executor = context.executor()
    rules = RuleSteps(RuleTest.of(made, context.bars_file), executor, context.patterns)
    return Steps(context.store, made.job.id, rules, workers=lambda: executor.workers)


def estimate(made: Planned, context: RunContext) -> Estimate:
    """What a test would take: two rules are tried for it."""
    return estimated(RuleSteps(RuleTest.of(made, context.bars_file), context.executor(), context.patterns))
