# make demo    train, translate and score in about ten minutes
# make test    the tests
# make check   the tests, the linter and the type checker: what CI runs

PYTHON ?= python3.11
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
DEMO := runs/demo
MINUTES ?= 6

.PHONY: demo test check
.DEFAULT_GOAL := test

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(INSTALL) --editable .
	@touch $@

.venv/tested: .venv/installed
	$(INSTALL) --editable '.[dev]'
	@touch $@

demo: .venv/installed
	$(BIN)/nmt train recipes/de-en.yaml --run $(DEMO) training.minutes=$(MINUTES)
	$(BIN)/nmt translate $(DEMO) -i recipes/demo.de
	@test -e $(DEMO)/scores.jsonl || $(BIN)/nmt evaluate $(DEMO) > /dev/null
	@$(BIN)/nmt info $(DEMO) --scores

test: .venv/tested
	$(BIN)/python -m pytest

check: test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
