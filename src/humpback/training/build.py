"""Puts a training together: model, plan of batches, trainer and watcher."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from datasets import Dataset
from transformers import PreTrainedModel, PreTrainedTokenizerBase, PrinterCallback

from humpback.prompts import TokenRow
from humpback.training.batches import plan_batches
from humpback.training.collate import Collator, check_packing
from humpback.training.faults import memory_estimate, not_finite, out_of_memory
from humpback.training.job import Job, StepReport
from humpback.training.settings import adapter_settings, extra_callbacks, trainer_settings
from humpback.training.start import starting_model
from humpback.training.trainer import TargetTokenTrainer
from humpback.training.watcher import Watcher


def build_trainer(
    job: Job,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[TokenRow],
    held_out: Sequence[TokenRow],
    dtype: torch.dtype,
    on_step: StepReport,
) -> tuple[TargetTokenTrainer, Watcher]:
    """The trainer of `job`, ready to run, and what watches it."""
    config = job.config
    plan = plan_batches(rows, job.recipe, config, job.seed)
    model = starting_model(job.base, config, device=job.device, dtype=dtype)
    if config.packing:
        check_packing(model)
    bf16 = dtype == torch.bfloat16
    early_stop = config.early_stop is not None and bool(held_out)
    # Every process evaluates all of them, a micro-batch at a time.
    size = job.recipe.micro_batch_size
    numbers = range(len(rows), len(rows) + len(held_out))
    evaluated = [list(numbers[first : first + size]) for first in range(0, len(numbers), size)]

    def too_large() -> str:
        longest = max(rows, key=lambda row: len(row.input_ids))
        estimate = memory_estimate(trainer.model, longest, bf16=bf16, sharing=config.processes)
        return out_of_memory(rows, estimate, config)

    def describe(step: int, loss: float) -> str:
        guilty = trainer.rows_not_finite() or plan.rows_of(step)
        return not_finite(step, loss, [rows[number] for number in guilty])

    trainer = TargetTokenTrainer(
        collator=Collator([*rows, *held_out], int(tokenizer.pad_token_id or 0), config.packing),
        held_out=evaluated,
        too_large=too_large,
        model=model,
        args=trainer_settings(
            job.output,
            config,
            job.recipe,
            accumulation=plan.per_step // config.processes,
            device=job.device,
            seed=job.seed,
            bf16=bf16,
            early_stop=early_stop,
            run_name=job.run_name,
        ),
        train_dataset=Dataset.from_dict({"rows": plan.micro_batches}),
        eval_dataset=Dataset.from_dict({"rows": evaluated}) if early_stop else None,
        processing_class=tokenizer,
        peft_config=adapter_settings(config),
    )
    trainer.remove_callback(PrinterCallback)
    _adapters_in_float32(trainer.model)
    for callback in extra_callbacks(config, job.output, early_stop=early_stop):
        trainer.add_callback(callback)
    watcher = Watcher(trainer, on_step, describe, config.checkpoint_minutes)
    trainer.add_callback(watcher)
    return trainer, watcher


def _adapters_in_float32(model: PreTrainedModel | Any) -> None:
    """TRL keeps the adapters of a 4-bit base in bfloat16, which rounds small updates away."""
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
