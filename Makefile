# make demo    train for MINUTES, translate and score
# make test    the test suite
# make studies the two tiny studies, from training to report
# make ci      what CI runs: the tests, the tiny studies, the linter and the type checker
# make check   all long-running checks at full count, hours; writes docs/reliability.md

PYTHON ?= python3.11
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
DEMO := runs/demo
MINUTES ?= 9
# many small updates, which learn most in a few minutes
SHORT := training.batch_tokens=1024 training.learning_rate=0.002 model.dropout=0.1

define SENTENCES
Zwei Kinder spielen im Park.
Die Frau liest ein Buch im Garten.
Ein Hund schläft unter dem Tisch.
Der alte Mann kocht heute Abend in der Küche.
Ein Junge trinkt Wasser, weil er sehr müde ist.
endef
export SENTENCES

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
	$(BIN)/nmt train recipes/de-en.yaml --run $(DEMO) training.minutes=$(MINUTES) $(SHORT)
	@echo "$$SENTENCES"
	@echo "$$SENTENCES" | $(BIN)/nmt translate $(DEMO)
	@test -e $(DEMO)/scores.jsonl || $(BIN)/nmt evaluate $(DEMO) > /dev/null
	@$(BIN)/nmt info $(DEMO) --scores

test: .venv/tested
	$(BIN)/python -m pytest

studies: .venv/tested
	rm -rf results/ci runs/results-ci-*
	$(BIN)/nmt study recipes/bottleneck-tiny.yaml --out results/ci/bottleneck
	$(BIN)/nmt study recipes/ladder-tiny.yaml --out results/ci/ladder

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
