# Two commands on a fresh machine, which needs Python 3.11 or newer (with venv) and make:  make run  and  make test

PYTHON ?=
SECONDS ?= 60
WORKERS ?= 4
KILLS ?= 50
APIS ?= 2
JOBS ?= 2
STREAMS ?= 100
SEED ?=
REVISION ?=
MINUTES ?= 10
COMMIT ?= HEAD
UV_VERSION := 0.13.9
UV_HOME := .tools/uv-$(UV_VERSION)

# Settings may be given here too: make run PORT=9000
export UV_SYSTEM_CERTS := true
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv
# Where it is set, as in many containers, every process of a run would compile all that it imports, tests included, each time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run test check demo format openapi clean screenshots fuzz fuzz-documents prove-kills prove-faults scaled test-scaled test-image prove-scaled prove-rolling prove-upgrades schema-manifest older-folder bench soak
.DELETE_ON_ERROR:

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

setup: .venv/.for-development ## Install everything into .venv, with the tools for development

run: .venv/.for-running ## Start Docent on http://127.0.0.1:8000 (Ctrl-C stops it)
	@exec .venv/bin/docent serve

scaled: .venv/.for-running ## Start it scaled on http://127.0.0.1:8000: two API processes, two workers, each server alone (APIS=2 JOBS=2)
	@exec .venv/bin/python -m deploy.scaled --apis $(APIS) --workers $(JOBS)

demo: .venv/.for-running ## See it work: upload a handbook, ask three questions, about a minute
	@exec .venv/bin/python examples/demo.py

test: .venv/.for-development ## Run the tests, WORKERS files at once (a part of them: make test ARGS="tests/unit -x" WORKERS=0)
	.venv/bin/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-scaled: .venv/.for-development ## Run the tests of the API against the scaled topology (make test-scaled ARGS=tests/api/test_chat.py)
	DOCENT_TOPOLOGY=scaled .venv/bin/python -m pytest -n 2 --dist loadfile $(or $(ARGS),tests/api)

test-image: .venv/.for-development ## Take the steps of the Dockerfile without an engine, and look whether the result serves
	DOCENT_IMAGE=1 .venv/bin/python -m pytest -s tests/e2e/test_image.py

bench: .venv/.for-development ## Measure how fast it is, beside what is promised, in half an hour (make bench ARGS="--only streams")
	.venv/bin/python -m benchmarks $(ARGS)

soak: .venv/.for-development ## Look whether anything leaks, under everything at once and killed workers (make soak MINUTES=30)
	.venv/bin/python -m benchmarks.soak --minutes $(MINUTES)

fuzz: .venv/.for-development ## Send the whole API what nobody thought of, with new seeds each time (make fuzz SECONDS=600)
	DOCENT_FUZZ_SECONDS=$(SECONDS) .venv/bin/python -m pytest -s tests/security/fuzzing/test_whole_api.py tests/security/fuzzing/test_classes.py -k "as_long_as_one_likes or test_classes"

fuzz-documents: .venv/.for-development ## Feed the parsers damaged files, with new seeds each time (make fuzz-documents SECONDS=600)
	DOCENT_FUZZ_SECONDS=$(SECONDS) .venv/bin/python -m pytest tests/security/test_hostile_documents.py -k as_long_as_one_likes

prove-kills: .venv/.for-development ## Kill it at 50 random moments and break its index; nothing is lost (KILLS=50 SEED=...)
	.venv/bin/python -m tests.faults.prove_kills $(KILLS) $(SEED)

prove-faults: .venv/.for-development ## Let every call to something outside fail once in every way, commits and the calls of the pages too
	DOCENT_ALL_FAULTS=1 .venv/bin/python -m pytest -s tests/faults/test_injected_faults.py tests/ui/test_no_traceback.py

