"""A training in this process, through TRL."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from humpback.errors import ModelError
from humpback.models import is_out_of_memory, load_tokenizer, resolved_dtype
from humpback.prompts import TokenRow
from humpback.training.job import Job, StepReport, TrainingResult
from humpback.training.settings import CHECKPOINTS

if TYPE_CHECKING:
    from humpback.training.trainer import TargetTokenTrainer
    from humpback.training.watcher import Watcher


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
