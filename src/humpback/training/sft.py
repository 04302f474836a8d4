"""One fine-tuning: token rows in, a complete model folder out."""

from __future__ import annotations

import errno
import logging
import math
import random
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from humpback.config import TrainConfig
from humpback.errors import ModelError
from humpback.models import device_name, is_out_of_memory, load_model, load_tokenizer, resolved_dtype
from humpback.prompts import TokenRow
from humpback.training.recipe import Recipe

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, Trainer, TrainerCallback

log = logging.getLogger(__name__)

CHECKPOINTS = "checkpoints"
COMPLETE_FILE = "complete"  # written into a checkpoint last, so that one whose writing was stopped is not gone on from
WINDOW_BATCHES = 50  # batches among which rows are sorted by length; as in transformers' sampler by length


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What a training did: its recipe, the loss by step, and its speed in tokens of training rows a second."""

    recipe: Recipe
    history: list[dict[str, float]]
    tokens_per_second: float
    tokens: int
    dtype: str


def fine_tune(
    base: Path,
    rows: Sequence[TokenRow],
    output: Path,
    config: TrainConfig,
    recipe: Recipe,
    *,
    device: str,
    seed: int,
    end: str,
    chat_template: str | None = None,
    on_step: Callable[[dict[str, float]], None] = lambda entry: None,
    save: bool = True,
) -> TrainingResult:
    """Trains the model in folder `base` on `rows` and leaves a whole model folder at `output`.

    Args:
        base: folder of the base model; never changed.
        rows: token rows, in any order; the order of training depends on `seed` alone.
        output: folder for weights, tokenizer and generation settings. Checkpoints of a stopped attempt in it are
            gone on from.
        config: the method and arithmetic.
        recipe: steps, batch and rates, from `recipe_for`.
        device: as in `engine.device`.
        seed: for the order of the rows and for dropout.
        end: text of the token that ends an answer, stored as the model's end token.
        chat_template: the template that the rows were rendered with, stored with the tokenizer in place of its own.
        on_step: called after every optimiser step with its figures.
        save: whether the model is kept; a probe of the speed has no use for it.

    Raises:
        ModelError: the loss is not a number, or memory ran out on the smallest batch.
    """
    import torch

    device = device_name(device)
    dtype = resolved_dtype(config.dtype, device)
    tokenizer = load_tokenizer(base)
    model = load_model(base, dtype=torch.float32, device=device)
    _set_dropout(model, config.dropout)
    trainer = _trainer(
        model, tokenizer, rows, output, config, recipe, device=device, seed=seed, bf16=dtype == torch.bfloat16
    )
    marks: list[dict[str, float]] = []

    def mark(entry: dict[str, float]) -> None:
        marks.append(entry)
        on_step(entry)

    trainer.add_callback(_watcher(mark, config.checkpoint_minutes))
    started = time.monotonic()
    _train(trainer, output)
    seconds = time.monotonic() - started
    if save:
        tokenizer.chat_template = chat_template or tokenizer.chat_template
        _save(trainer, tokenizer, output, config, end)
    tokens = _trained_tokens(rows, recipe)
    speed = tokens * len(marks) / recipe.steps / seconds  # only the steps since the last start took these seconds
    history = [entry for entry in trainer.state.log_history if "loss" in entry]
    return TrainingResult(recipe, history, speed, tokens, str(dtype).removeprefix("torch."))


def _trainer(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[TokenRow],
    output: Path,
    config: TrainConfig,
    recipe: Recipe,
    *,
    device: str,
    seed: int,
    bf16: bool,
) -> Trainer:
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    from humpback.training.trainer import TargetTokenTrainer

    falls = recipe.rates[1] < recipe.rates[0]
    settings = SFTConfig(
        output_dir=str(output / CHECKPOINTS),
        max_steps=recipe.steps,
        per_device_train_batch_size=recipe.micro_batch_size,
        gradient_accumulation_steps=recipe.accumulation,
        learning_rate=recipe.rates[0],
        lr_scheduler_type="polynomial" if falls else "constant",
        lr_scheduler_kwargs={"lr_end": recipe.rates[1], "power": 1.0} if falls else {},
        weight_decay=config.weight_decay,
        max_grad_norm=1.0,
        seed=seed % 2**32,
        data_seed=seed % 2**32,
        bf16=bf16,
        use_cpu=device == "cpu",
        # Recomputing activations costs a third more time; micro_batch_size is the way to save memory.
        activation_checkpointing=False,
        max_length=None,  # rows come tokenised and cut
        train_sampling_strategy="sequential",  # rows come in the order of training
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to=[],
        save_strategy="steps",
        save_steps=recipe.steps + 1,  # the watcher asks for checkpoints by the clock
        save_total_limit=1,
        dataloader_pin_memory=device == "cuda",
    )
    order = training_order([len(row.input_ids) for row in rows], recipe, seed)
    columns = {"input_ids": [row.input_ids for row in rows], "labels": [row.labels for row in rows]}
    trainer_class = SFTTrainer if device == "cuda" else TargetTokenTrainer
    trainer = trainer_class(
        model=model,
        args=settings,
        train_dataset=Dataset.from_dict(columns).select(order),
        processing_class=tokenizer,
        peft_config=_lora(config) if config.method == "lora" else None,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def training_order(lengths: Sequence[int], recipe: Recipe, seed: int) -> list[int]:
    """The rows of all steps, one after another: epochs of all rows in random order, batches of about equal length.

    Written out beforehand, because a sampler that draws as it goes would draw otherwise in a training that goes on
    from a checkpoint. Without batches of equal length a third of a small batch is padding.
    """
    generator = random.Random(seed)  # noqa: S311 - no secret
    count = recipe.steps * recipe.batch_size
    stream: list[int] = []
    while len(stream) < count:
        stream += generator.sample(range(len(lengths)), len(lengths))
    # A quarter of an epoch at most, so that a batch mixes rows of one epoch only, but for those at its ends.
    window = recipe.batch_size * max(1, min(WINDOW_BATCHES, len(lengths) // (4 * recipe.batch_size)))
    order: list[int] = []
    for start in range(0, count, window):
        rows = sorted(stream[start : min(start + window, count)], key=lambda row: lengths[row])
        batches = [rows[first : first + recipe.batch_size] for first in range(0, len(rows), recipe.batch_size)]
        generator.shuffle(batches)
        order += [row for batch in batches for row in batch]
    return order


def _lora(config: TrainConfig) -> Any:
    from peft import LoraConfig

    lora = config.lora
    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def _watcher(on_step: Callable[[dict[str, float]], None], checkpoint_minutes: float) -> TrainerCallback:
    from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

    class Watcher(TrainerCallback):  # type: ignore[misc]
        """Reports every step, stops on a loss that is no number, and asks for checkpoints by the clock."""

        def __init__(self) -> None:
            self.saved = time.monotonic()

        def on_log(
            self,
            args: TrainingArguments,
            state: TrainerState,
            control: TrainerControl,
            logs: dict[str, float] | None = None,
            **rest: object,
        ) -> None:
            if not logs or "loss" not in logs:
                return
            if not math.isfinite(logs["loss"]):
                raise ModelError(
                    f"the loss at step {state.global_step} is {logs['loss']}; use a smaller train.learning_rate, or "
                    "train.dtype: float32"
                )
            on_step({"step": state.global_step, **logs})

        def on_step_end(
            self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **rest: object
        ) -> None:
            control.should_save = False
            is_last = state.global_step >= state.max_steps
            if not is_last and time.monotonic() - self.saved > checkpoint_minutes * 60:
                control.should_save = True
                self.saved = time.monotonic()

        def on_save(
            self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **rest: object
        ) -> None:
            (Path(args.output_dir) / f"checkpoint-{state.global_step}" / COMPLETE_FILE).touch()

    return Watcher()


def _train(trainer: Trainer, output: Path) -> None:
    try:
        trainer.train(resume_from_checkpoint=_last_checkpoint(output / CHECKPOINTS))
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise ModelError(
            f"out of memory in training; set train.micro_batch_size below {trainer.args.per_device_train_batch_size}, "
            "a smaller train.max_tokens, or train.method: lora"
        ) from error


def _last_checkpoint(folder: Path) -> str | None:
    """The newest complete checkpoint in `folder`; incomplete ones are removed."""
    found: dict[int, Path] = {}
    for checkpoint in folder.glob("checkpoint-*"):
        if (checkpoint / COMPLETE_FILE).exists():
            found[int(checkpoint.name.rpartition("-")[2])] = checkpoint
        else:
            shutil.rmtree(checkpoint)
    return str(found[max(found)]) if found else None


def _save(trainer: Trainer, tokenizer: PreTrainedTokenizerBase, output: Path, config: TrainConfig, end: str) -> None:
    from safetensors import SafetensorError

    model = trainer.accelerator.unwrap_model(trainer.model)
    if config.method == "lora":
        model = model.merge_and_unload()
    end_id = tokenizer.convert_tokens_to_ids(end)
    model.generation_config.eos_token_id = sorted({tokenizer.eos_token_id, end_id})
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.config.use_cache = True
    try:
        model.save_pretrained(output)
    except SafetensorError as error:  # it hides the system's error in its text
        raise OSError(errno.ENOSPC if "os error 28" in str(error) else errno.EIO, str(error)) from error
    tokenizer.save_pretrained(output)
    shutil.rmtree(output / CHECKPOINTS, ignore_errors=True)


def _set_dropout(model: PreTrainedModel, dropout: float) -> None:
    """Sets every dropout probability that the architecture has; Llama and its kin have only attention's."""
    names = ("attention_dropout", "resid_pdrop", "embd_pdrop", "attn_pdrop", "hidden_dropout", "dropout")
    found = [name for name in names if isinstance(getattr(model.config, name, None), float | int)]
    for name in found:
        setattr(model.config, name, dropout)
    for module in model.modules():
        for name in ("attention_dropout", "dropout", "p"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, dropout)
    if dropout and not found:
        log.warning("this architecture has no dropout; train.dropout is ignored")


def _trained_tokens(rows: Sequence[TokenRow], recipe: Recipe) -> int:
    mean = sum(len(row.input_ids) for row in rows) / len(rows)
    return round(mean * recipe.steps * recipe.batch_size)
