"""Runs the cells of `docs/notebook.ipynb` and writes what they show into it: `python docs/run_notebook.py`.

A cell is run as Jupyter runs it: the value of its last expression is shown, as HTML where it has some. No Jupyter is needed.
"""

from __future__ import annotations

import ast
import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

NOTEBOOK = Path(__file__).with_name("notebook.ipynb")


def run(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook with the outputs of its cells, run in their order."""
    names: dict[str, Any] = {}
    cells = []
    for number, cell in enumerate(notebook["cells"], start=1):
        if cell["cell_type"] == "code":
            cell |= {"execution_count": number, "outputs": _outputs("".join(cell["source"]), names, number)}
        cells.append(cell)
    return notebook | {"cells": cells}


def _outputs(source: str, names: dict[str, Any], number: int) -> list[dict[str, Any]]:
    tree = ast.parse(source)
    last = ast.Expression(tree.body.pop().value) if isinstance(tree.body[-1], ast.Expr) else None
    with redirect_stdout(io.StringIO()) as printed:
        exec(compile(tree, f"<cell {number}>", "exec"), names)  # noqa: S102 - the cells of this repository
        value = None if last is None else eval(compile(last, f"<cell {number}>", "eval"), names)  # noqa: S307
    stream = [{"output_type": "stream", "name": "stdout", "text": _lines(printed.getvalue())}] if printed.getvalue() else []
    return stream if value is None else [*stream, _shown(value, number)]


def _shown(value: Any, number: int) -> dict[str, Any]:
    forms = {"text/plain": _lines(repr(value))}
    if hasattr(value, "_repr_html_"):
        forms["text/html"] = _lines(value._repr_html_())
    return {"output_type": "execute_result", "execution_count": number, "metadata": {}, "data": forms}


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def written(notebook: dict[str, Any]) -> str:
    """The text of its file."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    NOTEBOOK.write_text(written(run(json.loads(NOTEBOOK.read_text("utf-8")))), "utf-8")
