# Sports Game Tracker: `make run`, `make demo`, `make test`, `make check`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check

.PHONY: run demo test test-postgres test-quick audit fuzz check bench figures screenshots format requirements clean

run: $(VENV)/.installed ## start everything: broker, consumers, web server
	@exec $(BIN)/flask up

demo: $(VENV)/.installed ## the same against a made-up feed that needs no internet
	@INSTANCE_PATH="$${INSTANCE_PATH:-instance-demo}" exec $(BIN)/flask up --demo

test: $(VENV)/.installed-dev ## all tests; those of the real thing file by file, since they watch the clock
	$(BIN)/pytest -n 2 tests/unit tests/integration
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder tests/acceptance

# These ask the database nothing of their own, or what tests/integration asks as well, and take a while.
ONLY_WITH_ALL := admin_browser alerts browser deploy_proxies doctor faults_feed markup \
    redis throttle up

test-postgres: $(VENV)/.installed-dev ## those with a database again, on PostgreSQL; POSTGRES=all for the slowest, too
	$(BIN)/pytest -n 2 --database postgresql tests/integration
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder --database postgresql tests/acceptance \
	    $(if $(filter all,$(POSTGRES)),,$(ONLY_WITH_ALL:%=--ignore=tests/acceptance/test_%.py))

test-quick: $(VENV)/.installed-dev ## without the tests that take their time
	$(BIN)/pytest -n 2 -m "not slow"

audit: $(VENV)/.installed-dev ## insecure code, and known holes in what is pinned
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml sportsapp
	$(BIN)/python .ci/audit requirements.txt requirements-dev.txt

# Atheris is not among the requirements: it has no wheels for every Python we run on.
fuzz: $(VENV)/.installed-dev ## look for an answer of the feed that breaks the parser; SECONDS=600
	$(INSTALL) atheris==3.0.0
	$(BIN)/python -m tests.fuzz_parse .fuzz -max_total_time=$(or $(SECONDS),600)

check: $(VENV)/.installed-dev ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed-dev ## what things cost, beside the least they can cost; ROWS="tick page-cold" for some
	$(BIN)/python -m bench $(ROWS)

figures: $(VENV)/.installed-dev ## what the code looks like, counted: lines, floors, helpers with one caller
	$(BIN)/python -m bench.figures

screenshots: $(VENV)/.installed-dev ## the pictures of README and docs, from the demo feed
	$(BIN)/python -m tests.screenshots docs/screenshots

format: $(VENV)/.installed-dev ## put the code into its format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

requirements: $(VENV)/.installed-dev ## pin the newest allowed versions
	$(BIN)/pip-compile --quiet --upgrade --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links requirements.in
	$(BIN)/pip-compile --quiet --upgrade --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --constraint requirements.txt requirements-dev.in

clean: ## remove the virtual environment
	rm -rf $(VENV)

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 run")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/pip requirements.txt
	$(INSTALL) -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	$(INSTALL) -r requirements-dev.txt
	@touch $@
