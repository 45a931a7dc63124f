# biaogan (标杆审读). `make run` from a fresh clone; `make test` is what CI runs.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT := out
PORT ?= 8000
PACKAGES := libreoffice-writer libreoffice-calc poppler-utils fonts-noto-cjk chromium
PROGRAMS := soffice pdftoppm chromium

# The samples of one edition: the edition stands in their sources.
define reports
files=(); \
for source in $$(grep -lE "^edition *= *\"$(1)\"" corpora/samples/sources/*.toml); do \
  name=$$(basename "$$source" .toml); \
  for suffix in docx pdf; do [ ! -f "corpora/samples/$$name.$$suffix" ] || files+=("corpora/samples/$$name.$$suffix"); done; \
done; \
if [ "$${#files[@]}" -gt 0 ]; then rm -f "$(OUT)/$(1).xlsx"; \
  BIAOGAN_DATA_DIR=$(OUT)/data $(BIN)/biaogan check "$${files[@]}" --edition "$(1)" --json "$(OUT)/$(1).jsonl" --html "$(OUT)/$(1)" \
    --xlsx "$(OUT)/$(1).xlsx" --annotate "$(OUT)/$(1)" || [ $$? -eq 1 ]; \
  [ -s "$(OUT)/$(1).xlsx" ] || { echo "biaogan stopped early" >&2; exit 1; }; \
fi
endef

.PHONY: help run reports setup test static check bench docs samples notebooks clean

help:  ## What each target does
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

# Stamps make the second call quick; a changed pyproject.toml installs again.
$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed: Python 3.11 or newer is needed" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; call make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[ocr]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,ocr,train]'
	@touch $@ $(VENV)/.installed

# All that is shown is constructed. The samples' exit code 1 means that errors were found in them, which is their purpose.
run: $(VENV)/.installed  ## Build the environment, check the samples, fill a demonstration and start the service on 127.0.0.1 (PORT=8000)
	@mkdir -p $(OUT)
	@export BIAOGAN_DATA_DIR=$(OUT)/data; $(BIN)/biaogan library import corpora/benchmarks/texts --manifest corpora/benchmarks/benchmarks.csv
	@$(call reports,2024-caq)
	@echo "Reports of the samples: $(OUT)/2024-caq/*.html, $(OUT)/2024-caq/*-批注.docx, $(OUT)/2024-caq.xlsx; all editions: make reports"
	@export BIAOGAN_DATA_DIR=$(OUT)/data BIAOGAN_URL=http://127.0.0.1:$(PORT); $(BIN)/biaogan demo && exec $(BIN)/biaogan serve --port $(PORT)

reports: $(VENV)/.installed  ## Check the constructed write-ups of corpora/samples/ by every edition, and compare two revisions with the library
	@mkdir -p $(OUT)
	@export BIAOGAN_DATA_DIR=$(OUT)/data; $(BIN)/biaogan library import corpora/benchmarks/texts --manifest corpora/benchmarks/benchmarks.csv
	@for edition in $$(sed -n 's/^edition *= *"\(.*\)".*/\1/p' corpora/samples/sources/*.toml | sort -u); do $(call reports,$$edition); done
	@rm -f $(OUT)/similar.xlsx; BIAOGAN_DATA_DIR=$(OUT)/data $(BIN)/biaogan check corpora/benchmarks/revisions/pa-p14.md corpora/benchmarks/revisions/sh-p12.md \
	  --edition 2022-hebei --html $(OUT)/similar --xlsx $(OUT)/similar.xlsx || [ $$? -eq 1 ]
	@echo "Reports: $(OUT)/<edition>/*.html, comments in Word: $(OUT)/<edition>/*-批注.docx, tables: $(OUT)/<edition>.xlsx, data: $(OUT)/<edition>.jsonl"
	@echo "What two constructed revisions share with the library: $(OUT)/similar/*.html"

setup:  ## Install the system programs that the slow tests use (needs apt-get and root; otherwise says so and goes on)
	@missing=(); for program in $(PROGRAMS); do command -v $$program >/dev/null || missing+=($$program); done; \
	fc-list :lang=zh 2>/dev/null | grep -q . || missing+=(fonts-noto-cjk); \
	if [ "$${#missing[@]}" -eq 0 ]; then exit 0; fi; \
	echo "not installed: $${missing[*]}"; \
	if ! command -v apt-get >/dev/null || [ "$$(id -u)" -ne 0 ]; then \
	  echo "apt-get and root are needed to install $(PACKAGES); the tests that use them are skipped"; exit 0; \
	fi; \
	{ apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $(PACKAGES); } \
	  || echo "could not install $(PACKAGES); the tests that use them are skipped"

test: setup $(VENV)/.installed-dev  ## The whole test suite
	$(BIN)/python -m pytest -n 2

static: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: static  ## Style, types, import contracts and the quick tests, under a minute
	$(BIN)/python -m pytest -n 2 -m 'not slow and not shared' --ignore=tests/web --ignore=tests/browser

docs: $(VENV)/.installed-dev  ## Make the generated pages of docs/ again
	$(BIN)/python docs/generate.py

samples: $(VENV)/.installed-dev  ## Make corpora/samples/*.docx and *.pdf again from their sources
	$(BIN)/python corpora/samples/build.py

notebooks: $(VENV)/.installed-dev  ## Run the notebooks again and keep their outputs (NAME=04 for one)
	$(BIN)/python notebooks/run.py $(NAME)

bench: $(VENV)/.installed-dev  ## Measure the speed; writes benchmarks/results.json and service.json
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/serving.py

clean:  ## Remove the environment and everything made
	rm -rf $(VENV) $(OUT) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
