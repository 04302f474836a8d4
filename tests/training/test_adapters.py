"""Adapters that are kept, merged, and trained on four bits; and what a result folder holds."""

from __future__ import annotations

import json
import os
import shutil

import pytest
import torch
from tiny_training import END, LORA, PLAIN, assert_same, changed, cross_entropy, tiny_rows, train, weights
from transformers import AutoModelForCausalLM, AutoTokenizer

from humpback.config import EngineConfig, LoraConfig
from humpback.engines import LikelihoodRequest, open_engine
from humpback.errors import ModelError
from humpback.models import inspect_model, load_model, load_tokenizer, model_folder, stored_dtype

KEPT = changed(LORA, lora=LoraConfig(rank=4, alpha=8, dropout=0.0, merge=False))


@pytest.fixture(scope="module")
def rows(tiny_model):
    return tiny_rows(tiny_model)


@pytest.fixture(scope="module")
def folders(tiny_model, rows, tmp_path_factory):
    """A base model, and one training of it kept as an adapter and merged."""
    folder = tmp_path_factory.mktemp("adapters")
    base = shutil.copytree(tiny_model, folder / "base")
    for name, config in (("adapter", KEPT), ("merged", LORA)):
        train(base, rows, folder / name, config, steps=6, rate=1e-2)
    return folder


@pytest.fixture
def copied(folders, tmp_path):
    return shutil.copytree(folders, tmp_path / "copy")