prove-scaled: .venv/.for-development ## Kill and stop parts of the scaled topology under load (SECONDS=180 a plan, PLAN=kills, SEED=...)
	.venv/bin/python -m tests.faults.scaled.prove --seconds $(SECONDS) $(if $(PLAN),--plan $(PLAN)) $(if $(SEED),--seed $(SEED))
prove-rolling: .venv/.for-development ## Replace the API processes under 100 streams; no answer is cut without a mark (STREAMS=100)
	.venv/bin/python -m tests.faults.prove_rolling $(STREAMS)
prove-upgrades: .venv/.for-development ## Kill an upgrade to the next major version of PostgreSQL at each of its steps
	DOCENT_EVERY_MOMENT=1 .venv/bin/python -m pytest -s tests/migrations/test_postgres_versions.py

schema-manifest: .venv/.for-development ## Write down the schema of a release (REVISION=0009); the next one is held to it
	.venv/bin/python -m tests.migrations.manifest $(REVISION)

older-folder: .venv/.for-development ## Pack a data folder as an older commit writes it (COMMIT=328e5e2 REVISION=0008), for the tests to open
	.venv/bin/python -m tests.migrations.folders $(COMMIT) $(REVISION)

check: .venv/.for-development ## Check formatting, style, types and the floors of the house
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

format: .venv/.for-development ## Format the code and repair what can be repaired
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

openapi: .venv/.for-development ## Write docs/openapi.json, the description of the API, anew
	.venv/bin/python -m tests.support.description

screenshots: .venv/.for-development ## Take the pictures in docs/images anew, with a product of their own
	.venv/bin/python -m tests.ui.screenshots

clean: ## Remove what was installed and cached here; data/ stays
	rm -rf .venv .tools dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -not -path './data/*' -prune -exec rm -rf {} +

# The two stamps say that .venv has what uv.lock asks for, so that `make run` starts without asking uv. To run, nothing that is
# there is removed (--inexact): a developer's `make run` keeps the tools.
.venv/.for-running: pyproject.toml uv.lock
	$(call sync,--no-default-groups --extra ui --inexact)
	@touch $@

.venv/.for-development: pyproject.toml uv.lock
	$(call sync,)
	@touch $@ .venv/.for-running

# uv is taken from the PATH if it is new enough to read this lock, and else installed into .tools, which is all that it touches.
define sync
@set -e; \
python=; \
for candidate in "$(PYTHON)" python3 python3.14 python3.13 python3.12 python3.11; do \
  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$candidate; break; fi; \
done; \
if [ -z "$$python" ]; then \
  echo 'Docent needs Python 3.11 or newer, and there is none on the PATH.' >&2; \
  echo 'Install one, or say where it is: make setup PYTHON=/path/to/python3.11' >&2; exit 1; \
fi; \
UV_PYTHON=$$("$$python" -c 'import sys; print(sys.executable)'); export UV_PYTHON; \
uv=$(UV_HOME)/bin/uv; \
if uv --version 2>/dev/null | "$$python" -c 'import re, sys; \
found = re.match(r"uv (\d+)\.(\d+)", sys.stdin.read()); \
sys.exit(not found or (int(found[1]), int(found[2])) < (0, 13))'; then uv=uv; fi; \
if [ "$$uv" != uv ] && [ ! -x "$$uv" ]; then \
  echo 'Installing uv $(UV_VERSION) into $(UV_HOME) ...'; \
  if ! "$$python" -m venv $(UV_HOME); then \
    echo 'Python could not make a virtual environment. On Debian and Ubuntu: apt install python3-venv' >&2; exit 1; \
  fi; \
  if ! $(UV_HOME)/bin/python -m pip install --disable-pip-version-check --no-input uv==$(UV_VERSION); then \
    echo 'uv could not be installed; the lines above say why. Where a company signs TLS with a certificate of its own,' >&2; \
    echo 'set PIP_CERT=/path/to/its/ca.pem, or install uv in your own way and call make again.' >&2; exit 1; \
  fi; \
fi; \
"$$uv" sync --frozen $(1)
endef
