# Targets call each other as needed: `make run` on a bare machine sets everything up first. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TEST = $(BIN)/python -m pytest -q -m "not slow"
# Warnings are errors, and `--quiet` would hide them: a link to nowhere, a file that a page names and that is not there, a docstring that cannot be read.
SITE = NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
STAMP := $(VENV)/.ready
PLAY ?= plays/examples/trend_pullback.yml
BARS ?=
POPULATION ?= 200
GENERATIONS ?= 20
SEED ?= 0
WORLDS ?= 400
PLANTED ?= 50
FAULTS ?= 100
MINUTES ?= 60
# Kernels are compiled once and shared by commands, workers and tests.
export NUMBA_CACHE_DIR ?= $(if $(COINSWARM_HOME),$(COINSWARM_HOME),$(HOME)/.coinswarm)/numba

WORKERS ?= 1
COMPOSE ?= docker compose

.PHONY: help setup run test unit integration acceptance strangers check docs honesty peers bench drills steady thorough installed format lock up down pictures clean

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

setup: $(STAMP) ## the environment in .venv, kernels compiled

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	$(BIN)/coinswarm doctor --warm
	touch $(STAMP)

run: setup ## candles, a search, its winners and a report; BARS='FILE …' for your own candles
	$(BIN)/coinswarm demo $(PLAY) $(foreach file,$(BARS),--bars $(file)) --population $(POPULATION) --generations $(GENERATIONS) --seed $(SEED)

# Kinds of tests run apart: what one leaves in its process, such as where a cluster's token is, is not met by another.
test: unit integration acceptance strangers ## every test but the slow ones

unit: setup ## tests of single modules, laws and oracles: no cluster, no browser
	$(TEST) --numprocesses 2 tests/unit tests/laws tests/oracles --ignore tests/laws/test_executors.py

integration: setup ## tests with Ray, PostgreSQL, servers and a browser
	$(TEST) --numprocesses 2 --dist loadfile tests/integration tests/laws/test_executors.py

acceptance: setup ## the installed command, as a user runs it
	$(TEST) tests/acceptance

strangers: setup ## what went wrong for strangers
	$(TEST) --numprocesses 2 --dist loadfile tests/strangers

check: setup ## linters, types, directions of imports, house style, pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(if $(wildcard tests/style/test_*.py),$(BIN)/python -m pytest -q tests/style)
	folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && $(SITE) --site-dir "$$folder"

docs: setup ## the pages of docs/ as a site in `site`
	$(SITE)

# Peers are installed for this and for the tests that hold the engine against them; nothing else needs them.
peers: setup ## the libraries that the engine is compared with
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,peers]'

bench: peers ## speed, beside the peers
	$(BIN)/python -m pytest -q tests/oracles -k "peer or pymoo" -m "slow or not slow"
	$(BIN)/python -m tests.benchmarks.run
	$(BIN)/python -m pytest -q tests/benchmarks/bench_*.py tests/benchmarks/test_*.py --override-ini 'norecursedirs=.* build dist' --benchmark-only

# About an hour and a half, and an hour; docs/drills.md says what both found. FAULTS=25 for less.
drills: setup ## processes killed, stopped and started twice at random under jobs of every kind; FAULTS=N
	$(BIN)/python -m tests.drills.run --faults $(FAULTS) --seed $(SEED) --out drills.json

steady: setup ## an hour of small jobs: whether memory, handles, connections and logs stay flat; MINUTES=N
	$(BIN)/python -m tests.drills.steady --minutes $(MINUTES) --out steady.json

# The laws on thousands of drawn plays, and the repeats that take minutes.
thorough: setup ## the laws on thousands of drawn plays, and slow tests of laws
	HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest -q tests/laws -m "slow or not slow"

# The wheel with its own requirements in an empty home, linked and downloaded: what users have. Minutes.
installed: setup ## the wheel alone, as users install it
	$(BIN)/python -m pytest -q tests/strangers/test_an_installed_program_cannot_search.py -m "slow or not slow"

# Names, versions and hashes of what the image installs; asks the package index.
lock: setup ## the lock files of the image, after a change of requirements or constraints
	$(BIN)/python cluster/launch/lock.py

# A whole cluster on this server; the password is made once and never leaves .secrets. Accounts in containers read its files; of this machine's
# accounts only the owner enters the folder.
up: .secrets/database_url .secrets/ray_token ## a whole cluster in containers; WORKERS=N
	sh cluster/launch/images.sh
	chmod 644 .secrets/*
	$(COMPOSE) up --detach --build --wait --scale worker=$(WORKERS)
	$(COMPOSE) exec control cat /data/owner.token
	@echo "open http://localhost:8321 and enter the token above; the Ray dashboard is at http://localhost:8265 (.secrets/ray_token)"

down: ## stop those containers
	$(COMPOSE) down

.secrets/database_url:
	mkdir -p -m 700 .secrets
	umask 022 && openssl rand -hex 24 > .secrets/database_password
	umask 022 && printf 'postgresql://coinswarm:%s@postgres:5432/coinswarm\n' "$$(cat .secrets/database_password)" > $@

# What nodes of a Ray cluster show each other.
.secrets/ray_token:
	mkdir -p -m 700 .secrets
	umask 022 && openssl rand -hex 32 > $@

# The pipelines on worlds where there is nothing and on planted ones; docs/honesty.md is written from it. BARS: real candles to be like.
honesty: LIKE = $(foreach file,$(BARS),--like $(file))
honesty: setup ## what is promoted where there is nothing; docs/honesty.md
	$(BIN)/coinswarm honesty --families N0,N1,N2,N3,N3d --worlds $(WORLDS) --seed $(SEED) $(LIKE)
	$(BIN)/coinswarm honesty --pipeline evolve --families N0,N1,N2,N3 --worlds $(WORLDS) --seed $(SEED) $(LIKE)
	$(BIN)/coinswarm honesty --families dying,below-cost,losing-winners,look-ahead --worlds $(PLANTED) --seed $(SEED) $(LIKE)
	$(BIN)/coinswarm honesty --planted --worlds $(PLANTED) --seed $(SEED)
	$(BIN)/coinswarm honesty --pipeline evolve --planted --worlds $(PLANTED) --seed $(SEED)
	$(BIN)/coinswarm honesty page --out docs/honesty.md

# What docs/pictures shows: the page, of a search that is run for it, in a Chromium of this machine.
pictures: setup ## the pictures of docs/pictures
	$(BIN)/python -m tests.integration.page_pictures

format: setup ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove what was built
	rm -rf $(VENV) build dist site .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
