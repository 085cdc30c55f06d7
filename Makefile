# `make` alone prints the targets. PORT= and DATA= say where `serve` and `demo` listen and keep their city.
PORT ?= 8000
DATA ?=
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest
AT := $(if $(DATA),--data $(DATA))
export PYTHONPATH :=

LOCK := uv pip compile --universal --generate-hashes --no-header --no-emit-index-url --no-annotate --quiet

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test check types rules live bench lock clean

help: ## print this help
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/ready ## install what serving needs into .venv (again only when something changed)

.venv/ready: requirements.txt pyproject.toml Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Parvis needs Python 3.11 or newer: make PYTHON=python3.11")'
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv >/dev/null 2>&1 || $(MAKE) --no-print-directory venv-without-ensurepip
	$(PIP) --require-hashes -r requirements.txt
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: .venv/ready requirements-dev.txt
	$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@

# What npm brings, by the node of a wheel: axe-core for the tests in a browser, the clients masto and megalodon,
# and Fedify, with which a server is made that other people wrote.
.venv/npm: .venv/dev package-lock.json
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm ci --silent --no-audit --no-fund --ignore-scripts
	@touch $@

# What the tests in a browser want beside it: Debian's chromium.
.venv/browser: .venv/npm
	@test -x "$${PARVIS_TEST_CHROMIUM:-/usr/bin/chromium}" || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	    && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y chromium >/dev/null; } \
	    || { echo "The tests in a browser want Debian's chromium: install it, or say PARVIS_TEST_CHROMIUM=PATH." >&2; exit 1; }
	@touch $@

# A Debian without python3-venv has no ensurepip: borrow the system's pip, or let apt bring the package.
.PHONY: venv-without-ensurepip
venv-without-ensurepip:
	@rm -rf .venv
	@if $(PYTHON) -m pip --version >/dev/null 2>&1; then \
	    $(PYTHON) -m venv --without-pip .venv && $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	    apt-get update -qq && apt-get install -qq -y python3-venv >/dev/null && $(PYTHON) -m venv .venv; \
	else \
	    echo "This python3 brings neither ensurepip nor pip; install python3-venv and say make again." >&2; exit 1; \
	fi

demo: setup ## serve a seeded demonstration city at http://localhost:$(PORT)
	$(BIN)/parvis demo --port $(PORT) $(AT)

serve: setup ## serve your own city at http://localhost:$(PORT)
	$(BIN)/parvis serve --port $(PORT) --origin http://localhost:$(PORT) $(AT)

check: .venv/dev ## ruff, mypy, import-linter, the SQL check, unit and db tests: under a minute
	$(BIN)/ruff check
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory -j 2 -O types rules

types:
	$(BIN)/mypy

rules:
	$(PYTEST) tests/unit tests/db -n 3 --dist worksteal

test: .venv/browser ## every test, the live scenarios included
	@echo "Bad input is tried on:"; $(BIN)/python -c 'from parvis.api.operations import OPERATIONS; print(*(row.name for row in OPERATIONS), sep="\n")'
	$(PYTEST) tests -n 2 --dist worksteal --ignore tests/live
	$(MAKE) --no-print-directory live
	@echo "All tests passed."

live: .venv/npm ## real servers, real apps: two cities, Fedify, the rule cycle, kill -9, toot, Mastodon.py, masto, megalodon
	$(BIN)/python tests/live/all.py

bench: .venv/dev ## one city, and what passes between servers, beside their floors (wants wrk)
	$(BIN)/python bench/city.py
	$(BIN)/python bench/servers.py

lock: setup ## resolve both requirements files anew (the only target that wants uv: pip install uv)
	$(LOCK) --group build -o requirements.txt pyproject.toml
	$(LOCK) --group build --group dev -o requirements-dev.txt pyproject.toml

clean: ## remove what was made, but no city's data
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