def test_an_adapter_folder_holds_the_adapter_only(folders):
    names = {file.name for file in (folders / "adapter").iterdir()}
    assert {"adapter_model.safetensors", "adapter_config.json", "tokenizer.json", "chat_template.jinja"} <= names
    assert not {"model.safetensors", "config.json", "checkpoints", "README.md"} & names
    config = json.loads((folders / "adapter/adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == str((folders / "base").resolve())
    small = (folders / "adapter/adapter_model.safetensors").stat().st_size
    assert small < (folders / "merged/model.safetensors").stat().st_size / 2


def test_it_loads_as_the_merged_model(folders):
    kept = load_model(folders / "adapter", dtype=torch.float32, device="cpu")
    merged = weights(folders / "merged")
    assert kept.state_dict().keys() == merged.keys()
    assert all(torch.equal(value, merged[name]) for name, value in kept.state_dict().items())
    assert not any(
        torch.equal(merged[name], value) for name, value in weights(folders / "base").items() if "proj" in name
    )
    assert kept.generation_config.eos_token_id == [load_tokenizer(folders / "base").convert_tokens_to_ids(END)]


def test_the_folder_says_what_it_is(folders):
    base, adapter = inspect_model(folders / "base"), inspect_model(model_folder(str(folders / "adapter")))
    assert (adapter.parameters, adapter.architecture, adapter.context) == (
        base.parameters,
        base.architecture,
        base.context,
    )
    assert adapter.bytes == base.bytes + (folders / "adapter/adapter_model.safetensors").stat().st_size


def test_the_engine_loads_it(folders):
    asked = [LikelihoodRequest("1", "a garden", " and a reef")]
    found = [
        open_engine(EngineConfig(dtype="float32", device="cpu"), folders / name, END).loglikelihood(asked)[0].logprob
        for name in ("adapter", "merged", "base")
    ]
    assert found[0] == found[1] != found[2]


def test_it_can_be_trained_on(folders, rows, tmp_path):
    train(folders / "adapter", rows, tmp_path / "a", steps=2)
    train(folders / "merged", rows, tmp_path / "b", steps=2)
    assert_same(tmp_path / "a", tmp_path / "b", tolerance=0)


def edit(file, **fields):
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


def test_the_base_may_be_named_relative_to_the_folder(copied, monkeypatch, tmp_path):
    edit(copied / "adapter/adapter_config.json", base_model_name_or_path="../base")
    monkeypatch.chdir(tmp_path)
    load_model(copied / "adapter", dtype=torch.float32, device="cpu")
    relative = os.path.relpath(copied / "adapter")
    load_model(model_folder(f"./{relative}"), dtype=torch.float32, device="cpu")


def test_a_base_that_is_gone_or_another_is_told(copied):
    edit(copied / "adapter/adapter_config.json", base_model_name_or_path="../gone")
    for use in (inspect_model, lambda folder: load_model(folder, dtype=torch.float32, device="cpu")):
        with pytest.raises(ModelError, match=r"adapter: is an adapter to the model at \.\./gone, which is not there"):
            use(copied / "adapter")
    edit(copied / "adapter/adapter_config.json", base_model_name_or_path="../merged")
    with pytest.raises(ModelError, match=r"merged is not the one that this adapter was trained on; name the right one"):
        load_model(copied / "adapter", dtype=torch.float32, device="cpu")
    (copied / "adapter/adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"adapter_config\.json: names no base_model_name_or_path; copy it again"):
        inspect_model(copied / "adapter")


def test_a_broken_adapter_is_told(copied):
    (copied / "adapter/adapter_model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match=r"adapter: cannot be loaded"):
        load_model(copied / "adapter", dtype=torch.float32, device="cpu")


@pytest.mark.parametrize(("method", "packing"), [("full", False), ("lora", False), ("lora", True)])
def test_the_result_loads_as_it_is_and_answers_alike(tiny_model, rows, tmp_path, monkeypatch, method, packing):
    from humpback.training import save

    kept = []
    usual = save.save_model
    monkeypatch.setattr(save, "save_model", lambda model, *rest: (usual(model, *rest), kept.append(model)))
    config = changed(LORA if method == "lora" else PLAIN, packing=packing, max_tokens=160)
    train(tiny_model, rows, tmp_path, config, steps=6, rate=1e-2)
    fresh, tokenizer = AutoModelForCausalLM.from_pretrained(tmp_path), AutoTokenizer.from_pretrained(tmp_path)
    chat = [{"role": "user", "content": "Say a garden"}]
    inputs = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    answers = [model.eval().generate(**inputs, max_new_tokens=12, do_sample=False).tolist() for model in (*kept, fresh)]
    assert len(answers) == 2
    assert answers[0] == answers[1]
    end = tokenizer.convert_tokens_to_ids(END)
    assert (fresh.generation_config.eos_token_id, fresh.generation_config.pad_token_id) == ([end], end)
    assert not [file for file in tmp_path.rglob("*") if file.suffix in (".bin", ".pt", ".pth", ".pkl")]


@pytest.mark.parametrize("method", ["full", "lora"])
def test_weights_are_stored_as_the_base_stores_them(tiny_model, rows, tmp_path, method):
    half = tmp_path / "half"
    AutoModelForCausalLM.from_pretrained(tiny_model).to(torch.bfloat16).save_pretrained(half)
    AutoTokenizer.from_pretrained(tiny_model).save_pretrained(half)
    assert (stored_dtype(tiny_model), stored_dtype(half)) == ("float32", "bfloat16")
    config = LORA if method == "lora" else PLAIN
    train(half, rows, tmp_path / "out", config, steps=4, rate=1e-2)
    assert stored_dtype(tmp_path / "out") == "bfloat16"
    assert json.loads((tmp_path / "out/config.json").read_text())["dtype"] == "bfloat16"
    assert cross_entropy(tmp_path / "out", rows) < cross_entropy(half, rows) - 0.1


def test_training_on_four_bits_merges_into_the_weights_of_the_base(tiny_model, rows, tmp_path):
    config = changed(LORA, method="qlora")
    result = train(tiny_model, rows, tmp_path / "out", config, steps=10, rate=1e-2)
    assert result.history[-1]["loss"] < result.history[0]["loss"] - 0.2
    before, after = weights(tiny_model), weights(tmp_path / "out")
    for name, value in before.items():
        difference = after[name] - value
        if "proj" not in name:
            assert torch.equal(after[name], value), name
        else:  # nothing is left of the rounding to four bits: what was added has the adapter's rank
            assert difference.abs().max() > 0, name
            assert torch.linalg.matrix_rank(difference, atol=1e-5) <= config.lora.rank, name


def test_a_tracker_gets_the_steps(tiny_model, rows, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    result = train(tiny_model, rows, tmp_path, changed(PLAIN, report_to=["tensorboard"]), steps=3)
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload().Scalars("train/loss")
    assert [event.value for event in events] == pytest.approx([entry["loss"] for entry in result.history])
