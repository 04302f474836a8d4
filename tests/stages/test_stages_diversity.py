"""The step that measures diversity: only where it is asked for, and shown in the report."""

from __future__ import annotations

import json

import pytest

from humpback.config import load_config
from humpback.pipeline import preflight, run_pipeline
from humpback.stages.diversity import DIVERSITY_FILE

pytest.importorskip("spacy")


def test_seed_and_last_curated_set_are_measured_and_shown(small_inputs):
    config = load_config(small_inputs.config, ["evaluate.diversity=true", "rounds=1"])
    result = run_pipeline(config)
    assert "diversity" in result.executed
    found = json.loads((config.folder / "diversity" / DIVERSITY_FILE).read_text())
    assert [part["name"] for part in found["sets"]] == ["seed", "curated-1"]
    assert found["seed"] == "seed"
    page = (config.folder / "report" / "index.html").read_text()
    assert 'id="diversity"' in page
    assert "the figures count: seed:" in page
    assert run_pipeline(config).executed == []


def test_without_it_nothing_is_parsed_and_nothing_else_is_stale(small_inputs):
    config = load_config(small_inputs.config, ["rounds=1"])
    assert "diversity" not in run_pipeline(config).executed
    assert 'id="diversity"' not in (config.folder / "report" / "index.html").read_text()
    more = load_config(small_inputs.config, ["rounds=1", "evaluate.diversity=true"])
    assert run_pipeline(more).executed == ["diversity", "report"]


def test_a_missing_parser_is_told_before_anything_runs(small_inputs, monkeypatch):
    monkeypatch.setattr("humpback.evaluation.diversity.parsing.PARSERS", ("no_such_parser",))
    config = load_config(small_inputs.config, ["evaluate.diversity=true"])
    (problem,) = preflight(config)
    assert 'pip install "humpback[diversity]"' in str(problem)
