"""Watches a training: reports every step, stops on a loss that is no number, asks for checkpoints by the clock."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from humpback.errors import ModelError
from humpback.training.trainer import TargetTokenTrainer

COMPLETE_FILE = "complete"  # written into a checkpoint last, so that one whose writing was stopped is not gone on from


class Watcher(TrainerCallback):  # type: ignore[misc]
    """One a training."""

    def __init__(
        self,
        trainer: TargetTokenTrainer,
        on_step: Callable[[dict[str, float]], None],
        not_finite: Callable[[int, float], str],
        checkpoint_minutes: float,
    ) -> None:
        self._trainer = trainer
        self._on_step = on_step
        self._not_finite = not_finite
        self._minutes = checkpoint_minutes
        self._saved = self._started = time.monotonic()
        self.steps = 0

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
            raise ModelError(self._not_finite(state.global_step, logs["loss"]))
        self.steps += 1
        self._on_step({"step": state.global_step, "seconds": time.monotonic() - self._started, **logs})

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **rest: object
    ) -> None:
        is_last = state.global_step >= state.max_steps
        due = time.monotonic() - self._saved > self._minutes * 60
        control.should_save = not is_last and self._agreed(due)
        if control.should_save:
            self._saved = time.monotonic()

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **rest: object) -> None:
        self._trainer.accelerator.wait_for_everyone()
        (Path(args.output_dir) / f"checkpoint-{state.global_step}" / COMPLETE_FILE).touch()

    def _agreed(self, due: bool) -> bool:
        """What the first process says: the clocks of the others may not be through yet."""
        accelerator = self._trainer.accelerator
        if accelerator.num_processes == 1:
            return due
        said = torch.tensor(int(due), device=accelerator.device)
        torch.distributed.broadcast(said, src=0)
        return bool(said.item())


def last_checkpoint(folder: Path, *, clean: bool = True) -> str | None:
    """The newest complete checkpoint in `folder`; incomplete ones are removed, by one process only."""
    found: dict[int, Path] = {}
    for checkpoint in folder.glob("checkpoint-*"):
        if (checkpoint / COMPLETE_FILE).exists():
            found[int(checkpoint.name.rpartition("-")[2])] = checkpoint
        elif clean:
            shutil.rmtree(checkpoint)
    return str(found[max(found)]) if found else None
