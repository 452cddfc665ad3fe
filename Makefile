# Needs Python 3.11 or newer, and git. Everything else is set up here.
PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN := .venv/bin/
PYTEST := $(RUN)python -m pytest
SLOW := $(PYTEST) -m slow --timeout 3600
# A file's tests share what it set up; which files come first, and which are thorough, is said in tests/conftest.py.
SHARED := $(PYTEST) -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: setup demo test check format lint types imports bench books chaos lost-replies simulate clients assets clean

setup: .venv/.made

.uv/bin/uv:
	$(PYTHON) -m venv .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check 'uv==0.13.9'

.venv/.made: pyproject.toml uv.lock $(if $(filter .uv/bin/uv,$(UV)),.uv/bin/uv)
	$(UV) sync --locked --quiet --python $(PYTHON)
	touch $@

demo: setup
	$(RUN)filmgate demo

test: setup
	$(SHARED) -m 'not slow and not thorough'

check: setup format lint types imports
	$(SHARED) -m 'not slow'

format: setup
	$(RUN)ruff format --check .

lint: setup
	$(RUN)ruff check .

types: setup
	$(RUN)mypy

imports: setup
	$(RUN)lint-imports --no-logo

# Kills real processes at every failpoint and at random: a fixed list, or as many as `make chaos KILLS=1000` says.
KILLS ?=
SEED ?= 1
chaos: setup
ifeq ($(KILLS),)
	$(SLOW) tests/acceptance tests/chaos
else
	PYTHONPATH=src:tests $(RUN)python -m chaos --kills $(KILLS) --seed $(SEED) --report chaos-report.json
endif

# A tenth of a thousand submits get no reply, from each kind of vendor.
lost-replies: setup
	PYTHONPATH=src:tests $(RUN)python -m chaos.lost

# Plays worlds in one thread, on a PostgreSQL of its own; each is a function of its number. `make simulate FROM=7 SEEDS=1
# STORY=1` plays one again and tells all that happens; MUTANT= plants a bug; with POLL_AFTER=250 all vendors want to be
# asked again after 250 ms.
FROM ?= 0
SEEDS ?= 300
JOBS ?= 2
simulate: setup
	PYTHONPATH=tests $(RUN)python -m simulation --from $(FROM) --seeds $(SEEDS) --jobs $(JOBS) \
		$(if $(STORY),--story) $(if $(MUTANT),--mutant $(MUTANT)) \
		$(if $(POLL_AFTER),--poll-after $(POLL_AFTER))

# Films that end in every way, and the audit of their books: `make books N=100000`.
N ?= 10000
books: setup
	FILMGATE_BOOKS_TASKS=$(N) $(SLOW) tests/engine/test_endings.py

clients: setup
	$(SLOW) tests/clients

bench: setup
	$(RUN)python -m bench

# Draws the caption font and the sprites anew; their results are committed, so nobody needs this to run a gate.
assets: setup
	$(UV) sync --locked --quiet --group assets
	$(RUN)python tools/build_assets.py

clean:
	rm -rf .venv .uv films .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
