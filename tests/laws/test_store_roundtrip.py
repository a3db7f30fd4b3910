"""What was saved is read back equal, digit for digit, whatever it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinswarm.ledger.records import EvaluationBatch, ScoreBatch
from coinswarm.ledger.store import Store
from coinswarm.metrics.figures import FIGURES, SCORE_DTYPE
from tests.laws.ledger_world import generation, plain, running, trials

lean = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",)), max_size=12)
floats = st.floats() | st.sampled_from([0.0, -0.0, float("nan"), float("inf"), 5e-324, 1e300])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | floats | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts.filter(lambda key: key != "$float"), inner, max_size=3),
    max_leaves=8,
)
mappings = st.dictionaries(texts.filter(lambda key: key != "$float"), values, max_size=4)


@st.composite
def columns(draw: st.DrawFn) -> dict[str, object]:
    """Columns of a batch of evaluations, as odd as they come."""
    variants = draw(st.lists(texts.filter(bool), min_size=1, max_size=5, unique=True))
    n, n_dims, n_objectives = len(variants), draw(st.integers(0, 3)), draw(st.integers(0, 2))
    some = lambda strategy: tuple(draw(st.lists(strategy, min_size=n, max_size=n)))  # noqa: E731 - a word for one thing
    numbers = lambda width: np.array(draw(st.lists(floats, min_size=n * width, max_size=n * width)), dtype=float)  # noqa: E731
    return {
        "variants": tuple(variants),
        "genomes": numbers(n_dims).reshape(n, n_dims),
        "params": some(mappings),
        "indices": np.array(some(st.integers(-(2**63), 2**63 - 1)), dtype=np.int64),
        "fitness": numbers(1),
        "objectives": numbers(n_objectives).reshape(n, n_objectives),
        "status": np.array(some(st.integers(0, 4)), dtype=np.int8),
        "reasons": some(texts),
        "parents": some(st.lists(texts.filter(bool), max_size=3).map(tuple)),
        "operators": some(texts.filter(bool)),
    }


@lean
@given(column=columns())
def test_evaluations_come_back_as_they_were_committed(store: Store, column: dict[str, object]) -> None:
    job, lease = running(store)
    batch = trials(job, list(column["variants"]), **column)
    store.commit_generation(lease, [generation(job)], [batch])
    order = sorted(range(len(batch)), key=lambda row: (batch.indices[row], batch.variants[row].encode()))
    assert plain(store.evaluations(job.id)) == plain((_ordered(batch, order),))


@lean
@given(rows=st.lists(st.tuples(st.integers(0, 4), *(floats for _ in FIGURES)), min_size=1, max_size=6))
def test_scores_come_back_as_they_were_committed(store: Store, rows: list[tuple[float, ...]]) -> None:
    job, lease = running(store)
    variants = [f"v{number}" for number in range(len(rows))]
    batch = ScoreBatch(data_set="a:b", segment="fold_1", variants=tuple(variants), figures=np.array(rows, dtype=SCORE_DTYPE))
    store.commit_generation(lease, [generation(job)], [trials(job, variants)], [batch])
    assert plain(store.scores(job.id)) == plain((batch,))


@lean
@given(
    config=mappings,
    result=st.none() | mappings,
    figures=mappings,
    state=st.binary(max_size=64),
    numbers=st.tuples(floats, floats, floats, floats),
)
def test_jobs_and_generations_come_back_as_they_were_saved(
    store: Store,
    config: dict[str, object],
    result: dict[str, object] | None,
    figures: dict[str, object],
    state: bytes,
    numbers: tuple[float, ...],
) -> None:
    job, lease = running(store, config=config)
    best, median, diversity, seconds = numbers
    record = generation(job, figures=figures, state=state, best=best, median=median, diversity=diversity, seconds=seconds)
    store.commit_generation(lease, [record])
    store.finish(lease, "done", result=result)
    assert plain(store.job(job.id).config) == plain(config)
    assert plain(store.job(job.id).result) == plain(result)
    assert plain(store.last_generations(job.id)) == plain((record,))


def _ordered(batch: EvaluationBatch, order: list[int]) -> EvaluationBatch:
    picked = {name: tuple(getattr(batch, name)[row] for row in order) for name in ("variants", "params", "reasons", "parents", "operators")}
    arrays = {name: getattr(batch, name)[order] for name in ("genomes", "indices", "fitness", "objectives", "status")}
    return replace(batch, **picked, **arrays)
