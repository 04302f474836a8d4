"""Benchmarks at the end of a run, as its configuration names them."""

from __future__ import annotations

import json

import harness_data as data
import pytest

from humpback.config import load_config
from humpback.errors import ConfigError
from humpback.evaluation.harness import task_files
from humpback.pipeline import preflight, run_pipeline, run_state


@pytest.fixture
def measured(small_inputs):
    """A run of one round with benchmarks."""
    folder = data.write_public_files(small_inputs.folder / "eval")

    def load(*overrides: str):
        return load_config(small_inputs.config, ["rounds=1", f"evaluate.benchmarks.data={folder}", *overrides])

    return load


def test_three_models_stand_side_by_side(measured):
    config = measured("evaluate.benchmarks.tasks=[siqa,piqa,crows_pairs]")
    run_pipeline(config)
    found = json.loads((config.folder / "benchmarks" / "benchmarks.json").read_text())
    assert list(found["models"]) == ["base", "m0", "m1"]
    for tables in found["models"].values():
        assert [line["name"] for line in tables["table_5"]] == ["SIQA", "PIQA"]
        assert [line["shares"]["acc"]["count"] for line in tables["table_5"]] == [2, 3]
        assert "ifeval" not in tables
    assert found["missing"] == []
    assert not (config.folder / "benchmarks" / ".work").exists()
    page = (config.folder / "report" / "index.html").read_text()
    for told in ('href="#benchmarks"', "Commonsense reasoning", "PIQA, by length", "socioeconomic"):
        assert told in page
    assert "MMLU" not in page


def test_none_without_a_folder(small_inputs):
    config = load_config(small_inputs.config, ["rounds=1"])
    assert "benchmarks" not in [state.step.name for state in run_state(config)]
    with pytest.raises(ConfigError, match=r"evaluate\.benchmarks: data is missing"):
        load_config(small_inputs.config, ["evaluate.benchmarks.limit=5"])


def test_measuring_more_leaves_the_models_as_they_are(measured, small_inputs):
    apart = "ingest.decontaminate.enabled=false"
    run_pipeline(load_config(small_inputs.config, ["rounds=1", apart]))
    states = {state.step.name: state.status for state in run_state(measured(apart, "evaluate.benchmarks.limit=1"))}
    assert {name for name, status in states.items() if status != "done"} == {"benchmarks", "report"}


def test_questions_are_not_trained_on(small_inputs):
    question = "Which of these animals lays its eggs in the sand of a warm beach and then goes back into the sea?"
    row = {"question": question, "choices": {"text": ["a turtle", "a cat"], "label": ["A", "B"]}, "answerKey": "A"}
    (small_inputs.folder / "ARC-Easy-Test.jsonl").write_text(json.dumps(row) + "\n")
    pair = json.loads(small_inputs.seed.read_text().splitlines()[0]) | {"instruction": question}
    with small_inputs.seed.open("a") as file:
        file.write(json.dumps(pair) + "\n")
    config = load_config(small_inputs.config, ["rounds=1", f"evaluate.benchmarks.data={small_inputs.folder}"])
    run_pipeline(config, target="seed")
    manifest = json.loads((config.folder / "seed" / "stage.json").read_text())
    assert manifest["dropped"] == {"contaminated": 1}


def test_what_is_wrong_is_told_before_anything_runs(measured, small_inputs, monkeypatch):
    def problem(*overrides: str) -> str:
        return "; ".join(map(str, preflight(measured(*overrides))))

    absent, empty = small_inputs.folder / "absent", small_inputs.corpus
    assert f"evaluate.benchmarks.data: {absent}: no such folder" in problem(f"evaluate.benchmarks.data={absent}")
    told = problem(f"evaluate.benchmarks.data={empty}", "evaluate.benchmarks.tasks=[mmlu]")
    assert f"evaluate.benchmarks.data: {empty}: holds no file of mmlu (mmlu.tar.gz" in told
    with pytest.raises(ConfigError, match=r"evaluate\.benchmarks\.tasks"):
        measured("evaluate.benchmarks.tasks=[ifeval]")
    monkeypatch.setattr(task_files.importlib.util, "find_spec", lambda name: None)
    assert "humpback[benchmarks]" in problem()
