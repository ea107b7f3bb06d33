# Sports Game Tracker: `make run`, `make demo`, `make test`, `make check`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run demo test test-long test-postgres test-quick audit sbom fuzz check bench figures screenshots format requirements clean

run: $(VENV)/.installed ## start everything: broker, consumers, web server
	@exec $(BIN)/flask up

demo: $(VENV)/.installed ## the same with a demo feed that needs no internet
	@INSTANCE_PATH="$${INSTANCE_PATH:-instance-demo}" exec $(BIN)/flask up --demo

# What Python compiles is kept between runs and for the many processes that tests start, whatever
# the environment says.
test test-long test-postgres test-quick: export PYTHONDONTWRITEBYTECODE :=

# Acceptance tests are one file a process: they depend on timing, and often wait.
IN_FILES := -n 2 --dist loadfile --no-loadscope-reorder

test: $(VENV)/.installed-dev ## the tests without the long ones: what every change has to pass
	$(BIN)/pytest -n 2 --dist loadgroup -m "not long" tests/unit tests/integration
	$(BIN)/pytest $(IN_FILES) -m "not long" tests/acceptance

test-long: export FAULTS := long
test-long: $(VENV)/.installed-dev ## all tests, those of faults in their long form: before a release
	$(BIN)/pytest -n 2 --dist loadgroup tests/unit tests/integration
	$(BIN)/pytest $(IN_FILES) tests/acceptance

# Integration tests that run on SQLite alone, as they are about headers, forms, addresses and screens.
ONLY_WITH_ALL := addresses budgets compression error_handlers preferences readme robots secrets \
    share_picture spoiler_free team_addresses terminal

test-postgres: $(VENV)/.installed-dev ## tests of statements, on PostgreSQL; POSTGRES=all: all tests with a database
ifeq ($(POSTGRES),all)
	$(BIN)/pytest -n 2 --dist loadgroup --database postgresql tests/integration
	$(BIN)/pytest $(IN_FILES) --database postgresql tests/acceptance
else
	$(BIN)/pytest -n 2 --dist loadgroup --database postgresql -m "not slow and not long" tests/integration \
	    $(ONLY_WITH_ALL:%=--ignore=tests/integration/test_%.py)
endif

test-quick: $(VENV)/.installed-dev ## the tests without the slow ones
	$(BIN)/pytest -n 2 --dist loadgroup -m "not slow and not long" tests/unit tests/integration

audit: $(VENV)/.installed-dev ## look for insecure code, and known vulnerabilities in pinned packages
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml sportsapp
	$(BIN)/python .ci/audit requirements-pip.txt requirements.txt requirements-dev.txt

# In no list of requirements: nothing else needs what it brings.
sbom: $(VENV)/.installed-dev ## list the packages that run, with digests, as CycloneDX in sbom.json
	$(INSTALL) cyclonedx-bom==7.5.0
	$(BIN)/cyclonedx-py requirements --output-reproducible --output-file sbom.json requirements.txt

# Atheris is not in requirements-dev.in: it has no wheels for some Python versions that we support.
fuzz: $(VENV)/.installed-dev ## search for a feed answer that breaks the parser; SECONDS=600
	$(INSTALL) atheris==3.0.0
	$(BIN)/python -m tests.fuzz_parse .fuzz -max_total_time=$(or $(SECONDS),600)

check: $(VENV)/.installed-dev ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed-dev ## measure what things cost, beside the least they can cost; ROWS="tick page-cold" for some
	$(BIN)/python -m bench $(ROWS)

figures: $(VENV)/.installed-dev ## count what the code looks like: lines, floors, helpers with one caller
	$(BIN)/python -m bench.figures

screenshots: $(VENV)/.installed-dev ## take the pictures of README and docs, from the demo feed
	$(BIN)/python -m tests.screenshots docs/screenshots

format: $(VENV)/.installed-dev ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

PIN := $(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

requirements: $(VENV)/.installed-dev ## pin the newest allowed versions, with the digests of their files
	$(PIN) requirements-pip.in
	$(PIN) requirements.in
	$(PIN) --constraint requirements.txt --constraint requirements-pip.txt requirements-dev.in

clean: ## remove the virtual environment
	rm -rf $(VENV)

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 run")'
	$(PYTHON) -m venv $(VENV)

# A file whose digest is not in the list is not installed. Nothing that runs needs setuptools, which
# a virtual environment of Python 3.11 brings.
$(VENV)/.installed: $(VENV)/bin/pip requirements-pip.txt requirements.txt
	$(INSTALL) --require-hashes -r requirements-pip.txt
	$(INSTALL) --require-hashes -r requirements.txt
	@$(BIN)/python -m pip uninstall --quiet --yes setuptools 2>/dev/null
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	$(INSTALL) --require-hashes -r requirements-dev.txt
	@touch $@
