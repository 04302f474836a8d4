"""The whole run with a real, tiny model: training, sampling, rating, evaluation; stopped and gone on with."""

from __future__ import annotations

import json

import pytest

from humpback.config import load_config
from humpback.models import inspect_model, load_tokenizer, model_digest
from humpback.pipeline import explain, make_plan, run_pipeline, run_state
from humpback.records import Candidate, Rating
from humpback.workspace import RunFolder, dropped_rows, read_rows

SETTINGS = (
    "engine.kind=transformers",
    "engine.device=cpu",
    "engine.dtype=float32",
    "train.dtype=float32",
    "train.steps=2",
    "train.batch_size=4",
    "train.max_tokens=512",
    "prompts.max_text_tokens=200",
    "augment.max_new_tokens=24",
    "augment.temperature=0.3",
    "ingest.max_segments=8",
    "rounds=1",
)


def settings(inputs, model, *more: str):
    return load_config(inputs.config, [*SETTINGS, f"model={model}", *more])


@pytest.mark.parametrize("kind", ["tiny_model", "tiny_base"])
def test_a_run_with_a_model(small_inputs, request, kind):
    model = request.getfixturevalue(kind)
    digest = model_digest(str(model))
    config = settings(small_inputs, model)
    # Random weights rarely end an answer; an instruction cut at its limit is set aside, which leaves too few here.
    result = run_pipeline(config, target="candidates")
    assert result.executed == ["seed", "passages", "segments", "models/backward", "models/m0", "candidates"]
    candidates = list(read_rows(config.folder / "candidates", Candidate))
    dropped = list(dropped_rows(config.folder / "candidates"))
    assert len(candidates) + len(dropped) == 8
    run_pipeline(config, target="models/m0")
    folder = config.folder / "models/m0"
    assert inspect_model(folder).parameters == inspect_model(model).parameters
    assert load_tokenizer(folder).chat_template, "others can chat with it in the format it was trained in"
    facts = RunFolder(config.folder).step("models/m0").manifest().facts
    assert (facts["examples"], facts["steps"], facts["batch_size"]) == (21, 2, 4)
    assert model_digest(str(model)) == digest
    assert run_pipeline(config, target="models/m0").executed == []


@pytest.fixture
def talkative(monkeypatch):
    """Ends every answer, as trained models do and random weights do not."""
    from dataclasses import replace

    from humpback.engines.transformers import TransformersEngine

    usual = TransformersEngine.generate

    def generate(self, requests, sampling):
        return [replace(answer, finish="end", text=answer.text or "x") for answer in usual(self, requests, sampling)]

    monkeypatch.setattr(TransformersEngine, "generate", generate)


def test_a_run_to_the_report_and_a_stop_in_training(small_inputs, tiny_model, talkative):
    whole = settings(small_inputs, tiny_model, f"runs_dir={small_inputs.folder / 'whole'}")
    run_pipeline(whole)
    assert {state.status for state in run_state(whole)} == {"done"}
    rows = (whole.folder / "dataset/train.jsonl").read_text()
    assert len(rows.splitlines()) == 3
    ratings = list(read_rows(whole.folder / "ratings-1", Rating))
    assert all(1 <= row.rating <= 5 and abs(sum(row.probabilities) - 1) < 1e-6 for row in ratings)
    losses = json.loads((whole.folder / "evaluation/evaluation.json").read_text())["sets"]["seed"]["models"]
    assert set(losses) == {"base", "backward", "m0", "m1"}
    assert losses["m1"]["loss"]["mean"] < losses["base"]["loss"]["mean"]
    found = explain(whole.folder, json.loads(rows.splitlines()[0])["id"])
    assert found.backward_prompt.endswith("<|im_start|>assistant\n")

    stopped = settings(
        small_inputs, tiny_model, f"runs_dir={small_inputs.folder / 'stopped'}", "train.checkpoint_minutes=1e-9"
    )
    import humpback.training.sft as sft

    usual, calls = sft._save, []

    def stop(*arguments):
        calls.append(1)
        if len(calls) == 3:  # the third model: trained, not saved
            raise KeyboardInterrupt
        return usual(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sft, "_save", stop)
        with pytest.raises(KeyboardInterrupt):
            run_pipeline(stopped)
    assert [state.status for state in run_state(stopped)].count("started") == 1
    run_pipeline(stopped)
    for name in ("backward", "m0", "m1"):
        file = f"models/{name}/model.safetensors"
        assert (stopped.folder / file).read_bytes() == (whole.folder / file).read_bytes()
    assert (stopped.folder / "dataset/train.jsonl").read_text() == rows


def test_a_plan_with_a_probe(small_inputs, tiny_model):
    config = settings(small_inputs, tiny_model)
    plan = make_plan(config)
    assert plan.probed
    steps = {step.name: step for step in plan.steps}
    for name in ("models/backward", "candidates", "ratings-1", "evaluation"):
        assert steps[name].seconds > 0
    assert steps["models/m0"].bytes == inspect_model(tiny_model).bytes
    assert plan.seconds < 300
    assert not (config.folder / "models").exists()
