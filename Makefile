# `make` alone prints the targets. PORT= and DATA= say where `serve` and `demo` listen and keep their city.
PORT ?= 8000
DATA ?=
PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
AT := $(if $(DATA),--data $(DATA))
export PYTHONPATH :=

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test check unit db live bench lock clean

help: ## print this help
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/ready ## install everything into .venv (again only when something changed)

.venv/ready: requirements.txt pyproject.toml Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Parvis needs Python 3.11 or newer: make PYTHON=python3.11")'
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv >/dev/null 2>&1 || $(MAKE) --no-print-directory venv-without-ensurepip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
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

check: setup ## ruff, mypy, import-linter, the SQL check, unit and db tests: under a minute
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST) tests/unit tests/db -n 2

test: setup ## every test, the live scenarios included
	$(PYTEST) tests -n 2 --ignore tests/live
	$(MAKE) --no-print-directory live
	@echo "All tests passed."

live: setup ## real servers, real apps: two cities, the rule cycle, kill -9, toot and Mastodon.py
	$(BIN)/python tests/live/all.py

bench: setup ## rows per second and waiting times of one city
	$(BIN)/python bench/city.py

lock: setup ## resolve requirements.txt anew (the only target that wants uv: pip install uv)
	echo hatchling | uv pip compile --universal --generate-hashes --no-header --no-emit-index-url --quiet --upgrade \
	    --group dev pyproject.toml - -o requirements.txt

clean: ## remove what was made, but no city's data
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
