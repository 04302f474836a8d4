"""What a training leaves: a whole model folder, or an adapter's."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from humpback.config import TrainConfig
from humpback.models import load_model, model_digest, stored_dtype
from humpback.models.adapter import BASE_FILE
from humpback.workspace import write_json

if TYPE_CHECKING:
    from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase, Trainer


def save_result(
    trainer: Trainer, tokenizer: PreTrainedTokenizerBase, base: Path, output: Path, config: TrainConfig, end: str
) -> None:
    """Writes the trained model to `output`: safetensors, tokenizer with chat template, and generation settings.

    A whole model is written in the type that the base model is stored in, which training leaves for float32 and comes
    back to; an adapter stays float32. An adapter is merged into the base model's own weights, also where it was
    trained on weights of four bits. Called by every process; the first one writes.
    """
    accelerator = trainer.accelerator
    shared = accelerator.num_processes > 1
    state = accelerator.get_state_dict(trainer.model_wrapped) if shared else None  # gathered by all processes together
    if accelerator.is_main_process:
        model = accelerator.unwrap_model(trainer.model)
        if config.method == "full":
            save_model(_whole(model, state, base), tokenizer, base, output, end)
        else:
            _save_adapter(model, state, tokenizer, base, output, config, end)
        tokenizer.save_pretrained(output)
    accelerator.wait_for_everyone()


def _whole(model: PreTrainedModel, state: dict[str, Any] | None, base: Path) -> PreTrainedModel:
    if state is not None:  # the weights in `model` are shares of weights
        model = load_model(base, dtype=torch.float32, device="cpu")
        model.load_state_dict(state)
    with suppress(AttributeError):
        del model.forward  # the trainer's, which returns a loss
    return model


def save_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, base: Path, output: Path, end: str) -> None:
    """Writes `model`, in the type that its base model is stored in."""
    _set_ends(model.generation_config, tokenizer, end)
    model.config.use_cache = True
    model = model.to(getattr(torch, stored_dtype(base)))
    _explained(lambda: model.save_pretrained(output))


def _save_adapter(
    model: Any,
    state: dict[str, Any] | None,
    tokenizer: PreTrainedTokenizerBase,
    base: Path,
    output: Path,
    config: TrainConfig,
    end: str,
) -> None:
    folder = output / "adapter" if config.lora.merge else output
    adapter = model.peft_config[model.active_adapter]
    adapter.base_model_name_or_path = str(base.resolve())
    _explained(lambda: model.save_pretrained(folder, state_dict=state))
    (folder / "README.md").unlink(missing_ok=True)  # PEFT's, which says nothing about this training
    if config.lora.merge:
        merged = load_model(folder, dtype=torch.float32, device="cpu")
        save_model(merged, tokenizer, base, output, end)
        shutil.rmtree(folder)
        return
    generation: GenerationConfig = model.get_base_model().generation_config
    _set_ends(generation, tokenizer, end)
    generation.save_pretrained(folder)
    write_json(folder / BASE_FILE, {"digest": model_digest(str(base))})


def _set_ends(generation: GenerationConfig, tokenizer: PreTrainedTokenizerBase, end: str) -> None:
    end_id = tokenizer.convert_tokens_to_ids(end) if end else tokenizer.eos_token_id
    generation.eos_token_id = sorted({tokenizer.eos_token_id, end_id})
    generation.pad_token_id = tokenizer.pad_token_id


def _explained(write: Callable[[], object]) -> None:
    from safetensors import SafetensorError

    try:
        write()
    except SafetensorError as error:  # it hides the system's error in its text
        raise OSError(errno.ENOSPC if "os error 28" in str(error) else errno.EIO, str(error)) from error
