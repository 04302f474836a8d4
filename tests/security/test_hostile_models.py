"""A model's folder holds data: whatever it says, none of its code is run, and no pickle is opened."""

from __future__ import annotations

import json
import pickle
import shutil
import sys
from pathlib import Path

import pytest
import torch

from humpback.errors import ModelError
from humpback.models import inspect_model, load_model, load_tokenizer
from humpback.prompts.chat import ChatFormat


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


@pytest.fixture
def sprung(tmp_path) -> Path:
    """The file that any code of the folder's makes."""
    return tmp_path / "sprung"


@pytest.fixture
def folder(tiny_model, tmp_path, monkeypatch) -> Path:
    """A copy of a model, with somebody at the terminal who says yes to everything."""
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


def change(file: Path, **values: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def load(folder: Path) -> None:
    inspect_model(folder)
    load_model(folder, dtype=torch.float32, device="cpu")


def with_code(folder: Path, sprung: Path) -> None:
    (folder / "evil.py").write_text(f"open({str(sprung)!r}, 'w')\nclass Config: pass\nclass Model: pass\n")


def test_a_trap_works(sprung):
    pickle.loads(pickle.dumps(Trap(sprung)))
    assert sprung.exists()


def test_an_architecture_of_its_own_is_refused_and_nobody_is_asked(folder, sprung):
    with_code(folder, sprung)
    names = {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}
    change(folder / "config.json", model_type="evil", architectures=["Evil"], auto_map=names)
    with pytest.raises(ModelError, match=r"needs Python code of its own .* which Humpback never runs; take a model"):
        load(folder)
    assert not sprung.exists()


def test_code_beside_a_known_architecture_is_left_alone(folder, sprung):
    with_code(folder, sprung)
    change(folder / "config.json", auto_map={"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"})
    change(folder / "tokenizer_config.json", auto_map={"AutoTokenizer": ["evil.Config", "evil.Config"]})
    load(folder)
    load_tokenizer(folder)
    assert not sprung.exists()


def test_a_tokenizer_of_its_own_is_refused(folder, sprung):
    with_code(folder, sprung)
    (folder / "tokenizer.json").unlink()
    change(folder / "config.json", model_type="evil", auto_map={"AutoConfig": "evil.Config"})
    change(
        folder / "tokenizer_config.json",
        tokenizer_class="EvilTokenizer",
        auto_map={"AutoTokenizer": ["evil.Config", "evil.Config"]},
    )
    with pytest.raises(ModelError, match="needs Python code of its own"):
        load_tokenizer(folder)
    assert not sprung.exists()


@pytest.mark.parametrize(
    "values",
    [
        {"attn_implementation": "owner/kernel"},
        {"attn_implementation": {"": "owner/kernel"}},
        {"text_config": {"experts_implementation": "owner/kernel@main"}},
    ],
)
def test_kernels_of_the_hub_are_refused(folder, values):
    change(folder / "config.json", **values)
    with pytest.raises(ModelError, match=r"owner/kernel.*, which would be code from the hub; remove it"):
        inspect_model(folder)


@pytest.mark.parametrize("name", ["weights.bin", "../model/weights.safetensors", "/etc/weights.safetensors"])
def test_an_index_names_safetensors_beside_it_only(folder, sprung, name):
    (folder / "weights.bin").write_bytes(pickle.dumps(Trap(sprung)))
    (folder / "model.safetensors").rename(folder / "weights.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(ModelError, match=r"model\.safetensors\.index\.json is broken"):
        load(folder)
    assert not sprung.exists()


def test_pickled_weights_beside_others_are_not_opened(folder, sprung):
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Trap(sprung)))
    load(folder)
    (folder / "model.safetensors").rename(folder / "other.safetensors")
    with pytest.raises(ModelError):
        load(folder)
    assert not sprung.exists()


def adapter(folder: Path, base: Path) -> Path:
    folder.mkdir()
    settings = {"peft_type": "LORA", "base_model_name_or_path": str(base), "target_modules": ["q_proj"], "r": 1}
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    shutil.copy(base / "tokenizer.json", folder)
    return folder


def test_a_pickled_adapter_is_refused(folder, tmp_path, sprung):
    mine = adapter(tmp_path / "adapter", folder)
    (mine / "adapter_model.bin").write_bytes(pickle.dumps(Trap(sprung)))
    shutil.copy(folder / "model.safetensors", mine / "decoy.safetensors")
    with pytest.raises(ModelError, match=r"only adapter_model\.bin, a pickle"):
        inspect_model(mine)
    assert not sprung.exists()


def test_an_adapter_to_itself_is_told(folder, tmp_path):
    first = adapter(tmp_path / "first", folder)
    second = adapter(tmp_path / "second", folder)
    change(first / "adapter_config.json", base_model_name_or_path=str(second))
    change(second / "adapter_config.json", base_model_name_or_path=str(first))
    with pytest.raises(ModelError, match="is an adapter to itself"):
        inspect_model(first)


@pytest.mark.parametrize(
    "template",
    [
        "{{ cycler.__init__.__globals__.os.system('touch SPRUNG') }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{% set _ = messages.append(1) %}",
    ],
)
def test_a_chat_template_reaches_nothing_outside(folder, sprung, template):
    tokenizer = load_tokenizer(folder)
    tokenizer.chat_template = template.replace("SPRUNG", str(sprung))
    with pytest.raises(ModelError, match="the chat template cannot be rendered"):
        ChatFormat.of(tokenizer)
    assert not sprung.exists()


def test_vllm_is_not_told_to_trust_a_folder(folder):
    from humpback.config import EngineConfig
    from humpback.engines.vllm.start import llm_settings

    assert not llm_settings(folder, EngineConfig(kind="vllm"), "cpu").get("trust_remote_code", False)
    assert "vllm" not in sys.modules
