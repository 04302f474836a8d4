"""A finished dry run over pages with licences, made once for all tests of the package."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from humpback.config import load_config
from humpback.pipeline import run_pipeline

LICENCES = ("CC0-1.0", "CC BY-SA 4.0", "CC0-1.0")


@pytest.fixture(scope="session")
def product_run(write_inputs_to: Callable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run's folder, not to be changed: 8 pages of two sites under two licences, two rounds."""
    inputs = write_inputs_to(tmp_path_factory.mktemp("product"))
    table = inputs.folder / "pages.jsonl"
    rows = []
    for number, file in enumerate(sorted(inputs.corpus.glob("*.md"))):
        address = f"https://{('one', 'two')[number % 2]}.example/{number}"
        rows.append({"text": file.read_text(), "url": address, "license": LICENCES[number % 3]})
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = yaml.safe_load(inputs.config.read_text()) | {"corpus": str(table)}
    inputs.config.write_text(yaml.safe_dump(settings))
    return run_pipeline(load_config(inputs.config)).folder


@pytest.fixture
def own_run(product_run: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return shutil.copytree(product_run, tmp_path / "small")
