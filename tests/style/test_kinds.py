"""A kind of job is known in its own folder only: what it is called stands nowhere else in the program."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

from cluster.jobs import registry

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = ROOT / "cluster"
ALLOWED = {
    "cluster/jobs/registry.py": set(registry.NAMES),
    # what is searched are the trades that jobs of another kind left in the ledger, and patterns say that they are of such trades
    "cluster/jobs/discover/plan.py": {"chaos"},
    "cluster/jobs/discover/stages.py": {"chaos"},
    "cluster/queries/patterns.py": {"chaos"},
    "cluster/cli/patterns.py": {"chaos", "discover"},
    # words that are something else: a group of commands, a subcommand, a pipeline of the benchmark, rules of gates, a view of the database
    "cluster/cli/app.py": {"chaos"},
    "cluster/cli/bars.py": {"fetch"},
    "cluster/cli/gates.py": {"rules"},
    "cluster/jobs/honesty/page.py": {"evolve"},
    "cluster/jobs/honesty/plan.py": {"evolve"},
    "cluster/jobs/honesty/settings.py": {"evolve"},
    "cluster/jobs/honesty/stages.py": {"evolve"},
    "cluster/jobs/honesty/work.py": {"evolve"},
    "cluster/store/inventory.py": {"chaos"},
}
"""Words that a file may say although a kind is called so, each for its reason."""


def names_in(path: Path) -> set[str]:
    """Kinds that a Python file names in its strings, docstrings left out."""
    tree = ast.parse(path.read_text("utf-8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value in registry.NAMES}


def test_no_python_file_names_a_kind_outside_of_its_folder() -> None:
    found = {
        (name, word)
        for path in CLUSTER.rglob("*.py")
        if (name := path.relative_to(ROOT).as_posix())
        for word in names_in(path)
        if f"cluster/jobs/{word}/" not in name and word not in ALLOWED.get(name, set())
    }
    assert found == set()


def test_no_script_of_the_page_names_a_kind() -> None:
    kinds = "|".join(registry.NAMES)
    found = [
        f"{path.name}: {match[0]}"
        for path in (CLUSTER / "web").rglob("*.js")
        if path.parent.name != "kinds"
        for match in re.finditer(rf"kind[^\n;]{{0,30}}[\"'](?:{kinds})[\"']", path.read_text("utf-8"))
    ]
    assert found == []


def test_the_contract_that_keeps_kinds_from_importing_each_other_lists_every_kind() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    strangers = next(contract for contract in contracts if contract["type"] == "independence")
    assert set(strangers["modules"]) == {f"cluster.jobs.{name}" for name in registry.NAMES}


def test_each_module_of_the_page_for_one_kind_is_called_as_a_kind() -> None:
    assert {path.stem for path in (CLUSTER / "web" / "kinds").glob("*.js")} <= set(registry.NAMES)


def test_no_allowance_is_left_that_nothing_needs() -> None:
    assert {name: words - names_in(ROOT / name) for name, words in ALLOWED.items() if words - names_in(ROOT / name)} == {}
