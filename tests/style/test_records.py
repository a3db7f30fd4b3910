"""Records are frozen and have slots: a misspelled field is an error, and a million of them take no dictionaries."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "coinswarm").rglob("*.py"))


def records(tree: ast.AST) -> Iterator[tuple[ast.ClassDef, str]]:
    """Each frozen dataclass with its decorator."""
    for node in ast.walk(tree):
        for decorator in node.decorator_list if isinstance(node, ast.ClassDef) else ():
            if isinstance(node, ast.ClassDef) and (text := ast.unparse(decorator)).startswith("dataclass(") and "frozen=True" in text:
                yield node, text


def caches(node: ast.ClassDef) -> bool:
    """Whether a class keeps a property once it is computed: `functools.cached_property` writes into the instance's dictionary."""
    methods = [method for method in node.body if isinstance(method, ast.FunctionDef)]
    return any(ast.unparse(decorator) == "cached_property" for method in methods for decorator in method.decorator_list)


def without_slots(text: str) -> list[str]:
    """The frozen dataclasses of a source that have no slots although they cache nothing."""
    return [node.name for node, decorator in records(ast.parse(text)) if "slots=True" not in decorator and not caches(node)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_records_have_slots(path: Path) -> None:
    assert without_slots(path.read_text()) == []


def test_a_record_without_slots_is_found_unless_it_caches_a_property() -> None:
    caching = "@dataclass(frozen=True)\nclass Space:\n    @cached_property\n    def size(self): ..."
    assert without_slots("@dataclass(frozen=True)\nclass Bar: ...") == ["Bar"]
    assert without_slots(caching) == without_slots("@dataclass(frozen=True, slots=True)\nclass Bar: ...") == []
