# The verbs of the project. `make demo` and `make test` need Python 3.11+, pip, venv, make and git.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# Many tests wait for other processes, so that one more than there are cores is kept busy.
TESTERS ?= $(shell $(PYTHON) -c "import os; print(min(8, 1 + (os.cpu_count() or 1)))")

.PHONY: help demo test test-fast check docs dist format hostile hostile-short bench locked lock clean

help:
	@echo "make demo       install, then train and evaluate a small ResNeXt on real digits (about two minutes)"
	@echo "make test       install what the tests need, then run them all"
	@echo "make test-fast  the unit tests without the slow ones (about two minutes)"
	@echo "make check      lint, types, import directions"
	@echo "make hostile    damaged files, hostile callers, kills and overload (about half an hour)"
	@echo "make docs       build the documentation site into site/ (less than a minute)"
	@echo "make dist       build wheel and sdist, install the wheel elsewhere and use it (about ten minutes)"
	@echo "make format     rewrite the sources in the project's format"
	@echo "make locked     install exactly the versions of requirements-dev.lock"
	@echo "make lock       write the installed versions to requirements-dev.lock"
	@echo "make bench      measure this machine side by side with peers (about an hour)"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# A stamp records what is installed, so that a second `make` starts at once.
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-bench: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	@touch $@

# The other verbs install within the ranges of pyproject.toml; after this one they install nothing.
locked: | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]' --constraint requirements-dev.lock
	@touch $(VENV)/.installed-dev $(VENV)/.installed

lock: $(VENV)/.installed-dev
	$(BIN)/python deploy/write_lock.py

demo: $(VENV)/.installed
	$(BIN)/resnext train --data digits --recipe fast --epochs 12 --name demo

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n $(TESTERS) --dist worksteal -m "not bench and not gpu and not alone" tests --ignore tests/hostile
	$(BIN)/python -m pytest -m alone tests/integration

# While working; `make test` is what counts.
test-fast: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n 2 -m "not slow and not bench and not gpu" tests/unit

# 10,000 damaged files of each format, raw sockets, kills; then ten minutes of load and attack.
hostile: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n 2 --effort long --results runs/hostile -m "not soak" tests/hostile
	$(BIN)/python -m pytest --effort long --results runs/hostile -m soak tests/hostile

# The same in about five minutes.
hostile-short: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n 2 -m "not soak" tests/hostile

# Installs the wheel into a new environment and uses it there.
dist: $(VENV)/.installed-dev
	$(BIN)/python deploy/check_dist.py dist

# Warnings, such as a link that leads nowhere, are errors.
docs: $(VENV)/.installed-dev
	$(BIN)/sphinx-build -q -W --keep-going -j 2 -b html docs site -d build/docs
	@echo "the site is in site/index.html"

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.installed-bench
	$(BIN)/python -m bench

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache
