"""What the program imports is what its wheel asks for: a package that only developers have would fail on every other machine."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
OURS = {"coinswarm", "cluster"}
SOURCES = sorted(path for folder in (*OURS, "migrations") for path in (ROOT / folder).rglob("*.py"))


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {canonical(Requirement(text).name) for text in project["dependencies"]}


@cache
def importable() -> set[str]:
    """The first parts of the modules that the declared distributions bring."""
    files = [file for name in declared() for file in distribution(name).files or []]
    return {file.parts[0].removesuffix(".py") for file in files}


def imported(tree: ast.AST) -> Iterator[str]:
    """The first part of every module that is imported, at the top or inside a function, by a statement or by name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.Call) and _called(node) in {"import_module", "__import__"}:
            yield from _literal(node).partition(".")[:1]


def versions(tree: ast.AST) -> Iterator[str]:
    """The distributions whose version is asked for by a literal name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) in {"version", "installed"} and _literal(node):
            yield _literal(node)


def _called(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def _literal(call: ast.Call) -> str:
    first = call.args[0] if call.args else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""


def undeclared(text: str) -> set[str]:
    """What a source imports or asks the version of that the wheel does not ask for."""
    tree = ast.parse(text)
    names = {name for name in imported(tree) if name and name not in sys.stdlib_module_names | OURS}
    return (names - importable()) | {name for name in versions(tree) if canonical(name) not in declared() | OURS}


def test_every_import_is_declared() -> None:
    found = {str(path.relative_to(ROOT)): names for path in SOURCES if (names := undeclared(path.read_text()))}
    assert found == {}


def test_an_import_of_a_development_package_is_found_wherever_it_stands() -> None:
    assert undeclared("import numpy, yaml\nimport json") == set()
    assert undeclared("def late():\n    from deap import tools\n    import pytest") == {"deap", "pytest"}
    assert undeclared("importlib.import_module('ribs.archives')") == {"ribs"}
    assert undeclared("version('deap')") == {"deap"}


def test_the_versions_kept_with_a_job_are_of_declared_packages() -> None:
    from cluster import version
    from cluster.cli import doctor
    from cluster.compute.ray import nodes

    asked = {canonical(name) for name in (*version._NUMERIC, *doctor._PACKAGES, *doctor._NEEDED, *nodes._PACKAGES)}
    assert asked - {"coinswarm"} <= declared()


def test_the_image_installs_what_the_wheel_asks_for() -> None:
    text = (ROOT / "cluster" / "launch" / "Dockerfile").read_text()
    installs = [words.split() for words in re.findall(r"pip install (.+)", text)]
    (ours,) = [words for words in installs if "--require-hashes" not in words]
    assert ours[-1] == "."  # no extras: developers' packages do not hide what the wheel forgets to ask for
    assert "--no-index" in ours  # so that what its lock forgets is missed here
    assert not [words for words in installs if "--no-deps" in words]
