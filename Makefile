# The project's verbs; `make` alone lists them.
# A fresh machine needs Python 3.11 or newer with its venv module, and GNU make. Nothing else.

# The Python to install with; if none is named, the first on the PATH that is new enough.
PYTHON ?=
INSTALL ?=
CHECKS ?=
WORKERS ?= 2
UPGRADE ?=
SECONDS ?= 60
LIMIT ?=

# The workers are processes; threads of the linear algebra inside them would get in their way.
SINGLE := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

VENV := .venv
BIN := $(VENV)/bin
LOCK_VENV := build/lock-venv

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install check-install demo atlas atlas-page site gallery test test-all check format docs notebooks coverage fuzz bench coverage-page schedules-page solved-table lock clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

install: ## make .venv: the locked packages, then diagflow itself (editable)
	@python=$$(tools/python "$(PYTHON)") && \
		"$$python" tools/install.py --venv $(VENV) $(if $(PYTHON),--same-python) $(INSTALL)

check-install: ## install, run the first commands and build the wheel with every Python found here
	@python=$$(tools/python "$(PYTHON)") && \
		"$$python" tools/check_install.py $(if $(PYTHON),--python "$(PYTHON)") $(CHECKS)

demo: install ## expand three problems, check them, write JSON and LaTeX under out/
	$(BIN)/diagflow demo

atlas: install ## pages of all presets and examples with an index, under out/atlas: half an hour
	$(SINGLE) $(BIN)/diagflow atlas --output out/atlas --jobs $(WORKERS) --max-seconds $(if $(LIMIT),$(LIMIT),1800)

gallery: install ## theory against simulation at published sizes, under out/gallery: an hour, or LIMIT seconds
	$(BIN)/diagflow gallery --output out/gallery $(if $(LIMIT),--max-seconds $(LIMIT))

test: install ## run the tests and the doctests, without those marked slow
	$(SINGLE) $(BIN)/python -m pytest -n $(WORKERS) -m "not slow"

test-all: install ## run every test, the slow ones too
	$(SINGLE) $(BIN)/python -m pytest -n $(WORKERS) -m ""

check: install ## format, lint and strict types, changing nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: install ## format the code and repair what the linter can repair
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

atlas-page: atlas ## the maps of the atlas with the number of s behind them, docs/results/atlas.md
	$(BIN)/python -m benchmarks.atlas_page --atlas out/atlas --page docs/results/atlas.md

docs: install ## build the site under out/site, with the atlas and the notebooks that are made
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

site: atlas notebooks docs ## the whole site: atlas, notebooks with their outputs, documentation

notebooks: install ## run every notebook, keeping the pages with their outputs under out/notebooks
	DIAGFLOW_NOTEBOOKS=out/notebooks $(BIN)/python -m pytest -q -n $(WORKERS) -m "" tests/test_notebooks.py

coverage: install ## measure what the tests run, and fail under 95 % of the branches
	$(SINGLE) $(BIN)/python -m pytest -q -n $(WORKERS) -m "not slow" --cov --cov-report=
	$(BIN)/coverage report --skip-covered --sort=-miss
	@mkdir -p out
	$(BIN)/coverage json -q -o out/coverage.json
	@$(BIN)/python -c 'import json, sys; \
		total = json.load(open("out/coverage.json"))["totals"]; \
		share = 100 * total["covered_branches"] / total["num_branches"]; \
		print(f"branches covered: {share:.2f} %"); sys.exit(share < 95)'

fuzz: install ## feed mutated texts to all readers for SECONDS=60, guided by coverage with atheris
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

bench: install ## run the benchmarks, print their tables and write docs/results/benchmarks.md with its plot
	$(SINGLE) $(BIN)/python -m benchmarks --page docs/results/benchmarks.md

solved-table: install ## write the table of docs/explanation/solutions.md from the solvers
	$(BIN)/python -m benchmarks.solved --page docs/explanation/solutions.md

coverage-page: install ## which regimes are solved, docs/results/coverage.md: some 40 problems of a minute each
	$(SINGLE) DIAGFLOW_STORE=off $(BIN)/python -m benchmarks.coverage --page docs/results/coverage.md

schedules-page: install ## how far many workers scale, docs/results/schedules.md: some minutes
	$(SINGLE) DIAGFLOW_STORE=off $(BIN)/python -m benchmarks.schedules --page docs/results/schedules.md

lock: ## resolve requirements.lock again from pyproject.toml (UPGRADE=--upgrade: newest versions)
	@python=$$(tools/python "$(PYTHON)") && "$$python" -m venv --clear $(LOCK_VENV)
	@$(LOCK_VENV)/bin/python -m pip --disable-pip-version-check install --quiet uv==0.13.8
	$(LOCK_VENV)/bin/uv pip compile pyproject.toml --all-extras --quiet --no-config \
		--universal --fork-strategy requires-python --generate-hashes \
		--no-annotate --custom-compile-command "make lock" \
		$(UPGRADE) --output-file requirements.lock

clean: ## remove everything that a fresh clone does not have, .venv and out/ included
	rm -rf $(VENV) build dist out htmlcov .coverage .coverage.* coverage.xml *.egg-info
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
