"""Direct preference optimisation (Rafailov et al. 2023, arXiv 2305.18290) through TRL, on tokens made beforehand."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import Dataset
from transformers import PreTrainedTokenizerBase, PrinterCallback
from trl import DPOTrainer

from humpback.config import TrainConfig
from humpback.errors import ModelError
from humpback.models import device_name, is_out_of_memory, load_tokenizer, resolved_dtype
from humpback.models.adapter import is_adapter
from humpback.prompts import Pair, tokenise_pair
from humpback.prompts.tokens import IGNORED
from humpback.training.preference_settings import PreferenceRecipe, dpo_settings
from humpback.training.save import save_result
from humpback.training.settings import CHECKPOINTS, adapter_settings, check_requirements, extra_callbacks
from humpback.training.start import starting_model
from humpback.training.watcher import Watcher, last_checkpoint

StepReport = Callable[[dict[str, float]], None]


@dataclass(frozen=True, slots=True)
class PreferenceRow:
    """A prompt and two answers to it as tokens; `is_cut` where an answer lost its end, and its end token."""

    prompt_ids: list[int]
    chosen_ids: list[int]
    rejected_ids: list[int]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class PreferenceResult:
    """What a preference tuning did: its recipe, the figures of every step as TRL names them, and its arithmetic."""

    recipe: PreferenceRecipe
    history: list[dict[str, float]]
    dtype: str


class PreferenceTrainer(DPOTrainer):  # type: ignore[misc]
    """TRL's trainer for rows that are tokens already.

    TRL would render and tokenise the conversation as a whole, which may merge tokens where the answer begins, and
    would train what a template writes behind the end of an answer.
    """

    def _prepare_dataset(self, dataset: Dataset, *rest: object) -> Dataset:
        return dataset


def preference_row(
    tokenizer: PreTrainedTokenizerBase, chosen: Pair, rejected: Pair, max_tokens: int
) -> PreferenceRow | None:
    """The row of two pairs with the same prompt; None where nothing would be left to tell them apart.

    The tokens are those that supervised training makes of either pair.
    """
    rows = [tokenise_pair(tokenizer, pair, max_tokens) for pair in (chosen, rejected)]
    if rows[0] is None or rows[1] is None or rows[0].input_ids == rows[1].input_ids:
        return None
    start = rows[0].labels.count(IGNORED)
    return PreferenceRow(
        rows[0].input_ids[:start],
        rows[0].input_ids[start:],
        rows[1].input_ids[start:],
        is_cut=rows[0].is_cut or rows[1].is_cut,
    )


def check_preference_tuning(base: Path, config: TrainConfig, device: str) -> None:
    """Makes sure that the settings can be used, before anything is loaded.

    Raises:
        ModelError: a package or the device is missing, or an adapter would be trained on four bits.
    """
    if config.method == "qlora" and is_adapter(base):
        raise ModelError(
            f"{base}: is an adapter, and another cannot be trained on it in 4 bits; use train.method: lora, or a run "
            "with train.lora.merge: true"
        )
    check_requirements(config, device_name(device))


def tune_preferences(
    base: Path,
    rows: Sequence[PreferenceRow],
    output: Path,
    config: TrainConfig,
    recipe: PreferenceRecipe,
    *,
    device: str,
    seed: int,
    end: str,
    chat_template: str | None = None,
    on_step: StepReport = lambda entry: None,
    run_name: str = "",
) -> PreferenceResult:
    """Tunes the model in folder `base` to prefer the chosen answers and leaves a model folder at `output`.

    Weights or adapters are trained as `config` says, in one process. Without dropout: what the model gains is measured
    against what it was, and noise in one of the two would be taken for a preference. Checkpoints of a stopped attempt
    in `output` are gone on from.

    Raises:
        ModelError: a package or the device is missing, the loss is not a number, or memory ran out.
    """
    check_preference_tuning(base, config, device)
    device = device_name(device)
    dtype = resolved_dtype(config.dtype, device)
    tokenizer = load_tokenizer(base)
    bf16 = str(dtype) == "torch.bfloat16"
    checkpoints = output / CHECKPOINTS
    with _memory_explained(recipe, rows), _quiet_bars():
        trainer = PreferenceTrainer(
            model=starting_model(base, config.model_copy(update={"dropout": 0.0}), device=device, dtype=dtype),
            args=dpo_settings(
                checkpoints, config, recipe, device=device, seed=seed, bf16=bf16, run_name=run_name or output.name
            ),
            train_dataset=_dataset(rows),
            processing_class=tokenizer,
            peft_config=adapter_settings(config),
        )
        _watch(trainer, output, config, on_step)
        trainer.train(resume_from_checkpoint=last_checkpoint(checkpoints))
    tokenizer.chat_template = chat_template or tokenizer.chat_template
    save_result(trainer, tokenizer, base, output, config, end)
    shutil.rmtree(checkpoints, ignore_errors=True)
    history = [entry for entry in trainer.state.log_history if "loss" in entry]
    return PreferenceResult(recipe, history, str(dtype).removeprefix("torch."))


def _dataset(rows: Sequence[PreferenceRow]) -> Dataset:
    columns = ("prompt_ids", "chosen_ids", "rejected_ids")
    return Dataset.from_dict({name: [getattr(row, name) for row in rows] for name in columns})


def _watch(trainer: Any, output: Path, config: TrainConfig, on_step: StepReport) -> None:
    """Reports every step, stops on a loss that is no number, and asks for checkpoints."""
    trainer.remove_callback(PrinterCallback)
    for parameter in trainer.model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()  # bfloat16, TRL's for adapters on 4 bits, rounds small updates away
    for callback in extra_callbacks(config, output, early_stop=False):
        trainer.add_callback(callback)
    trainer.add_callback(Watcher(trainer, on_step, _not_finite, config.checkpoint_minutes))


def _not_finite(step: int, loss: float) -> str:
    return f"the loss at step {step} is {loss}; use a smaller --learning-rate, or -s train.dtype=float32"


@contextmanager
def _memory_explained(recipe: PreferenceRecipe, rows: Sequence[PreferenceRow]) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, ModelError) or not is_out_of_memory(error):
            raise
        longest = max(len(row.prompt_ids) + max(len(row.chosen_ids), len(row.rejected_ids)) for row in rows)
        smaller = "-s train.micro_batch_size=2, " if recipe.micro_batch_size > 1 else ""
        raise ModelError(
            f"out of memory in preference tuning, {recipe.micro_batch_size} pairs of up to {longest} tokens at a time: "
            f"give {smaller}-s train.max_tokens below {longest}, or -s train.method=lora"
        ) from error


@contextmanager
def _quiet_bars() -> Iterator[None]:
    """Keeps TRL from drawing a bar of its own; it asks the environment alone."""
    before = os.environ.get("TQDM_DISABLE")
    os.environ["TQDM_DISABLE"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["TQDM_DISABLE"]
        else:
            os.environ["TQDM_DISABLE"] = before
