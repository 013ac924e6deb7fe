# Repatria: one way to do each thing. `make` alone says what there is.

PYTHON ?= python3
USERS  ?= 60000
WORKERS ?= 2
MINUTES ?= 60
BENCH_MB ?= 1250
BENCH_ROUNDS ?= 3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.complete
PEERS := .venv-bench
PACKAGES := repatria connectors flows bench tests

# Nothing here talks to anybody but the package index (setup) and loopback (all else).
export DO_NOT_TRACK := 1
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export PREFECT_HOME := $(CURDIR)/.world/prefect
export PYTHONUNBUFFERED := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test planted check bench soak ui down lock docs pictures browser strace postgresql clean

help: ## Say what there is
	@printf '\n  \033[1mRepatria\033[0m moves user records home, and proves it.\n\n'
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  \033[36mmake %-8s\033[0m %s\n", $$1, $$2 }' Makefile
	@printf '\n  Start with \033[1mmake demo\033[0m; then \033[1mdocs/\033[0m and \033[1mconfig/\033[0m.\n\n'

setup: $(STAMP) ## Make the virtual environment with locked dependencies (quick when nothing changed)
	@mkdir -p $(PREFECT_HOME)

$(STAMP): requirements.lock pyproject.toml hatch_build.py $(wildcard repatria/native/*.[ch] repatria/native/build.py)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Repatria needs Python 3.11 or newer, and '$(PYTHON)' is not. Name another: make setup PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "'$(PYTHON)' cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@test -x $(BIN)/python || { echo "Making $(VENV) …"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing locked dependencies …"
	@$(BIN)/python -m pip install -qq --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## Start an embedded world and migrate it, from plan to proof (USERS=60000)
	@$(BIN)/python -m flows.world.demo --users $(USERS)

test: setup browser strace postgresql check ## Check the house, then run the whole suite
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile

planted: setup postgresql ## Plant each bug that is kept, and see that the suite turns red
	@$(BIN)/python -m tests.planted

check: setup ## Lint, format, types and floors
	@$(BIN)/ruff check $(PACKAGES)
	@$(BIN)/ruff format --check $(PACKAGES)
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

bench: setup $(PEERS)/.complete ## Measure Repatria beside its peers, on 1.25 GB (BENCH_MB=1250 BENCH_ROUNDS=3)
	@$(BIN)/python -m bench all --mb $(BENCH_MB) --rounds $(BENCH_ROUNDS) --results bench/results.json

$(PEERS)/.complete: bench/requirements.lock
	@test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	@echo "Installing what Repatria is measured beside …"
	@$(PEERS)/bin/python -m pip install -qq --require-hashes -r bench/requirements.lock
	@touch $@

soak: setup strace postgresql ## Try every kind of fault hundreds of times, then an hour of all mixed (MINUTES=60)
	@$(BIN)/python -m tests.fire.soak --minutes $(MINUTES) --carry .world/soak.json --write

ui: setup ## Start a Prefect server, a worker and the deployments against the embedded world
	@$(BIN)/python -m flows.world.desk up

down: setup ## Stop what `make ui` started
	@$(BIN)/python -m flows.world.desk down

pictures: setup browser ## Take the README's pictures anew: the demo's output, and the Prefect UI
	@$(BIN)/python -m flows.world.pictures docs/pictures
	@REPATRIA_PICTURES=docs/pictures $(BIN)/python -m pytest -q tests/live/test_browser.py -k "titles"

docs: setup ## Write the generated pages anew
	@$(BIN)/python -m repatria.config.reference
	@$(BIN)/python -m flows.command.reference
	@$(BIN)/python -m flows.command.errors_page

lock: setup ## Lock the whole dependency tree with hashes (UPGRADE=--upgrade for the newest)
	@$(BIN)/uv --no-config pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' \
	  --output-file requirements.lock --quiet $(UPGRADE)
	@$(BIN)/uv --no-config pip compile bench/requirements.txt --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' \
	  --output-file bench/requirements.lock --quiet $(UPGRADE)
	@echo "requirements.lock is written; run make test before you commit it."

browser:
	@if command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1; then \
	  echo "Installed Chromium for the tests of the Prefect UI."; \
	else echo "NOT RUN for want of Chromium: the test that clicks through the Prefect UI (apt-get install chromium)."; fi

strace:
	@if command -v strace >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends strace; } >/dev/null 2>&1; then \
	  echo "Installed strace for the tests that kill at system calls."; \
	else echo "NOT RUN for want of strace: the tests that kill at system calls (apt-get install strace)."; fi

postgresql:
	@if ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql; } >/dev/null 2>&1; then \
	  echo "Installed PostgreSQL for the tests of the ledger on it."; \
	else echo "NOT RUN for want of PostgreSQL: the tests of the ledger on it (apt-get install postgresql)."; fi

clean: ## Remove the virtual environment, caches and the embedded world
	@rm -rf $(VENV) $(PEERS) .world .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find $(PACKAGES) -name __pycache__ -type d -prune -exec rm -rf {} +
