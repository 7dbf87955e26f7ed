# On a fresh machine with Python 3.10 to 3.13 and make: `make demo`, `make dev`, `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
INSTALLED = $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo dev test coverage check audit bench dictionary lock

help: ## Show what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

install: $(INSTALLED) ## Make the virtual environment, from the lock

# The lock holds everything with hashes, so pip needs to resolve nothing. setuptools warns of every
# editable installation that it is one.
$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

demo: $(INSTALLED) ## Extract the last business day of a simulated contact centre
	$(BIN)/audio-extract demo

dev: $(INSTALLED) ## Open the Dagster UI on the data of the demo
	$(BIN)/audio-extract dev

test: $(INSTALLED) ## Run every test
	$(BIN)/python -m pytest -n auto --dist worksteal

coverage: $(INSTALLED) ## Run every test and tell which lines and branches none of them reaches
	$(BIN)/python -m pytest -n auto --dist worksteal --cov --cov-report=term

check: $(INSTALLED) ## Lint, format and type checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/hadolint Dockerfile

audit: $(INSTALLED) ## Ask whether what the lock holds has known vulnerabilities (needs the network)
	$(BIN)/python -m audio_extract_dagster_tests.audit

bench: $(INSTALLED) ## Measure against yardsticks (benchmarks/README.md says what it needs)
	$(BIN)/python -m benchmarks

dictionary: $(INSTALLED) ## Write docs/data-dictionary.md from the tables
	$(BIN)/python -m audio_extract_dagster_tests.data_dictionary

lock: ## Pin the newest allowed versions (needs uv)
	uv pip compile --universal --python-version 3.10 --generate-hashes --no-emit-index-url \
		--no-annotate --no-header --all-extras --upgrade pyproject.toml -o requirements.lock
