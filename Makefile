# Everything a developer types. A fresh machine needs python3 (3.11 or newer) with pip; uv and, where
# absent, Node come from the package index. See `make help`.
SHELL := /bin/sh
.DEFAULT_GOAL := help

export UV_PYTHON_DOWNLOADS := never
# Some machines forbid it: then each of the many processes here would compile all it imports again.
export PYTHONDONTWRITEBYTECODE :=
PYENV_BINS := $(shell for v in 3.11 3.12 3.13; do ls -d "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/$$v.*/bin 2>/dev/null | tail -n 1; done | tr '\n' :)
export PATH := $(CURDIR)/.tools/bin:$(PYENV_BINS)$(PATH)

UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo .tools/bin/uv)
VENV := .venv
RUN := $(VENV)/bin/python -m
STATIC := packages/z4j-brain/src/z4j_brain/static
NPM = PATH="$$(.ci/node):$$PATH" npm --prefix dashboard
AREA ?= agent
ARGS ?=

.PHONY: help sync demo test quick lint types imports pytest dashboard dashboard-test bench build soak fmt clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.tools/bin/uv:
	python3 -m venv .tools
	.tools/bin/python -m pip install -q uv

sync: $(filter .tools/%,$(UV))
	@$(UV) sync -q --frozen

demo: sync $(STATIC)/index.html ## a believable shop with failures, retries and a dashboard; Ctrl-C ends it
	@$(VENV)/bin/z4j demo $(ARGS)

test: sync lint types imports dashboard-test pytest ## all that must hold before a merge; under 15 minutes on two cores

quick: sync lint ## lint and the fast tests of the packages
	@$(RUN) pytest -q -m "not live and not soak and not e2e" packages $(ARGS)

lint: sync ## ruff, the lock file
	@$(UV) lock -q --check
	@$(RUN) ruff check -q .
	@$(RUN) ruff format -q --check .

types: sync
	@$(RUN) mypy --no-error-summary
	@$(VENV)/bin/python .ci/pyright.py

imports: sync
	@$(VENV)/bin/lint-imports --no-logo --no-cache >.lint-imports.log || { cat .lint-imports.log; exit 1; }
	@tail -n 2 .lint-imports.log

pytest: sync
	@.ci/browser
	@.ci/pytest $(ARGS)

$(STATIC)/index.html: | sync
	@$(MAKE) -s dashboard

MODULES := dashboard/node_modules/.package-lock.json

$(MODULES): dashboard/package-lock.json | sync
	@$(NPM) ci --ignore-scripts --no-audit --no-fund
	@touch $@

dashboard: sync $(MODULES) ## build the dashboard into the brain's package
	@$(NPM) run --silent build
	@rm -rf $(STATIC) && mkdir -p $(STATIC) && cp -R dashboard/dist/. $(STATIC)/

dashboard-test: sync $(MODULES)
	@$(NPM) test --silent
	@$(MAKE) -s dashboard
	@$(NPM) run --silent budget

bench: sync ## AREA=agent|ingest|floor|wire|cron|leases [ARGS=--quick]: measure, write benchmarks/results/<area>.json
	@$(VENV)/bin/python benchmarks/run.py $(AREA) $(ARGS)

build: dashboard ## sdists and wheels of every package into dist/
	$(UV) build -q --all-packages --out-dir dist --clear

SOAK_sim := tests/sim
SOAK_fuzz := tests/fuzz
SOAK_chaos := tests/chaos packages/z4j-brain/tests/gateway
SOAK_host := packages/z4j-core/tests/agent
SOAK_cron := packages/z4j-core/tests/scheduler
SOAK_scheduler := tests/failover tests/schedules_sim packages/z4j-core/tests/scheduler/leader packages/z4j-core/tests/agent/test_leading.py
SOAK_engines := $(foreach e,celery rq dramatiq huey arq taskiq,packages/z4j-$(e))
SOAK = $(if $(filter file,$(origin AREA)),,$(or $(SOAK_$(AREA)),$(error AREA is sim, fuzz, chaos, host, cron, scheduler or engines)))

soak: sync ## [AREA=sim|fuzz|chaos|host|cron|scheduler|engines]: the tests that take minutes; tells figures
	@$(RUN) pytest -q -m soak --timeout 3600 $(SOAK) $(ARGS)

fmt: sync ## format, sort imports, fix what can be fixed
	@$(RUN) ruff check -q --fix . || true
	@$(RUN) ruff format -q .

clean: ## remove what can be built again
	rm -rf dist dashboard/dist .mypy_cache .ruff_cache .pytest_cache .coverage*
