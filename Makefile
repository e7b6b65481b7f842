# SPDX-License-Identifier: MIT
# Every target works on a fresh checkout: it makes .venv first when that is missing or out of date.
# Needs Python 3.11 or newer and make, nothing else.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
VM31   := build/vm31/.tried
JOBS   ?= 2
SOURCES := host_tools hil tests firmware boards

.DEFAULT_GOAL := help
.PHONY: help setup demo sim test check format docs bench bench-lom bench-grid clean

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'

setup: $(STAMP) ## Make .venv with everything pinned in pyproject.toml

$(STAMP): pyproject.toml
	@test -n "$(PYTHON)" || { echo "backfeed: no python3 found; install Python 3.11 or newer"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "backfeed: $(PYTHON) is older than 3.11; call make PYTHON=/path/to/python3.11"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@command -v node >/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[node]'
	@touch $@

# The 31-bit VM comes from npm. Where it cannot be installed, its tests skip and say why.
$(VM31): $(STAMP) host_tools/backfeed/vm31/package-lock.json
	@mkdir -p $(@D)
	@$(BIN)/python -m backfeed.vm31 || echo "backfeed: tests on the 31-bit VM will skip"
	@touch $@

demo: $(STAMP) ## Run the whole firmware through 20 virtual minutes; writes build/demo/report.html
	@$(BIN)/backfeed demo

sim: $(STAMP) ## Keep a virtual board running in real time; Ctrl-C ends it
	@$(BIN)/backfeed sim

test: $(STAMP) $(VM31) ## Run all tests, on CPython and on MicroPython
	@mkdir -p build/test
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --junitxml build/test/junit.xml

check: $(STAMP) ## Lint, formatting, spelling and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy

format: $(STAMP) ## Put the sources into the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(STAMP) ## Renew docs/points.md and the verbs of docs/console.md
	@$(BIN)/backfeed points --docs

bench: $(STAMP) $(VM31) ## Measure speed, allocation and size; writes build/bench/bench.json
	@$(BIN)/backfeed bench

bench-lom: $(STAMP) ## Measure loss of mains alone; writes build/bench/lom.html
	@$(BIN)/backfeed bench lom

bench-grid: $(STAMP) ## Measure grid protection alone; writes build/evidence/evidence.html
	@$(BIN)/backfeed bench grid

clean: ## Remove build/, .venv and caches
	rm -rf build $(VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis *.egg-info
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +
