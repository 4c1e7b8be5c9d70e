# `make run` and `make test` are all that a fresh Debian with Python 3.11 needs; `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# make run DATA=/srv/homeroom ARGS="--port 9000";  make test ARGS="tests/unit -k hours"
PYTHON ?= $(shell command -v python3.11 || command -v python3)
DATA ?= data
ARGS ?=
# Worker processes of `make test`, one more than cores: many tests wait for media to be played.
# JOBS=0 runs all in one, where a debugger and -s work.
JOBS ?= 3

VENV := .venv
BIN := $(VENV)/bin
# A file belongs to one worker, which starts its servers and its browser once; tests/conftest.py
# says which files come first.
PYTEST := $(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder
USUAL := not (matrix or soak)
# How pytest ends where ARGS choose no test of one of the two parts of `make test`.
NO_TESTS := 5
# Both stamps are newer than what they were made from, so a second call installs nothing.
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check
# The wheel of Biome is for Linux on x86-64; elsewhere `make BIOME=biome` uses the one on your PATH.
BIOME ?= $(BIN)/biome
INSTALL_US := $(INSTALL) --no-deps --no-build-isolation --editable .
LOCK := $(BIN)/uv pip compile --quiet --no-config --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make lock" pyproject.toml

.PHONY: help
help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- Running and testing ----------------------------------------------------------------------

.PHONY: setup
setup: $(DEV) ## Install what development needs into .venv

.PHONY: run
run: $(RUNTIME) ## Serve a demo school with its sandbox, data in ./data
	@exec $(BIN)/homeroom serve --demo --sandbox --data "$(DATA)" $(ARGS)

.PHONY: test
test: $(DEV) ## Run every test but the soak, on SQLite and on a PostgreSQL of its own
	@scripts/machine.sh tests
	$(PYTEST) -m "$(USUAL) and not alone" $(ARGS) || [ $$? = $(NO_TESTS) ]
	$(BIN)/pytest -m "$(USUAL) and alone" $(ARGS) || [ $$? = $(NO_TESTS) ]

.PHONY: test-fast
test-fast: $(DEV) ## Run the tests of rules and of the architecture, in under a minute
	$(PYTEST) tests/unit tests/architecture $(ARGS)

.PHONY: matrix
matrix: $(DEV) ## Run the cases that `make test` leaves out: HTTP tests on PostgreSQL, all encoders
	@scripts/machine.sh tests
	@scripts/machine.sh encoders
	$(BIN)/pytest -n 2 --dist loadgroup -m matrix $(ARGS)

.PHONY: soak
soak: $(DEV) ## Run the long tests: kills under load, a hundred thousand fuzzed requests
	@scripts/machine.sh tests
	$(BIN)/pytest -m soak $(ARGS)

.PHONY: bench
bench: $(DEV) ## Measure the partner API beside a thin and a tutorial server, on both engines
	@scripts/machine.sh tests
	@scripts/machine.sh bench
	$(BIN)/python -m bench $(ARGS)

.PHONY: bench-live
bench-live: $(DEV) ## Measure streams beside nginx-rtmp and node-media-server, chat and pages
	@scripts/machine.sh tests
	$(BIN)/python -m bench.live $(ARGS)

.PHONY: bench-messages
bench-messages: $(DEV) ## Measure messages beside a thin sender and a task queue, on both engines
	@scripts/machine.sh tests
	$(BIN)/python -m bench.messages $(ARGS)

# --- Checking ---------------------------------------------------------------------------------

# The longest first: mypy takes half of the time.
CHECKS := types language sources docs-check imports web-check lint format-check

.PHONY: check
check: $(DEV) ## Check code, pages, imports, words and docs
	@$(MAKE) -j 2 --output-sync=target $(CHECKS)

.PHONY: $(CHECKS)
format-check: $(DEV)
	$(BIN)/ruff format --check --output-format concise
lint: $(DEV)
	$(BIN)/ruff check --output-format concise
web-check: $(DEV)
	$(BIOME) check --error-on-warnings
types: $(DEV)
	$(BIN)/mypy
imports: $(DEV)
	$(BIN)/lint-imports --no-logo
sources: $(DEV)
	$(BIN)/python scripts/check_sources.py
language: $(DEV)
	$(BIN)/python scripts/check_language.py
docs-check: $(DEV)
	$(BIN)/python scripts/make_docs.py --check

.PHONY: fix
fix: $(DEV) ## Format, and mend what the linter can mend
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format
	$(BIOME) check --write

.PHONY: docs
docs: $(DEV) ## Write the generated pages of docs/reference
	$(BIN)/python scripts/make_docs.py

# --- Keeping house ----------------------------------------------------------------------------

.PHONY: hooks
hooks: $(DEV) ## Have git run the quick checks before each commit
	$(BIN)/pre-commit install

.PHONY: lock
lock: $(DEV) ## Pin the newest versions that pyproject.toml allows, with hashes
	$(LOCK) --upgrade --extra browser --group build --output-file requirements/runtime.txt
	$(LOCK) --upgrade --extra browser --group build --group dev --group bench \
		--constraints requirements/runtime.txt --output-file requirements/dev.txt

.PHONY: clean
clean: ## Remove .venv and all caches; data stays
	rm -rf $(VENV) .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache dist

# --- The virtual environment ------------------------------------------------------------------

$(BIN)/python:
	@scripts/machine.sh venv "$(PYTHON)" $(VENV)

$(RUNTIME): requirements/runtime.txt pyproject.toml | $(BIN)/python
	@echo "Installing what Homeroom needs to run ..."
	@$(INSTALL) --require-hashes -r requirements/runtime.txt
	@$(INSTALL_US)
	@touch $@

# The development lock holds the runtime's versions too, so the runtime stamp is made with it.
$(DEV): requirements/dev.txt pyproject.toml | $(BIN)/python
	@echo "Installing what development needs ..."
	@$(INSTALL) --require-hashes -r requirements/dev.txt
	@$(INSTALL_US)
	@touch $@ $(RUNTIME)
