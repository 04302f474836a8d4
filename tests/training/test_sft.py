"""A fine-tuning of a tiny model: what changes, what is saved, and that stopping leaves no trace."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from tiny_training import LORA, PLAIN, Stop, assert_same, changed, cross_entropy, tiny_rows, train, weights
from transformers import AutoTokenizer

from humpback.errors import ModelError
from humpback.models import inspect_model, load_model, load_tokenizer, model_digest
from humpback.models.head import head_logits
from humpback.training import Recipe, fine_tune


@pytest.fixture(scope="module")
def rows(tiny_model):
    return tiny_rows(tiny_model)


def test_every_weight_is_trained_and_the_base_is_left_alone(tiny_model, rows, tmp_path):
    before, digest = weights(tiny_model), model_digest(str(tiny_model))
    result = train(tiny_model, rows, tmp_path / "out")
    after = weights(tmp_path / "out")
    assert before.keys() == after.keys()
    unchanged = [name for name, value in before.items() if torch.equal(value, after[name])]
    assert unchanged == []
    assert model_digest(str(tiny_model)) == digest
    assert [entry["step"] for entry in result.history] == [1, 2, 3, 4]
    assert result.dtype == "float32"


def test_the_saved_folder_is_complete(tiny_model, rows, tmp_path):
    train(tiny_model, rows, tmp_path / "out", steps=1)
    out = tmp_path / "out"
    assert inspect_model(out).parameters == inspect_model(tiny_model).parameters
    tokenizer = AutoTokenizer.from_pretrained(out)
    assert tokenizer.chat_template == load_tokenizer(tiny_model).chat_template
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    generation = json.loads((out / "generation_config.json").read_text())
    assert generation["eos_token_id"] in (end, [end])
    assert generation["pad_token_id"] == tokenizer.pad_token_id
    assert not (out / "checkpoints").exists()
    assert not list(out.rglob("*.bin")) + list(out.rglob("*.pt"))


def test_the_template_that_was_trained_with_is_saved(tiny_base, rows, tmp_path):
    recipe = Recipe(1, 2, 2, (1e-3, 1e-4))
    fine_tune(
        tiny_base, rows, tmp_path, PLAIN, recipe, device="cpu", seed=0, end="<|im_end|>", chat_template="{{ messages }}"
    )
    assert AutoTokenizer.from_pretrained(tmp_path).chat_template == "{{ messages }}"


@pytest.mark.parametrize("last", [1e-3, 1e-4])
def test_the_rate_falls_linearly_or_stays(tiny_model, rows, tmp_path, last):
    recipe = Recipe(4, 2, 2, (1e-3, last))
    result = fine_tune(tiny_model, rows, tmp_path, PLAIN, recipe, device="cpu", seed=0, end="<|im_end|>")
    rates = [entry["learning_rate"] for entry in result.history]
    assert rates == pytest.approx([1e-3 + (last - 1e-3) * step / 4 for step in range(4)])


def test_the_loss_is_plain_cross_entropy_over_the_learnt_tokens(tiny_model, rows, tmp_path):
    wanted = cross_entropy(tiny_model, rows)
    for micro in (8, 2):
        result = train(tiny_model, rows, tmp_path / str(micro), steps=1, batch=8, micro=micro)
        assert result.history[0]["loss"] == pytest.approx(wanted, abs=2e-4)


def test_the_loss_falls_on_a_repeated_row(tiny_model, rows, tmp_path):
    result = train(tiny_model, [rows[1]] * 2, tmp_path / "out", steps=12, batch=2, micro=2, rate=1e-2)
    losses = [entry["loss"] for entry in result.history]
    assert losses[-1] < losses[0] / 3
    assert cross_entropy(tmp_path / "out", [rows[1]]) < losses[0] / 3


def test_prompt_tokens_are_not_learnt(tiny_model, rows, tmp_path):
    """Two rows that differ in nothing that is learnt give the same loss; a changed answer another one."""
    from dataclasses import replace

    row = rows[1]
    first = next(index for index, label in enumerate(row.labels) if label != -100)
    learnt = replace(row, labels=[*row.labels[:first], (row.labels[first] + 1) % 400, *row.labels[first + 1 :]])
    losses = [
        train(tiny_model, [one], tmp_path / str(number), steps=1, batch=1, micro=1).history[0]["loss"]
        for number, one in enumerate((row, learnt))
    ]
    assert losses[0] == pytest.approx(cross_entropy(tiny_model, [row]), abs=2e-4)
    assert losses[0] != pytest.approx(losses[1], abs=2e-4)


@pytest.mark.parametrize("packing", [False, True])
def test_accumulated_gradients_are_those_of_the_larger_batch(tiny_model, rows, tmp_path, packing):
    learnt = [sum(label != -100 for label in row.labels) for row in rows]
    assert len(set(learnt)) > 3, "rows must count by their tokens, not one by one"
    config = changed(PLAIN, packing=packing, max_tokens=160)
    for micro in (1, 2, 4):
        train(tiny_model, rows, tmp_path / str(micro), config, steps=2, batch=4, micro=micro)
    for micro in (1, 2):
        assert_same(tmp_path / "4", tmp_path / str(micro))


def test_bfloat16_computes_in_bfloat16_and_keeps_weights_in_float32(tiny_model, rows, tmp_path, monkeypatch):
    from humpback.training import trainer

    seen = set()

    def look(model, hidden):
        logits = head_logits(model, hidden)
        seen.update({logits.dtype, model.get_output_embeddings().weight.dtype})
        return logits

    monkeypatch.setattr(trainer, "head_logits", look)
    result = train(tiny_model, rows, tmp_path / "out", changed(PLAIN, dtype="bfloat16"), steps=2)
    assert seen == {torch.bfloat16, torch.float32}
    assert result.dtype == "bfloat16"
    assert result.history[0]["loss"] == pytest.approx(cross_entropy(tiny_model, rows), rel=0.2)


@pytest.mark.parametrize("damage", ["none", "newest"])
@pytest.mark.parametrize("fields", [{}, {"packing": True, "max_tokens": 160}, {"method": "lora"}])
def test_a_stopped_training_ends_with_the_same_weights(tiny_model, rows, tmp_path, fields, damage):
    config = changed(PLAIN, dropout=0.2, checkpoint_minutes=1e-9, **fields)
    whole = train(tiny_model, rows, tmp_path / "whole", config, steps=6, micro=2)

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        train(tiny_model, rows, out, config, steps=6, micro=2, on_step=Stop(4))
    checkpoints = sorted((out / "checkpoints").iterdir())
    assert checkpoints
    if damage == "newest":  # a checkpoint whose writing was stopped
        half = out / "checkpoints" / "checkpoint-5"
        half.mkdir()
        shutil.copy(next(checkpoints[-1].glob("*model.safetensors")), half)
    steps = []
    resumed = train(tiny_model, rows, out, config, steps=6, micro=2, on_step=lambda entry: steps.append(entry["step"]))
    assert steps[0] > 1, "it went on from a checkpoint"
    assert steps[-1] == 6
    assert [entry["loss"] for entry in resumed.history] == [entry["loss"] for entry in whole.history]
    one, other = weights(tmp_path / "whole"), weights(out)
    assert [name for name, value in one.items() if not torch.equal(value, other[name])] == []
    assert (tmp_path / "whole/model.safetensors").read_bytes() == (out / "model.safetensors").read_bytes()


def test_equal_seeds_give_equal_weights_and_others_do_not(tiny_model, rows, tmp_path):
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        train(tiny_model, rows, tmp_path / name, steps=2, seed=seed)
    a, b, c = ((tmp_path / name / "model.safetensors").read_bytes() for name in "abc")
    assert a == b != c


def test_lora_is_merged_into_a_folder_that_loads(tiny_model, rows, tmp_path):
    result = train(tiny_model, rows, tmp_path / "out", LORA, steps=10, rate=1e-2)
    before, after = weights(tiny_model), weights(tmp_path / "out")
    assert before.keys() == after.keys()
    changed = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert changed == {name for name in before if "proj" in name}
    assert not list((tmp_path / "out").glob("adapter*"))
    assert cross_entropy(tmp_path / "out", rows) < result.history[0]["loss"] - 0.2


def test_a_loss_that_is_no_number_stops_with_a_remedy(tiny_model, rows, tmp_path):
    with pytest.raises(ModelError, match=r"the loss at step \d+ is (nan|inf) .*; use a smaller train\.learning_rate"):
        train(tiny_model, rows, tmp_path / "out", steps=5, rate=1e37)
    assert not (tmp_path / "out" / "model.safetensors").exists()


@pytest.mark.parametrize(
    "setting", [{}, {"logits_scaling": 3.0}, {"logit_scale": 0.5}, {"final_logit_softcapping": 2.0}]
)
def test_the_head_alone_gives_the_models_logits(tiny_model, setting):
    model = load_model(tiny_model, dtype=torch.float32, device="cpu").eval()
    for name, value in setting.items():
        setattr(model.config, name, value)
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.no_grad():
        hidden = model.base_model(ids).last_hidden_state
        found = head_logits(model, hidden[0])
        logits = model(ids).logits[0]
    wanted = {
        "logits_scaling": lambda: logits / 3.0,
        "logit_scale": lambda: logits * 0.5,
        "final_logit_softcapping": lambda: torch.tanh(logits / 2.0) * 2.0,
    }.get(next(iter(setting), ""), lambda: logits)()
    assert torch.allclose(found, wanted, atol=1e-5)
