"""One fine-tuning: token rows in, a complete model folder out."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from humpback.config import ClusterConfig, TrainConfig
from humpback.errors import ModelError
from humpback.models import device_name, is_out_of_memory, load_tokenizer, resolved_dtype
from humpback.prompts import TokenRow
from humpback.training.recipe import Recipe
from humpback.training.settings import CHECKPOINTS, check_requirements

if TYPE_CHECKING:
    from humpback.training.trainer import TargetTokenTrainer
    from humpback.training.watcher import Watcher

StepReport = Callable[[dict[str, float]], None]


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What a training did: its recipe, the loss by step, and its speed in tokens of training rows a second.

    `evaluations` are the losses on the rows held out for `train.early_stop`; the weights are then those of the lowest.
    """

    recipe: Recipe
    history: list[dict[str, float]]
    tokens_per_second: float
    tokens: int
    dtype: str
    evaluations: list[dict[str, float]]


@dataclass(frozen=True, slots=True)
class Job:
    """All that one training is made of, but for its rows and who listens; see `fine_tune`."""

    base: Path
    output: Path
    config: TrainConfig
    recipe: Recipe
    device: str
    seed: int
    end: str
    chat_template: str | None
    save: bool
    run_name: str


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
    on_step: StepReport = lambda entry: None,
    held_out: Sequence[TokenRow] = (),
    save: bool = True,
    run_name: str = "",
    cluster: ClusterConfig | None = None,
) -> TrainingResult:
    """Trains the model in folder `base` on `rows` and leaves a whole model folder at `output`, or an adapter's.

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
        held_out: rows that `train.early_stop` looks at; without any it is off.
        save: whether the model is kept; a probe of the speed has no use for it.
        run_name: the name of the training at trackers.
        cluster: where `train.machines` are found; all of them must see `base` and `output`.

    Raises:
        ModelError: a package or the device is missing, the loss is not a number, or memory ran out on a single row.
        EngineError: machines of the cluster went again and again.
        ConfigError: the batch cannot be dealt out to `train.processes`.
    """
    device = device_name(device)
    check_requirements(config, device)
    job = Job(base, output, config, recipe, device, seed, end, chat_template, save, run_name)
    if config.processes > 1:
        from humpback.training.launched import launch

        return launch(job, rows, held_out, on_step, cluster)
    return train_here(job, rows, held_out, on_step)


def train_here(job: Job, rows: Sequence[TokenRow], held_out: Sequence[TokenRow], on_step: StepReport) -> TrainingResult:
    """As `fine_tune`, in this process, which may be one of several that each call this."""
    from humpback.training.build import build_trainer
    from humpback.training.watcher import last_checkpoint

    dtype = resolved_dtype(job.config.dtype, job.device)
    tokenizer = load_tokenizer(job.base)
    if tokenizer.eos_token_id is None:
        raise ModelError(
            f"{job.base}: its tokenizer has no end-of-sequence token, so answers could never end; set `eos_token` in "
            "its tokenizer_config.json"
        )
    trainer, watcher = build_trainer(job, tokenizer, rows, held_out, dtype, on_step)
    checkpoints = job.output / CHECKPOINTS
    is_first = trainer.accelerator.is_main_process
    found = last_checkpoint(checkpoints, clean=is_first)
    trainer.accelerator.wait_for_everyone()
    started = time.monotonic()
    _train(trainer, found)
    seconds = time.monotonic() - started
    if job.save:
        tokenizer.chat_template = job.chat_template or tokenizer.chat_template
        _save(trainer, tokenizer, job)
    entries = trainer.state.log_history
    steps = trainer.state.global_step
    tokens = round(steps * job.recipe.batch_size * sum(len(row.input_ids) for row in rows) / len(rows))
    return TrainingResult(
        recipe=job.recipe,
        history=[entry for entry in entries if "loss" in entry],
        tokens_per_second=_speed(watcher, tokens, steps, seconds),
        tokens=tokens,
        dtype=str(dtype).removeprefix("torch."),
        evaluations=[entry for entry in entries if "eval_loss" in entry],
    )


def _speed(watcher: Watcher, tokens: int, steps: int, seconds: float) -> float:
    return tokens * watcher.steps / max(1, steps) / seconds  # only the steps since the last start took these seconds


def _train(trainer: TargetTokenTrainer, checkpoint: str | None) -> None:
    try:
        trainer.train(resume_from_checkpoint=checkpoint)
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, ModelError) or not is_out_of_memory(error):
            raise
        raise ModelError(trainer.too_large()) from error


def _save(trainer: TargetTokenTrainer, tokenizer: object, job: Job) -> None:
    from humpback.training.save import save_result

    save_result(trainer, tokenizer, job.base, job.output, job.config, job.end)
    if trainer.accelerator.is_main_process:
        shutil.rmtree(job.output / CHECKPOINTS, ignore_errors=True)
