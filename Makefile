# Targets call each other as needed: `make run` on a bare machine sets everything up first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
PLAY ?= plays/examples/trend_pullback.yml
BARS ?=
POPULATION ?= 200
GENERATIONS ?= 20
SEED ?= 0
# Kernels are compiled once and shared by commands, workers and tests.
export NUMBA_CACHE_DIR ?= $(if $(COINSWARM_HOME),$(COINSWARM_HOME),$(HOME)/.coinswarm)/numba

.PHONY: setup run test check bench format clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	$(BIN)/coinswarm doctor --warm
	touch $(STAMP)

run: setup
	$(BIN)/coinswarm demo $(PLAY) $(foreach file,$(BARS),--bars $(file)) --population $(POPULATION) --generations $(GENERATIONS) --seed $(SEED)

test: setup
	$(BIN)/python -m pytest -q -m "not slow"

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(if $(wildcard tests/style/test_*.py),$(BIN)/python -m pytest -q tests/style)

bench: setup
	$(BIN)/python -m pytest -q tests/benchmarks --override-ini norecursedirs= --benchmark-only

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
