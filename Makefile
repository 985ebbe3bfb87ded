# install, check, test, fix, docs, contract, chaos, chaos-calls, chaos-links, bench, bench-events, demo, lock, clean. Everything
# goes into .venv, from the lock files; nothing outside this folder is touched. A machine needs make and Python 3.11 or
# later, whatever it is called there, and no more.
PYTHON ?= $(shell for name in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
UV ?= uv

.PHONY: all install check test fix docs contract chaos chaos-calls chaos-links bench bench-events demo lock clean
all: check test

install: .venv/.dev

# The interpreter is asked for pip, since Debian's leaves a .venv without it when its python3-venv package is missing.
.venv/.run: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv || { rm -rf .venv; \
		echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "installing the gateway into .venv (about a minute on a first run)"
	@$(PIP) install --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: .venv/.run requirements-dev.lock
	@echo "installing the development tools into .venv"
	@$(PIP) install --require-hashes --requirement requirements-dev.lock
	@touch $@

check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/gateway check --strict
	$(BIN)/gateway test
	$(BIN)/python -m tests.generate_docs --check
	$(BIN)/python -m tests.docs_lint

# The stores of the tests are flushed at every commit: in memory, where the machine has 2 GB of that to spare.
MEMORY := $(shell test -w /dev/shm && df --output=avail /dev/shm | awk 'END {if ($$1 > 2000000) print "/dev/shm"}')
# One more than there are cores, since tests wait for processes and databases too.
WORKERS = $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores < 6 ? cores + 1 : 6)))
# The order of the files is ours (tests/order.py), those that take longest first; OPTIONS=--keep-seconds notes anew what
# they take. Bytecode is kept, whatever the environment says, since each worker would else rewrite the asserts of every
# file again.
test: .venv/.dev
	PYTHONDONTWRITEBYTECODE= $(if $(MEMORY),TMPDIR=$(MEMORY)) \
		$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(OPTIONS)

fix: .venv/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/.dev
	$(BIN)/python -m tests.generate_docs

contract: .venv/.dev
	$(BIN)/python -m tests.contract --examples 100

# Each of the rounds starts the gateway and kills it; 200 take about ten minutes.
ROUNDS ?= 200
STORE ?= sqlite
chaos: .venv/.dev
	$(BIN)/python -m tests.chaos.webhooks --rounds $(ROUNDS) --store $(STORE)

# Plans drawn of seeds, about two seconds each. PROVIDER=name for one alone, PLAN=file for one that was printed; more
# options: .venv/bin/python -m tests.chaos.command calls --help
SEED ?= 1
chaos-calls chaos-links: chaos-%: .venv/.dev
	$(BIN)/python -m tests.chaos.command $* --rounds $(ROUNDS) --seed $(SEED) \
		$(if $(PROVIDER),--provider $(PROVIDER)) $(if $(PLAN),--plan $(PLAN)) $(OPTIONS)

# Ten minutes; QUICK=1 takes two. More options, and how to compare two runs or two checkouts:
# .venv/bin/python -m benchmarks --help
bench: .venv/.dev
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick) $(OPTIONS)

bench-events: .venv/.dev
	$(BIN)/python -m tests.throughput --store $(STORE)

demo: .venv/.run
	$(BIN)/gateway demo

lock:
	$(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q --extra build pyproject.toml -o requirements.lock
	$(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q --extra build --extra dev pyproject.toml -o requirements-dev.lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
