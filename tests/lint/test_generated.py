"""The linter against 150 labelled instructions of a backward model, where the shared data is to be had."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "lint.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("lint_benchmark", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def shared(benchmark):
    folder = os.environ.get("HUMPBACK_SHARED")
    if not folder:
        pytest.skip("HUMPBACK_SHARED is not set: the labelled instructions are not here")
    if not (Path(folder) / benchmark.GENERATED).is_file():
        pytest.skip(f"HUMPBACK_SHARED: {folder} holds no {benchmark.GENERATED}")
    return Path(folder)


def test_recall_and_precision_on_tuned_and_held_out_lines(benchmark, shared):
    lines = benchmark.judged_lines(shared)
    assert len(lines) == 150
    for parity in (0, 1):
        score = benchmark.score([line for line in lines if line.number % 2 == parity])
        assert score.recall >= 0.95
        assert score.precision >= 0.9


def test_hardly_any_short_instruction_of_people_is_thrown_out(benchmark, shared):
    linter = benchmark.make_linter()
    pairs = {pair for found in benchmark.human_instructions(shared).values() for pair in found}
    short = [pair for pair in pairs if len(pair[0].split()) <= benchmark.SHORT_WORDS]
    out = [pair[0] for pair in short if linter.judge(*pair)]
    assert len(short) > 4000
    assert len(out) < 0.02 * len(short), out[:20]
