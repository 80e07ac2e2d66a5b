# The front door. `make help` lists what it opens; every target does its own set-up on first use.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

STUDY ?= hong2025
PROFILE ?= full
DATA ?=
JOURNAL ?=
CORES ?= $(shell getconf _NPROCESSORS_ONLN)
PYTHON ?= python3.11

BIN := .venv/bin
READY := .venv/.ready
# Packages to compare with that cannot live beside ours.
PEERS := build/peers/bin/python
CHAIN = --study "$(STUDY)" --profile "$(PROFILE)" --data "$(DATA)"
# `exec` and the variable let the chain end with make, even if make is killed.
HER2STUDY = HER2STUDY_FOLLOW_PARENT=1 exec $(BIN)/her2study
SOURCES := her2study tests notebooks bench docs

# What pip froze, without what depends on the machine: torch's build and its GPU libraries come with torch.
PIN = -e '1i \# Made by `make lock`: exact versions of everything, development tools included.' \
  -e 's/\+cpu$$//' -e '/^(nvidia|cuda|triton)/d' -e '/ @ /d' \
  -e 's/^xgboost(-cpu)?==(.*)/xgboost-cpu==\2; sys_platform == "linux"\nxgboost==\2; sys_platform != "linux"/'

help:  ## List the targets
	@echo "make TARGET [STUDY=hong2025] [PROFILE=full|smoke] [DATA=folder of patients] [CORES=$(CORES)]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY)  ## Make .venv with the pinned packages (the other targets do this by themselves)

validate: $(READY)  ## Say everything that is wrong with a study's table and scans: STUDY=my-study DATA=folder
	@$(HER2STUDY) validate $(CHAIN)

reproduce: $(READY)  ## Run the study: every table, figure and number, only what is not up to date
	@$(HER2STUDY) reproduce $(CHAIN) --cores $(CORES)

smoke: $(READY)  ## The same on a small cohort in a few minutes, into results/<study>-smoke/
	@$(HER2STUDY) reproduce --study "$(STUDY)" --profile smoke --data "$(DATA)" --cores $(CORES)

figures: $(READY)  ## Draw the figures again from their stored data; JOURNAL=radiology for a journal
	@$(HER2STUDY) $(if $(JOURNAL),figures --journal "$(JOURNAL)",run figures) $(CHAIN)

report: $(READY)  ## Make the report's pages again from finished results
	@$(HER2STUDY) run report $(CHAIN)

freeze: $(READY)  ## Put the finished study's models into one signed bundle for other hospitals
	@$(HER2STUDY) freeze $(CHAIN)

manuscript: $(READY)  ## Write the manuscript (docx, pdf) from finished results
	@$(HER2STUDY) manuscript $(CHAIN)

lab: $(READY)  ## Open the explorer and the other notebooks in JupyterLab
	@$(BIN)/jupyter lab --notebook-dir notebooks notebooks/explore.ipynb

test: $(READY)  ## Run all tests, a smoke run of both studies included
	@OMP_NUM_THREADS=1 $(BIN)/pytest -n $(CORES) --dist loadfile --no-loadscope-reorder $(TESTS)

lint: $(READY)  ## Check style, layers, types and the rules of the notebooks
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/lint-imports
	@$(BIN)/mypy
	@$(BIN)/pytest -q tests/test_architecture.py

bench: $(READY) $(PEERS)  ## Time the library against what one would use instead, as ratios
	@for script in $(filter-out %/bench_dscore.py,$(wildcard bench/bench_*.py)); do HER2STUDY_PEERS=$(PEERS) OMP_NUM_THREADS=1 $(BIN)/python "$$script"; done

bench-dscore: $(READY)  ## How far the D-score is from the best possible, and what each ingredient bought (over an hour)
	@OMP_NUM_THREADS=1 $(BIN)/python bench/bench_dscore.py

characteristics: $(READY)  ## Simulate type I errors and coverage again, into docs/
	@OMP_NUM_THREADS=1 $(BIN)/python docs/operating_characteristics.py

repeat: $(READY)  ## Run the study twice from scratch and compare tables and predictions byte by byte
	@rm -rf build/repeat
	@for round in 1 2; do HER2STUDY_RESULTS=build/repeat/$$round $(BIN)/her2study reproduce $(CHAIN) --cores $(CORES); done
	@diff -r build/repeat/1/*/tables build/repeat/2/*/tables
	@cmp build/repeat/1/*/predictions.parquet build/repeat/2/*/predictions.parquet
	@echo "Both runs wrote the same tables and predictions."

oracles: $(READY) $(PEERS)  ## Make the golden files of tests/oracles/ again (needs R)
	@for script in tests/oracles/*.R; do echo "$$script"; Rscript --vanilla "$$script" || exit 1; done
	@for script in tests/oracles/*.py; do echo "$$script"; $(PEERS) "$$script" || exit 1; done

lock:  ## Pin the newest packages that pyproject.toml allows into requirements.lock
	@rm -rf build/lock && mkdir -p build && $(PYTHON) -m venv build/lock
	@build/lock/bin/pip install --quiet --disable-pip-version-check ".[study,dev]"
	@build/lock/bin/pip freeze --exclude her2study | sed -E $(PIN) > build/requirements.lock
	@mv build/requirements.lock requirements.lock && rm -rf build/lock
	@git diff --stat -- requirements.lock

clean:  ## Remove all results and caches (the environment stays)
	@rm -rf results build .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis
	@find her2study tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(PEERS):
	@echo "Setting up build/peers (once): packages to compare with that are none of ours"
	@$(PYTHON) -m venv build/peers
	@build/peers/bin/pip install --quiet --disable-pip-version-check dcurves==1.1.7 frictionless==5.21.0

$(READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) > /dev/null || { echo "error: $(PYTHON) was not found; install Python 3.11, or name it: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@echo "Setting up .venv (once; about $$(grep -c == requirements.lock) packages, some minutes)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --disable-pip-version-check --progress-bar off -r requirements.lock 2>&1 | tee .venv/setup.log | { found=0; while IFS= read -r line; do \
	    case "$$line" in \
	        Collecting*) found=$$((found + 1)); [ $$((found % 25)) != 0 ] || echo "  $$found packages found" ;; \
	        Installing\ collected*) echo "  installing (a minute or two)" ;; \
	        ERROR*) echo "$$line" >&2 ;; \
	    esac; done; }
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@
	@echo "Ready."

.PHONY: help setup validate reproduce smoke figures report freeze manuscript lab test lint bench bench-dscore characteristics repeat oracles lock clean
