# Commands of the project. Everything runs in .venv, which is made on first use and again when requirements change.
PYTHON ?= python3
VENV := .venv/bin
SERVICE ?=
LINES ?= 40

.DEFAULT_GOAL := help
.PHONY: help up down status logs test test-fast bench check lock venv

help:                 ## show this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

up: venv              ## bring the whole platform up on this machine, and make a granted call through it
	@$(VENV)/python -m sandbox up

down: venv            ## end the platform and remove what it left
	@$(VENV)/python -m sandbox down

status: venv          ## show the platform's services; fails unless all are up
	@$(VENV)/python -m sandbox status

logs: venv            ## show the end of the logs; SERVICE=operator for one, LINES=500 for more
	@$(VENV)/python -m sandbox logs --lines $(LINES) $(SERVICE)

test: venv            ## run all tests, on a platform of their own; PYTEST_ADDOPTS for pytest's options
	@$(VENV)/python -m tests.support.client_runtimes
	@tools=$$($(VENV)/python -m sandbox.tools) && PATH="$$tools:$$PATH" \
		$(VENV)/python -m sandbox isolated -- $(VENV)/python -m pytest tests

test-fast: venv       ## run the tests that need no platform
	@$(VENV)/python -m pytest -n 2 tests -m 'not platform and not tools'

bench: venv           ## measure what a policy costs at the gateway, and how soon a stop is felt (long)
	@tools=$$($(VENV)/python -m sandbox.tools) && PATH="$$tools:$$PATH" && failed=0 && \
		for bench in gateway "gateway --limits Shared --sizes 10 --grants 100" revocation; do \
			$(VENV)/python -m sandbox isolated -- $(VENV)/python -m tests.bench.$$bench || failed=1; \
		done; exit $$failed

check: venv           ## lint, types, import rules, freshness of what is generated
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/mypy
	@$(VENV)/lint-imports
	@$(VENV)/python -m conecta_operator.crds --check
	@$(VENV)/python -m conecta_operator.reference --check

lock:                 ## pin the newest versions that requirements/*.in allow (needs uv: pip install uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--output-file requirements/platform.txt requirements/platform.in
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--output-file requirements/develop.txt requirements/develop.in

venv:                 ## make .venv what requirements say; quick when it is
	@$(PYTHON) sandbox/venv.py
