"""A kind of job is known in its own folder only: what it is called stands nowhere else in the program."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from cluster.jobs import registry

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = ROOT / "cluster"
ALLOWED = {
    "cluster/jobs/registry.py": set(registry.NAMES),
    "cluster/jobs/discover/plan.py": {"chaos"},  # what is searched are the trades of another kind, which the ledger keeps
    "cluster/cli/app.py": {"chaos"},  # the group of commands that look at chaos trades
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
        if "vendor" not in path.parts
        for match in re.finditer(rf"kind[^\n;]{{0,30}}[\"'](?:{kinds})[\"']", path.read_text("utf-8"))
    ]
    assert found == []


def test_kinds_do_not_import_each_other() -> None:
    found = [
        f"{name} imports {other}"
        for name in registry.NAMES
        for path in (CLUSTER / "jobs" / name).glob("*.py")
        for other in re.findall(r"cluster\.jobs\.(\w+)", path.read_text("utf-8"))
        if other in registry.NAMES and other != name
    ]
    assert found == []
