SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV   ?= .venv
# Named before anything that depends on torch: left to itself, pip takes the newest build, and several
# gigabytes of GPU libraries with it. Any release in the supported range may be tried, as in
# `make test VENV=.venv-2.11 TORCH=torch==2.11.0`.
TORCH  ?= torch==2.13.0
# What to hand to pytest, as in `make test ARGS="tests/test_match.py -k view"`, or to the benchmark on models.
ARGS   ?=
# How many claims `make soak` checks.
N      ?= 1000000

BIN := $(VENV)/bin
PY  := $(BIN)/python
PIP := $(PY) -m pip --disable-pip-version-check
DEV := $(VENV)/.installed-dev

.PHONY: help setup test soak verify lint format typecheck docs docs-check demo bench bench-prover bench-models \
    bench-generated wheel clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do \
	    printf '  make %-13s %s\n' "$$name" "$$what"; done

setup: $(DEV) ## make .venv, with everything that developing needs

test: $(DEV) ## run the test suite
# One thread per worker: two workers with a thread pool each would fight over the cores.
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 $(ARGS)

soak: $(DEV) ## check a million random claims of the prover, and all rules at full scope
	$(PY) tests/soak.py $(N)
	$(BIN)/noopelim verify --scope full

verify: $(DEV) ## check all rules at the default scope
	$(BIN)/noopelim verify

lint: $(DEV) ## check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(DEV) ## repair style and formatting
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The links are to single files because linking `noopelim` to engine/ whole would put the link to patterns/
# inside engine/. The count is compared because mypy is also content with an empty package.
TYPING := build/typing
typecheck: $(DEV) ## check the types, strictly
	rm -rf $(TYPING)
	mkdir -p $(TYPING)/noopelim/patterns
	ln -s $(addprefix $(CURDIR)/,$(wildcard engine/*.py engine/py.typed)) $(TYPING)/noopelim/
	ln -s $(addprefix $(CURDIR)/,$(wildcard patterns/*.py patterns/py.typed)) $(TYPING)/noopelim/patterns/
	$(BIN)/mypy --strict -p noopelim 2>&1 \
	    | sed -e 's#^$(TYPING)/noopelim/patterns/#patterns/#' -e 's#^$(TYPING)/noopelim/#engine/#' \
	    | tee $(TYPING)/report.txt
	grep -q 'in $(words $(wildcard engine/*.py patterns/*.py)) source files' $(TYPING)/report.txt \
	    || { echo 'mypy did not see every file in engine/ and patterns/' >&2; exit 1; }

docs: $(DEV) ## write docs/rules.md and docs/coverage.md from the rules and the catalogue
	$(PY) docs/generate.py

docs-check: $(DEV) ## fail if one of them is not what would be written
	OMP_NUM_THREADS=1 $(PY) docs/generate.py --check

demo: $(VENV)/.installed-demo ## clean real models and show what went
	$(PY) docs/demo

# Models from the demo's extra, on one thread: what is timed is Python.
bench-prover: $(VENV)/.installed-demo ## time the prover beside torch's, on the same claims
	OMP_NUM_THREADS=1 $(PY) tests/bench/prover.py

# All of them take an hour on one core; `make bench-models ARGS="--only Llama --only ViT --jobs 1"` takes a minute.
bench-models: $(VENV)/.installed-demo ## real models through Inductor without noopelim and with it, and an oracle
	OMP_NUM_THREADS=1 $(PY) tests/bench/models.py $(ARGS)

# All of them take an hour, and half of that with ARGS=--static.
bench-generated: $(VENV)/.installed-demo ## code that Inductor generates for models, with noopelim: that it does, and its guards
	OMP_NUM_THREADS=1 $(PY) tests/bench/generated.py $(ARGS)

# What to hand to the benchmark, as in `make bench ARGS="--long --write"`.
bench: $(VENV)/.installed-demo ## time noopelim beside Inductor's passes and loops written by hand
	OMP_NUM_THREADS=1 $(PY) tests/bench/speed.py $(ARGS)

# The second environment sees what the first has installed, so torch is not fetched again. The .pth is written
# after the install, lest pip take the editable noopelim for one already there; a .pth found through it is not
# run, so the editable install stays out of sight.
TRIAL := build/trial
wheel: $(DEV) ## build the wheel and the sdist, and try the wheel elsewhere
	rm -rf dist $(TRIAL)
	$(PY) -m build --quiet --no-isolation
	$(PY) -m venv --without-pip $(TRIAL)
	$(PIP) --python $(TRIAL)/bin/python install --quiet --no-deps dist/noopelim-*.whl
	$(PY) -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
	    > "$$($(TRIAL)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/borrowed.pth"
	cd / && '$(CURDIR)/$(TRIAL)/bin/python' -I '$(CURDIR)/.ci/check_wheel.py'
	ls -l dist

clean: ## remove what was built, but not .venv
	rm -rf build dist site *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -path './.venv*' -prune -o -name __pycache__ -prune -exec rm -rf {} +

$(PY):
	$(PYTHON) -m venv $(VENV)

# Order-only: the interpreter is a link to a file older or newer than anything here.
$(DEV): pyproject.toml | $(PY)
	$(PIP) install --quiet '$(TORCH)'
	$(PIP) install --quiet -e '.[dev]'
	touch $@

$(VENV)/.installed-demo: pyproject.toml $(DEV)
	$(PIP) install --quiet -e '.[demo]'
	touch $@
