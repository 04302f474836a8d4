"""What the stage hands to a training: the rows' ids, and rows set aside where it shall stop early."""

from __future__ import annotations

import json

import pytest

from humpback.config import load_config
from humpback.errors import ModelError
from humpback.pipeline import run_pipeline
from humpback.records import Example
from humpback.training import trainer
from humpback.workspace import RunFolder, read_rows


@pytest.fixture
def settings(small_inputs, tiny_model):
    """A run with 49 training pairs."""
    rows = [{"instruction": f"Name number {n}.", "output": f"It is {n}, {n} and {n}."} for n in range(54)]
    small_inputs.seed.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    def load(*more):
        fixed = ("engine.kind=transformers", "engine.device=cpu", "train.dtype=float32", f"model={tiny_model}")
        train = ("train.steps=30", "train.batch_size=4", "train.learning_rate=0.02", "train.max_tokens=512")
        return load_config(small_inputs.config, [*fixed, *train, "prompts.max_text_tokens=200", *more])

    return load


def test_it_stops_early_on_training_rows_set_aside(settings):
    config = settings("train.early_stop=1", "train.eval_steps=2")
    run_pipeline(config, target="models/m0")
    folder = config.folder / "models/m0"
    facts = RunFolder(config.folder).step("models/m0").manifest().facts
    pairs = sum(1 for _ in read_rows(config.folder / "seed", Example))
    assert (facts["set_aside"], facts["examples"], facts["prompts_too_long"]) == (16, pairs - 16, 0)
    written = json.loads((folder / "training.json").read_text())
    assert len(written["evaluations"]) == -(-facts["steps"] // 2)
    assert facts["steps"] == len(written["history"]) <= 30
    assert f"for {facts['steps']} steps on {pairs - 16} pairs" in (folder / "README.md").read_text()


def test_a_fault_names_examples_of_the_seed(settings, monkeypatch):
    usual = trainer._TargetLoss.__call__
    monkeypatch.setattr(trainer._TargetLoss, "__call__", lambda *some, **more: usual(*some, **more) * float("nan"))
    config = settings()
    with pytest.raises(ModelError) as caught:
        run_pipeline(config, target="models/m0")
    named = str(caught.value).partition("micro-batches of rows ")[2].partition(";")[0].split(", ")
    ids = {example.id for example in read_rows(config.folder / "seed", Example)}
    assert len(named) == 4
    assert set(named) <= ids
