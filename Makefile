# make demo    train for MINUTES, translate and score
# make test    the test suite
# make studies the tiny studies, from training to report
# make ci      what CI runs: the tests, the tiny studies, the linter and the type checker
# make check   all long-running checks at full count, hours; writes docs/reliability.md

PYTHON ?= python3.11
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
MINUTES ?= 6

.PHONY: demo test studies ci check
.DEFAULT_GOAL := test

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(INSTALL) --editable .
	@touch $@

.venv/tested: .venv/installed
	$(INSTALL) --editable '.[dev]'
	@touch $@

demo: .venv/installed
	$(BIN)/python -m tools.demo --minutes $(MINUTES)

test: .venv/tested
	$(BIN)/python -m pytest

studies: .venv/tested
	rm -rf results/ci runs/results-ci-*
	$(BIN)/nmt study recipes/bottleneck-tiny.yaml --out results/ci/bottleneck
	$(BIN)/nmt study recipes/ladder-tiny.yaml --out results/ci/ladder
	$(BIN)/nmt study recipes/grid-tiny.yaml --out results/ci/grid

# the exit status of a check that cannot be made on this machine
SKIPPED := 77

check: .venv/tested
	@failed=0; for name in $$($(BIN)/python -m tools.checks --list | cut -d" " -f1); do \
	  $(BIN)/python -m tools.checks $$name || [ $$? = $(SKIPPED) ] || failed=1; done; \
	$(BIN)/python -m tools.checks.report > docs/reliability.md; exit $$failed

ci: test studies
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
