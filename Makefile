# make setup | demo | test | lint | bench | test-slow | test-scale: the only commands a newcomer needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup browser demo test test-slow test-scale lint format bench clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[evaluate,openvino,dev]'
	touch $@

# The page's tests need a Chromium; where none can be installed they skip and say so.
browser:
	@{ command -v chromium || command -v google-chrome; } >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } \
	|| echo "no chromium and no way to install it here: the page's tests will be skipped"

demo: setup
	$(BIN)/indexer demo

test: setup browser
	$(BIN)/python -m pytest

test-slow: setup
	$(BIN)/python -m pytest -m slow

# Engines past one machine, each a real server on loopback; installs what it needs.
test-scale: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[scale]'
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest -m scale

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup
	$(BIN)/python -m benchmarks

clean:
	rm -rf build .mypy_cache .pytest_cache .ruff_cache .hypothesis
