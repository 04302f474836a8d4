"""Loading: safetensors only, no code of the model's own, on the right device in the right arithmetic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from humpback.errors import ModelError

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
    """The tokenizer in `folder`, with a padding token (the end token where it has none of its own)."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(folder: Path, *, dtype: torch.dtype, device: str) -> PreTrainedModel:
    """The causal language model in `folder`.

    Raises:
        ModelError: its weights do not fit its configuration, or its architecture is unknown to transformers.
    """
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, use_safetensors=True)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"model: {folder}: cannot be loaded: {str(error).splitlines()[0][:300]}") from error
    return model.to(device)
