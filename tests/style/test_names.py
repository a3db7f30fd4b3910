"""A public class has a name of its own in the whole tree, so that a reader, a search and an import find one thing."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for folder in ("coinswarm", "cluster") for path in (ROOT / folder).rglob("*.py"))


def classes() -> dict[str, list[str]]:
    """Each public class's name with the modules that define one."""
    homes = defaultdict[str, list[str]](list)
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(str(path.relative_to(ROOT)))
    return dict(homes)


def renamed_modules() -> list[str]:
    """Where a module of the project is imported under another name."""
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in ("coinswarm", "cluster"):
                found += [f"{path.relative_to(ROOT)}: {name.name} as {name.asname}" for name in node.names if _renamed(node.module, name)]
    return found


def _renamed(package: str, name: ast.alias) -> bool:
    target = ROOT / package.replace(".", "/") / name.name
    return name.asname not in (None, name.name) and (target.with_suffix(".py").exists() or target.is_dir())


def test_a_public_class_name_exists_once() -> None:
    assert {name: homes for name, homes in classes().items() if len(homes) > 1} == {}


def test_a_module_keeps_its_name_where_it_is_imported() -> None:
    assert renamed_modules() == []
