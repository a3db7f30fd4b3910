"""The notebook of the docs shows what its cells show when they are run."""

from __future__ import annotations

import copy
import importlib.util
import json
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_notebook_shows_what_its_cells_show() -> None:
    spec = importlib.util.spec_from_file_location("run_notebook", DOCS / "run_notebook.py")
    assert spec is not None
    assert spec.loader is not None
    runner = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(runner)
    stored = json.loads((DOCS / "notebook.ipynb").read_text("utf-8"))
    assert all(cell["outputs"] for cell in stored["cells"] if cell["cell_type"] == "code")
    assert runner.run(copy.deepcopy(stored)) == stored
