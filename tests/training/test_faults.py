"""Memory that runs out, losses that are no number, packages that are missing."""

from __future__ import annotations

import importlib.util
from dataclasses import replace

import pytest
import torch
from tiny_training import LORA, PLAIN, assert_same, changed, tiny_rows, train
from transformers import AutoTokenizer

from humpback.errors import ModelError
from humpback.training import trainer


@pytest.fixture(scope="module")
def rows(tiny_model):
    return tiny_rows(tiny_model)


@pytest.fixture
def small_memory(monkeypatch):
    """Lets micro-batches of more than so many rows run out of memory, in the forward or after the backward pass."""

    def install(most: int, *, after_backward: bool) -> list[int]:
        sizes: list[int] = []
        usual_loss = trainer._TargetLoss.__call__
        usual_whole = trainer.TargetTokenTrainer._whole

        def loss(self, input_ids, **others):
            sizes.append(len(input_ids))
            if len(input_ids) > most and not after_backward:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return usual_loss(self, input_ids, **others)

        def whole(self, model, inputs, items):
            found = usual_whole(self, model, inputs, items)
            if len(inputs["rows"]) > most:
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
            return found

        monkeypatch.setattr(trainer._TargetLoss, "__call__", loss)
        if after_backward:
            monkeypatch.setattr(trainer.TargetTokenTrainer, "_whole", whole)
        return sizes

    return install


@pytest.mark.parametrize("after_backward", [False, True])
@pytest.mark.parametrize("most", [1, 2, 3])
def test_micro_batches_shrink_and_the_weights_stay_the_same(
    tiny_model, rows, tmp_path, small_memory, most, after_backward
):
    whole = train(tiny_model, rows, tmp_path / "whole", steps=3, batch=8, micro=4)
    sizes = small_memory(most, after_backward=after_backward)
    result = train(tiny_model, rows, tmp_path / "small", steps=3, batch=8, micro=4)
    assert sizes[0] == 4
    assert max(sizes[-4:]) <= most
    assert sum(size > most for size in sizes) == (2 if most == 1 else 1), "what was learnt is kept for later steps"
    losses = [[entry["loss"] for entry in one.history] for one in (whole, result)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)
    assert_same(tmp_path / "whole", tmp_path / "small")


def test_memory_that_runs_out_in_the_middle_of_a_step_counts_no_row_twice(tiny_model, rows, tmp_path, monkeypatch):
    train(tiny_model, rows, tmp_path / "whole", steps=1, batch=8, micro=2)
    usual = trainer.TargetTokenTrainer._whole
    calls = []

    def whole(self, model, inputs, items):
        calls.append(len(inputs["rows"]))
        found = usual(self, model, inputs, items)
        if len(calls) == 3:
            raise torch.OutOfMemoryError("once, after two micro-batches and the gradients of the third")
        return found

    monkeypatch.setattr(trainer.TargetTokenTrainer, "_whole", whole)
    train(tiny_model, rows, tmp_path / "parts", steps=1, batch=8, micro=2)
    assert calls == [2, 2, 2, *[1] * 8]
    assert_same(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.parametrize(("config", "ways"), [(PLAIN, "lora or qlora"), (LORA, "train.method: qlora")])
def test_a_row_that_does_not_fit_by_itself_is_estimated(tiny_model, rows, tmp_path, small_memory, config, ways):
    small_memory(0, after_backward=False)
    with pytest.raises(ModelError) as caught:
        train(tiny_model, rows, tmp_path, config)
    message = str(caught.value)
    longest = max(len(row.input_ids) for row in rows)
    assert f"one row of {longest} tokens at a time" in message
    for part in ("GiB (weights", "gradients", "optimiser", "activations", ways, f"train.max_tokens below {longest}"):
        assert part in message


def test_the_estimate_counts_what_is_trained(tiny_model, rows):
    from humpback.models import load_model
    from humpback.training.faults import memory_estimate

    model = load_model(tiny_model, dtype=torch.float32, device="cpu")
    size = 4 * sum(weight.numel() for weight in model.parameters()) / 2**30
    full = memory_estimate(model, rows[0], bf16=True)
    assert f"weights {size:.2g}, gradients {size:.2g}, optimiser {2 * size:.2g}" in full
    assert f"weights {size / 2:.2g}" in memory_estimate(model, rows[0], bf16=True, sharing=2)
    model.requires_grad_(False)
    assert "gradients 0, optimiser 0" in memory_estimate(model, rows[0], bf16=True)


def test_a_loss_that_is_no_number_names_the_rows_of_its_micro_batch(tiny_model, rows, tmp_path, monkeypatch):
    usual = trainer._TargetLoss.__call__
    mark = rows[2].input_ids[-3]
    poisoned = [row.row_id for row in rows if mark in row.input_ids]

    def loss(self, input_ids, **others):
        found = usual(self, input_ids, **others)
        return found * float("nan") if mark in input_ids else found

    monkeypatch.setattr(trainer._TargetLoss, "__call__", loss)
    assert len(poisoned) < len(rows)
    with pytest.raises(ModelError) as caught:
        train(tiny_model, rows, tmp_path, steps=1, batch=8, micro=1)
    named = str(caught.value).partition("micro-batches of rows ")[2].partition(";")[0].split(", ")
    assert sorted(named) == sorted(poisoned)


def test_rows_without_ids_are_not_named(tiny_model, rows, tmp_path):
    with pytest.raises(ModelError, match=r"the loss at step \d+ is (nan|inf); use"):
        train(tiny_model, [replace(row, row_id="") for row in rows], tmp_path, steps=5, rate=1e37)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"method": "qlora"},
            r"train\.method: qlora needs a package that is not installed: `pip install bitsandbytes`",
        ),
        ({"report_to": ["mlflow"]}, r"train\.report_to: mlflow needs a package .*: `pip install mlflow`"),
        ({"report_to": ["tensorboard"]}, r"train\.report_to: tensorboard needs a package .*`pip install tensorboard`"),
        ({"liger": True}, r"train\.liger: Liger's kernels run on NVIDIA GPUs, not on cpu; set it to false"),
    ],
)
def test_what_is_missing_is_told_before_anything_is_loaded(tiny_model, rows, tmp_path, monkeypatch, fields, message):
    usual = importlib.util.find_spec
    absent = ("bitsandbytes", "mlflow", "tensorboard", "liger_kernel")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name in absent else usual(name, *rest))
    with pytest.raises(ModelError, match=message):
        train(tmp_path / "no-model", rows, tmp_path / "out", changed(PLAIN, **fields))
    assert not (tmp_path / "out").exists()


def test_liger_needs_its_package_on_a_gpu(monkeypatch):
    from humpback.training.settings import check_requirements

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"train\.liger needs a package .*: `pip install liger-kernel`"):
        check_requirements(changed(PLAIN, liger=True), "cuda")


def test_a_tokenizer_without_an_end_token_is_refused(tiny_model, rows, tmp_path):
    import shutil

    base = shutil.copytree(tiny_model, tmp_path / "base")
    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.eos_token = None
    tokenizer.save_pretrained(base)
    with pytest.raises(ModelError, match=r"base: its tokenizer has no end-of-sequence token, .* set `eos_token` in"):
        train(base, rows, tmp_path / "out")
