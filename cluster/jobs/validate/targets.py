"""What a report card may be asked of: an evaluation, one of the best of a job, or one variant of a play that nobody bred."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from cluster.jobs.evolve import plan as planning
from cluster.jobs.evolve.plan import Overrides, PlayFile
from cluster.jobs.validate import trials
from cluster.jobs.validate.plan import Subject
from coinswarm import config, errors
from coinswarm.ledger.campaigns import Campaigns
from coinswarm.ledger.store import Store
from coinswarm.market.catalog import Catalog
from coinswarm.market.timeframe import Timeframe
from coinswarm.play.dimension import Value
from coinswarm.play.model import Play
from coinswarm.types import FloatArray


def of_job(store: Store, name: str, best: int, catalog_path: Path) -> list[Subject]:
    """The best variants of a job, the fittest first; fewer where it has fewer.

    Raises:
        NotFound: there is no such job, or it has no variant with a fitness.
    """
    job = store.job(name)
    rows = store.leaderboard(job.id, limit=best)
    if not rows:
        raise errors.NotFound(f"job {job.id} has no variant to judge", hint=f"it is of kind {job.kind}, {job.status}")
    return [trials.subject(store, row.evaluation, catalog_path) for row in rows]


def read(file: PlayFile, timeframe: str | None) -> Play:
    """A play as it stands, on bars of a length of its own or of the run."""
    return planning.read_play(file, Overrides(), None if timeframe is None else Timeframe.parse(timeframe))


def of_play(
    file: PlayFile, parameters: Mapping[str, Value] | FloatArray, markets: Sequence[str], catalog_path: Path, campaigns: Campaigns, *,
    timeframe: str | None, out_of_sample: float, campaign: str, warmup_tolerance: float = config.WARMUP_TOLERANCE,
) -> Subject:  # fmt: skip
    """One variant of a play on stored markets.

    Args:
        file: text of the play.
        parameters: a value for each parameter that it leaves open, or the genome, (n_dims,).
        markets: names of data sets; none: those of the play.
        catalog_path: the bars of this machine.
        campaigns: where the campaign's split is.
        timeframe: length of a bar; None: the play's.
        out_of_sample: share of the bars, the newest, to validate on where the campaign has no split.
        campaign: whose split it is judged on.
        warmup_tolerance: how far the bars before the data may move a warm feature, in units of its own scale.

    Raises:
        BadPlay: it is no play. InvalidArgument: a parameter is missing or outside its values, or no market is named.
        NotFound: a market is not stored.
    """
    play = read(file, timeframe)
    genome = play.space.encode(parameters) if isinstance(parameters, Mapping) else parameters
    names = [*markets] or list(play.symbols)
    if not names:
        raise errors.InvalidArgument(
            f"{play.name} names no market", hint="name one: `--symbol BTC/USDT`, `--bars FILE`, or `markets` of a request"
        )
    own = None if play.timeframe_ms is None else Timeframe(play.timeframe_ms)
    with Catalog.open(catalog_path, read_only=True) as catalog:
        bars = [catalog.read(catalog.find(name, own).key) for name in dict.fromkeys(names)]
    overrides = Overrides(warmup_tolerance=warmup_tolerance)
    return trials.unbred(file, genome, bars, out_of_sample, campaigns.split(campaign), overrides, timeframe, campaign)
