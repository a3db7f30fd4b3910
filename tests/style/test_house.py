"""Conventions that no tool has: a bare njit, a kernel without a twin, a print, the environment read in two places, and the like."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*(ROOT / "coinswarm").rglob("*.py"), *(ROOT / "cluster").rglob("*.py")])
TESTS = sorted((ROOT / "tests").rglob("*.py"))
FORBIDDEN_NAMES = {"utils", "helpers", "base", "manager", "misc", "common"}
# indicators share the shapes of `catalog.Compute`, kernels those of their wrappers
PUBLIC = [path for path in SOURCES if path.parent.name not in {"indicators", "kernels"} and "coinswarm" in path.relative_to(ROOT).parts]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            yield node


def decorators(node: ast.FunctionDef) -> set[str]:
    return {ast.unparse(item) for item in node.decorator_list}


def test_no_module_is_longer_than_a_person_reads() -> None:
    assert [name_of(path) for path in SOURCES if path.read_text().count("\n") > 500] == []


def test_no_function_is_longer_than_a_screen() -> None:
    long = [(name_of(path), node.name) for path in SOURCES for node in functions(path) if (node.end_lineno or 0) - node.lineno >= 70]
    assert long == []


def test_a_module_opens_with_a_sentence_and_has_a_name_that_says_something() -> None:
    silent = [name_of(path) for path in SOURCES if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []
    assert [name_of(path) for path in SOURCES if path.stem in FORBIDDEN_NAMES] == []


def test_no_source_imports_what_a_notebook_has_in_the_place_of_a_package() -> None:
    functions = {"backtest", "chaos", "evolve"}  # packages too, and their content is imported from their modules: docs/decisions/0005
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "coinswarm":
                assert not functions & {alias.name for alias in node.names}, f"{name_of(path)}:{node.lineno}"


def test_nothing_prints() -> None:
    calls = [(name_of(path), node.lineno) for path in SOURCES for node in ast.walk(ast.parse(path.read_text())) if _prints(node)]
    assert calls == []


def _prints(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"


def test_only_the_settings_read_the_environment() -> None:
    reads = [name_of(path) for path in SOURCES if re.search(r"os\.(environ|getenv)", path.read_text())]
    assert reads in ([], ["cluster/machine.py"])


def test_kernels_wear_the_projects_decorators_only() -> None:
    bare = [name_of(path) for path in SOURCES if path.name != "jit.py" and re.search(r"\bnjit\b|numba\.jit", path.read_text())]
    assert bare == []


def test_every_public_kernel_has_a_slow_twin_of_its_name_that_tests_compare_it_with() -> None:
    # kernels that are inlined are parts of these
    tests = "\n".join(path.read_text() for path in TESTS if path.stem.startswith("test_"))
    for path in SOURCES:
        of_indicators = path.stem in {"indicators_recursive", "indicators_rolling", "structures"}
        twins = ROOT / "tests" / "oracles" / f"naive_{'indicators' if of_indicators else path.stem}.py"
        for node in functions(path):
            if decorators(node) & {"kernel", "view_kernel", "summing_kernel"} and not node.name.startswith("_"):
                named = twins.exists() and node.name in names_of(twins)
                assert named, f"{name_of(path)}: {node.name} has no twin in {name_of(twins)}"
                compared = all(re.search(rf"\b{module}\.{node.name}\(", tests) for module in (path.stem, twins.stem))
                assert compared, f"{name_of(path)}: no test compares {node.name} with its twin"


def names_of(path: Path) -> set[str]:
    """Functions of a module, and other names that it gives them."""
    body = ast.parse(path.read_text()).body
    given = {target.id for node in body if isinstance(node, ast.Assign) for target in node.targets if isinstance(target, ast.Name)}
    return given | {node.name for node in body if isinstance(node, ast.FunctionDef)}


def test_a_twin_calls_no_kernel() -> None:
    allowed = {"from coinswarm.kernels.subgroups import Coded"}  # a record, and `codes` are numbers
    for path in TESTS:
        if path.stem.startswith("naive_"):
            lines = [line.strip() for line in path.read_text().splitlines() if re.match(r"\s*(from|import)\b.*\bkernels\b", line)]
            assert [line for line in lines if line not in allowed and ".kernels.codes import" not in line] == [], name_of(path)


def test_kernels_raise_nothing() -> None:
    for path in (ROOT / "coinswarm" / "kernels").glob("*.py"):
        assert not [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Raise)], name_of(path)


_DIMENSION = r"\w+(?: [*+/-] \w+)*"
SHAPE = re.compile(rf"\((?=[^)]*\bn(?:_\w+)?\b)(?:{_DIMENSION},|{_DIMENSION}(?:, {_DIMENSION})+)\)")
"""Dimensions in parentheses as Python writes a tuple, one of them `n` or `n_…`: `(n_bars,)`, `(4, n)`, `(n, width + 2)`."""
ENTRY = re.compile(r"^    ([\w, *]+):(.*(?:\n        .*)*)", re.MULTILINE)
"""An entry of a docstring's list of arguments: names and text."""


def test_public_functions_that_take_arrays_give_their_shapes() -> None:
    public = [
        (name_of(path), node)
        for path in PUBLIC
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]
    assert [(name, node.name, arrays) for name, node in public if (arrays := without_shape(node))] == []


def without_shape(node: ast.FunctionDef) -> list[str]:
    """Arrays among a function's arguments whose entry says no shape; where arguments have no list, the docstring says one."""
    arguments = (*node.args.args, *node.args.kwonlyargs)
    arrays = [argument.arg for argument in arguments if argument.annotation and "Array" in ast.unparse(argument.annotation)]
    before, listed, after = (ast.get_docstring(node) or "").partition("Args:\n")
    texts = {name.strip(" *"): text for names, text in ENTRY.findall(after.partition("\n\n")[0]) for name in names.split(",")}
    return [array for array in arrays if not SHAPE.search(texts.get(array, "") if listed else before)]


def test_tests_patch_nothing() -> None:
    patching = [name_of(path) for path in TESTS if re.search(r"mock\.patch|monkeypatch\.setattr", path.read_text())]
    assert patching == []


def test_no_tracked_text_names_a_machine_or_a_registry() -> None:
    pattern = re.compile("|".join(["/" + "work/", "/" + "root/", "python" + "hosted", "registry" + r"\.npmjs"]))
    folders = ["coinswarm", "cluster", "plays", "migrations", "docs", "tests"]
    texts = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".md", ".yml", ".toml", ".txt"}]
    texts += [path for path in ROOT.glob("*") if path.suffix in {".md", ".toml", ".txt"} or path.name == "Makefile"]
    assert [name_of(path) for path in texts if pattern.search(path.read_text())] == []
