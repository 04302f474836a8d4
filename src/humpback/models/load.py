"""Loading: safetensors only, no code of the model's own, on the right device in the right arithmetic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from humpback.errors import ModelError
from humpback.models.adapter import ADAPTER_CONFIG, adapter_base, is_adapter, recorded_digest
from humpback.models.folder import model_digest

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def device_name(wanted: str) -> str:
    """The device for `auto`, `cpu`, `cuda` or `mps`.

    Raises:
        ModelError: the wanted device is not there.
    """
    import torch

    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if there[name])
    if not there[wanted]:
        raise ModelError(f"engine.device: {wanted}: torch sees no such device here; use `auto`")
    return wanted


def resolved_dtype(wanted: str, device: str) -> torch.dtype:
    """The torch type for `auto`, `float32` or `bfloat16`: `auto` is bfloat16 where the hardware computes in it."""
    import torch

    if wanted == "auto":
        wanted = "bfloat16" if _computes_bfloat16(device) else "float32"
    return torch.bfloat16 if wanted == "bfloat16" else torch.float32


def _computes_bfloat16(device: str) -> bool:
    import torch

    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device == "cpu":
        # Without matrix instructions for it, bfloat16 on a CPU is emulated and slower than float32.
        return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())
    return False


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out; on a CPU torch says so in the text of a plain RuntimeError only."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(
        text in str(error) for text in ("can't allocate memory", "not enough memory", "out of memory")
    )


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer in `folder`, with a padding token (the end token where it has none of its own).

    Raises:
        ModelError: it would be code of the folder's own, which is never run.
    """
    from transformers import AutoTokenizer

    try:
        # Not left out: transformers would then ask at the terminal whether to run the code, or anybody at the pipe.
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except ValueError as error:
        raise _own_code(folder, error) or error from None
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(
    folder: Path, *, dtype: torch.dtype, device: str, attention: str | None = None, quantisation: Any = None
) -> PreTrainedModel:
    """The causal language model in `folder`; an adapter is merged into its base, in float32, and then rounded.

    Args:
        folder: of a model or an adapter.
        dtype: type of the weights.
        device: as `device_name` gives it.
        attention: transformers' name of an attention implementation, None for its own choice.
        quantisation: transformers' configuration of quantised weights; they stay where it puts them.

    Raises:
        ModelError: its weights do not fit its configuration, its architecture is unknown to transformers, or the base
            model of an adapter is not the one it was trained on.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    if is_adapter(folder) and quantisation is None:
        model = load_model(checked_base(folder), dtype=torch.float32, device="cpu", attention=attention)
        return _merged(model, folder).to(dtype).to(device)
    try:
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype,
            trust_remote_code=False,
            use_safetensors=True,
            attn_implementation=attention,
            quantization_config=quantisation,
            device_map=None if quantisation is None else device,
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        if refusal := _own_code(folder, error):
            raise refusal from None
        raise ModelError(f"model: {folder}: cannot be loaded: {str(error).splitlines()[0][:300]}") from error
    return model.to(device) if quantisation is None else model


def _own_code(folder: Path, error: Exception) -> ModelError | None:
    """What to say where transformers refuses a folder for its own code; None for any other error."""
    if "trust_remote_code" not in str(error):
        return None
    return ModelError(
        f"model: {folder}: needs Python code of its own (auto_map in its configuration), which Humpback never runs; "
        "take a model whose architecture transformers knows, or serve this one yourself (engine.kind: http)"
    )


def checked_base(folder: Path) -> Path:
    """Folder of the base model of the adapter in `folder`.

    Raises:
        ModelError: it is not there, or not the one that the adapter was trained on.
    """
    base = adapter_base(folder)
    recorded = recorded_digest(folder)
    if recorded is not None and recorded != model_digest(str(base)):
        raise ModelError(
            f"model: {folder}: the model at {base} is not the one that this adapter was trained on; name the right one "
            f"in {ADAPTER_CONFIG}, or train again"
        )
    return base


def _merged(model: PreTrainedModel, folder: Path) -> PreTrainedModel:
    """`model` with the adapter in `folder` merged into its weights, and the adapter's generation settings."""
    from peft import PeftModel
    from safetensors import SafetensorError
    from transformers import GenerationConfig

    try:
        merged = PeftModel.from_pretrained(model, folder).merge_and_unload().requires_grad_(True)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"model: {folder}: cannot be loaded: {str(error).splitlines()[0][:300]}") from error
    if (folder / "generation_config.json").exists():
        merged.generation_config = GenerationConfig.from_pretrained(folder)
    return merged
