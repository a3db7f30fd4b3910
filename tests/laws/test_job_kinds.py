"""Laws over the registry: what every kind of job keeps, whoever adds one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.cli import job_options
from cluster.jobs import brief, registry, spec
from cluster.jobs.kind import JobKind
from cluster.jobs.progress import Advance, SearchProgress, Silent
from cluster.jobs.report import html
from tests import jobs_world, kinds_world
from tests.kinds_world import KindsWorld

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=registry.NAMES)
def kind(request: pytest.FixtureRequest) -> JobKind[Any]:
    return registry.kind(request.param)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[KindsWorld]:
    made = kinds_world.world(tmp_path)
    with kinds_world.replaying(made.bars[0]):
        yield made


class Killed(BaseException):
    """What a process that is killed never gets past."""


class Killer(Silent):
    """Kills the driver as soon as something is committed."""

    def on_advance(self, advance: Advance) -> None:
        if advance.done:
            raise Killed

    def on_progress(self, progress: SearchProgress) -> None:
        raise Killed


def test_each_folder_of_jobs_is_registered_and_each_kind_has_an_example() -> None:
    folders = {path.parent.name for path in (ROOT / "cluster" / "jobs").glob("*/definition.py")}
    assert folders == set(registry.NAMES) == set(kinds_world.EXAMPLES)


def test_a_kind_is_called_as_its_folder_and_says_so_in_its_request(kind: JobKind[Any]) -> None:
    assert kind.options.kind == kind.name
    assert list(registry.commands().values()).count(kind.name) == 1
    assert registry.summary(kind.name).endswith(".")


def test_what_can_be_asked_of_a_kind_is_known_without_what_computes() -> None:
    # `coinswarm evolve --help` took four times as long as any other help: it imported the engine
    heavy = ("coinswarm.fitness", "numba", "ray", "sqlalchemy")
    asking = f"import sys; from cluster.jobs import registry; list(map(registry.options, registry.NAMES)); {heavy=}"
    answer = subprocess.run(
        [sys.executable, "-c", f"{asking}; print([name for name in heavy if name in sys.modules])"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == "[]\n"


def test_settings_come_back_from_json_as_they_were(kind: JobKind[Any], here: KindsWorld) -> None:
    asked = kinds_world.example(kind.name, here)
    assert registry.reader().validate_json(asked.model_dump_json()) == asked


def test_each_setting_can_be_typed_or_says_why_not(kind: JobKind[Any]) -> None:
    leaves = {leaf.path for leaf in job_options.leaves(kind.options.settings)}
    filled = {path for option in job_options.options(kind.options) for path in option.fills}
    known = {*filled, *kind.options.left_out}
    assert [path for path in leaves if not any(path == one or path.startswith(f"{one}.") for one in known)] == []
    assert [path for path in known if not any(leaf == path or leaf.startswith(f"{path}.") for leaf in leaves)] == []
    assert all(kind.options.left_out.values())


def test_a_killed_job_goes_on_to_the_same_result(kind: JobKind[Any], here: KindsWorld) -> None:
    asked = kinds_world.example(kind.name, here)
    undisturbed = jobs_world.run(jobs_world.planned(asked, here.context), here.run)
    assert undisturbed.status == "done", undisturbed.error
    made = kinds_world.again(asked, here)
    with pytest.raises(Killed):
        jobs_world.run(made, here.run, watcher=Killer())
    assert here.context.store.job(made.job.id).status == "queued"
    stored = spec.stored(here.context.store, made.job.id)
    spec.refuse_changed(kind, stored)
    assert jobs_world.run(stored, here.run, new=False).result_hash == undisturbed.result_hash


def test_what_a_job_stores_as_asked_for_plans_the_same_job(kind: JobKind[Any], here: KindsWorld) -> None:
    made = jobs_world.planned(kinds_world.example(kind.name, here), here.context)
    for play in made.plays:
        here.context.store.save_play(play)
    asked = kind.options.settings.model_validate(json.loads(json.dumps(made.job.config["settings"])))
    assert jobs_world.planned(asked, here.context).job.config_hash == made.job.config_hash


def test_a_job_is_estimated_reported_and_listed(kind: JobKind[Any], here: KindsWorld) -> None:
    made = jobs_world.planned(kinds_world.example(kind.name, here), here.context)
    estimate = kind.estimate(made, here.run)
    assert estimate.seconds >= 0
    assert estimate.rows
    job = jobs_world.run(made, here.run)
    report = kind.report(job, here.context)
    assert report.parts
    assert html(report, job.id).startswith("<!doctype html>")
    listed = brief.brief(job)
    assert listed["markets"] or listed["columns"]
    assert kind.cost(job.config) >= 0


def test_a_kind_stands_in_the_glossary(kind: JobKind[Any]) -> None:
    assert f"| {kind.name} |" in (ROOT / "docs" / "glossary.md").read_text("utf-8")
