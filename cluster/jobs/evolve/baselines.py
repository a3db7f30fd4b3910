"""What a search has to beat at equal cost: random parameters, and lottery trading with the winner's exits, sizes and costs.

Baselines are no candidates, so they are not written into the ledger. Each is scored by the same evaluator in large lots, a few under way
at a time, and reduced as it comes in: the figures of a million of them are never held at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from cluster.compute.evaluator import Evaluator, Lottery, Scored, ScoreRequest
from cluster.jobs.evolve.plan import SearchPlan
from cluster.jobs.evolve.play_search import PlaySearch
from coinswarm import errors
from coinswarm.evolve import reduction
from coinswarm.evolve.baselines import compare, random_proposals
from coinswarm.evolve.settings import SearchSettings
from coinswarm.ledger.records import IN_SAMPLE, Json
from coinswarm.types import FloatArray

NONE: Json = {"random": None, "lottery": None, "beaten": None}
"""What a result says when no baseline was tried."""

_LOT = 8192
_UNDER_WAY = 3
_WAIT_S = 3600.0
_FIRST_TOKEN = -1000


def baselines(plan: SearchPlan, found: Sequence[PlaySearch], evaluator: Evaluator, stopped: Callable[[], bool] = lambda: False) -> Json:
    """How evolution compares with each baseline on the in-sample bars, objective by objective; `NONE` when it was stopped.

    A search that tried every variant is not compared with random parameters, which would be the same ones.
    """
    evolved, whole = _evolved(found, plan.search), is_whole(found)
    random = _Tally(plan.search)
    for one in () if whole else found:
        _score(evaluator, _random_lots(one, plan.search), random, stopped)
    lottery = _Tally(plan.search)
    winner = _winner(found)
    if winner is not None:
        one, genome = winner
        trials = sum(other.state.evaluations for other in found)
        _score(evaluator, _lottery_lots(one, genome, plan.search.seed, trials), lottery, stopped)
    if stopped():
        return NONE
    compared = {"random": None if whole else random.verdict(evolved), "lottery": lottery.verdict(evolved)}
    return {**compared, "beaten": all(entry["beaten"] for entry in compared.values() if entry)}


def is_whole(found: Sequence[PlaySearch]) -> bool:
    """Whether every variant of every play was tried."""
    return all(one.state.distinct >= one.setup.play.space.size for one in found)


def answer(evaluator: Evaluator, work: ScoreRequest) -> Scored:
    """The answer to one work; others that are still under way were given up and are passed over."""
    evaluator.submit(work)
    while True:
        scored = _collected(evaluator)
        if scored.token == work.token:
            return scored


class _Tally:
    """The best of a baseline so far, of each objective and of the fitness."""

    def __init__(self, search: SearchSettings) -> None:
        self._search = search
        self._fits: list[FloatArray] = []
        self._best = np.full(len(search.objectives), np.nan)

    def take(self, scored: Scored) -> None:
        results = reduction.results(scored.figures, self._search)
        self._fits.append(reduction.fitness(results, self._search))
        feasible = results.objectives[~results.failed & (results.violation <= 0)]
        signs = _signs(self._search)
        if len(feasible):
            with np.errstate(invalid="ignore"):
                self._best = signs * np.fmax(signs * self._best, np.fmax.reduce(signs * feasible, axis=0))

    def verdict(self, evolved: FloatArray) -> dict[str, Any]:
        """The baseline beside evolution; figures of the first objective are larger for better."""
        fits = np.concatenate([np.empty(0), *self._fits])
        known = fits[np.isfinite(fits)]
        best = float(known.max()) if known.size else math.nan
        ours = float(_signs(self._search)[0] * evolved[0])
        compared = compare(self._search, evolved, self._best)
        return {
            "evaluations": int(fits.size), "feasible": int(known.size), "best": best,
            "median": float(np.median(known)) if known.size else math.nan, "evolved_best": ours,
            "beaten": bool(ours > best or (math.isnan(best) and not math.isnan(ours))), "margin": ours - best,
            "as_good": float((known >= ours).mean()) if known.size else 0.0,
            "objectives": [{**asdict(comparison), "beaten": comparison.beaten} for comparison in compared],
        }  # fmt: skip


def _score(evaluator: Evaluator, works: Iterator[ScoreRequest], tally: _Tally, stopped: Callable[[], bool]) -> None:
    """Score works, a few under way at a time; when it is to stop, what is under way is left to be passed over."""
    under_way: set[int] = set()
    for work in works:
        if stopped():
            return
        evaluator.submit(work)
        under_way.add(work.token)
        while len(under_way) >= _UNDER_WAY:
            _take(evaluator, under_way, tally)
    while under_way and not stopped():
        _take(evaluator, under_way, tally)


def _take(evaluator: Evaluator, under_way: set[int], tally: _Tally) -> None:
    scored = _collected(evaluator)
    if scored.token in under_way:
        under_way.remove(scored.token)
        tally.take(scored)


def _collected(evaluator: Evaluator) -> Scored:
    scored = evaluator.collect(_WAIT_S)
    if scored is None:
        raise errors.Unavailable("the cluster does not answer", found=f"nothing in {_WAIT_S:g} s", hint="resume the job when it does")
    return scored


def _random_lots(one: PlaySearch, search: SearchSettings) -> Iterator[ScoreRequest]:
    """Lots of random variants, as many different ones in all as the search evaluated."""
    left, chunk = max(one.state.evaluations, 1), 0
    while left > 0:
        proposals = random_proposals(one.setup.play.space, search, chunk, min(left, _LOT), one.identify)
        genomes = proposals.genomes[proposals.todo]
        yield ScoreRequest(token=_token(one, 2 * chunk), setup=one.number, segment=IN_SAMPLE, genomes=genomes)
        left, chunk = left - len(genomes), chunk + 1


def _lottery_lots(one: PlaySearch, genome: FloatArray, seed: int, count: int) -> Iterator[ScoreRequest]:
    """Lots of lotteries on one variant, numbered from 0."""
    drawn = Lottery(genome=tuple(genome.tolist()), seed=seed)
    for chunk, start in enumerate(range(0, max(count, 1), _LOT)):
        numbers = np.arange(start, min(start + _LOT, max(count, 1)), dtype=np.float64)[:, np.newaxis]
        yield ScoreRequest(token=_token(one, 2 * chunk + 1), setup=one.number, segment=IN_SAMPLE, genomes=numbers, lottery=drawn)


def _token(one: PlaySearch, number: int) -> int:
    """Tokens below those of winners, different for every lot of every play."""
    return _FIRST_TOKEN * (number + 1) - one.number


def _winner(found: Sequence[PlaySearch]) -> tuple[PlaySearch, FloatArray] | None:
    """The fittest variant of all searches; equal ones by identity."""
    best: tuple[float, bytes, PlaySearch, FloatArray] | None = None
    for one in found:
        members = one.search.best(one.state)
        members = members.take(members.feasible)
        for row in np.lexsort((members.identities, members.objectives[:, 0]))[:1].tolist():
            entry = (float(members.objectives[row, 0]), bytes(members.identities[row]), one, members.genomes[row])
            best = entry if best is None or entry[:2] < best[:2] else best
    return None if best is None else (best[2], best[3])


def _evolved(found: Sequence[PlaySearch], search: SearchSettings) -> FloatArray:
    """(n_objectives,) the best of each objective among feasible members of all searches, in its declared direction; NaN where none is."""
    best = [one.state.islands[i].population for one in found for i in range(search.islands)]
    rows = np.concatenate([members.objectives[members.feasible] for members in best])
    return _minimised(rows, len(search.objectives)) * -_signs(search)


def _minimised(rows: FloatArray, objectives: int) -> FloatArray:
    return np.asarray(rows.min(axis=0)) if len(rows) else np.full(objectives, np.nan)


def _signs(search: SearchSettings) -> FloatArray:
    """(n_objectives,) 1 where larger is better, -1 where smaller is."""
    return np.array([1.0 if objective.direction == "max" else -1.0 for objective in search.objectives])
