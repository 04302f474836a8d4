"""What is handed to TRL, PEFT and transformers, and whether what it needs is there."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from humpback.config import TrainConfig
from humpback.errors import ModelError
from humpback.training.recipe import Recipe

if TYPE_CHECKING:
    from transformers import TrainerCallback
    from trl import SFTConfig

CHECKPOINTS = "checkpoints"


def check_requirements(config: TrainConfig, device: str) -> None:
    """Makes sure that the packages and the device that the settings need are there, before anything is loaded.

    Raises:
        ModelError: something is missing; the message holds the command that installs it.
    """
    if config.method == "qlora":
        _need("bitsandbytes", "train.method: qlora")
        if device == "mps":
            raise ModelError("train.method: qlora: bitsandbytes has no 4-bit weights for mps; use train.method: lora")
    for tracker in config.report_to:
        _need(tracker, f"train.report_to: {tracker}")
    if config.liger:
        if device != "cuda":
            raise ModelError(f"train.liger: Liger's kernels run on NVIDIA GPUs, not on {device}; set it to false")
        _need("liger_kernel", "train.liger", "liger-kernel")


def _need(module: str, setting: str, package: str | None = None) -> None:
    if importlib.util.find_spec(module) is None:
        raise ModelError(f"{setting} needs a package that is not installed: `pip install {package or module}`")


def trainer_settings(
    output: Path,
    config: TrainConfig,
    recipe: Recipe,
    *,
    accumulation: int,
    device: str,
    seed: int,
    bf16: bool,
    early_stop: bool,
    run_name: str,
) -> SFTConfig:
    """TRL's configuration for planned micro-batches, `accumulation` of them a step and process."""
    from trl import SFTConfig

    falls = recipe.rates[1] < recipe.rates[0]
    # vLLM pins a transformers that still has the older name.
    names = SFTConfig.__dataclass_fields__
    recomputing = "activation_checkpointing" if "activation_checkpointing" in names else "gradient_checkpointing"
    return SFTConfig(
        output_dir=str(output / CHECKPOINTS),
        run_name=run_name or None,
        max_steps=recipe.steps,
        per_device_train_batch_size=1,  # an item of the data set is a whole micro-batch
        gradient_accumulation_steps=accumulation,
        learning_rate=recipe.rates[0],
        lr_scheduler_type="polynomial" if falls else "constant",
        lr_scheduler_kwargs={"lr_end": recipe.rates[1], "power": 1.0} if falls else {},
        weight_decay=config.weight_decay,
        max_grad_norm=1.0,
        seed=seed % 2**32,
        data_seed=seed % 2**32,
        bf16=bf16,
        use_cpu=device == "cpu",
        use_liger_kernel=config.liger,
        # Recomputing activations costs a third more time; micro_batch_size is the way to save memory.
        **{recomputing: False},
        max_length=None,  # rows come tokenised and cut
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
        train_sampling_strategy="sequential",  # micro-batches come in the order of training
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to=[name for name in config.report_to if name != "tensorboard"],
        eval_strategy="steps" if early_stop else "no",
        eval_steps=config.eval_steps if early_stop else None,
        metric_for_best_model="loss" if early_stop else None,
        greater_is_better=False if early_stop else None,
        load_best_model_at_end=early_stop,
        restore_callback_states_from_checkpoint=early_stop,
        # The watcher asks for checkpoints by the clock; `best` adds one whenever the held-out loss has fallen.
        save_strategy="best" if early_stop else "steps",
        save_steps=recipe.steps + 1,
        save_total_limit=1,
        ddp_find_unused_parameters=False,
        dataloader_pin_memory=device == "cuda",
    )


def adapter_settings(config: TrainConfig) -> Any:
    """PEFT's configuration of the low-rank adapters, or None for full training."""
    if config.method == "full":
        return None
    from peft import LoraConfig

    lora = config.lora
    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def extra_callbacks(config: TrainConfig, output: Path, *, early_stop: bool) -> list[TrainerCallback]:
    """Callbacks of transformers that the settings ask for."""
    from transformers import EarlyStoppingCallback
    from transformers.integrations import TensorBoardCallback

    callbacks: list[TrainerCallback] = []
    if "tensorboard" in config.report_to:
        from torch.utils.tensorboard import SummaryWriter

        # The folder that transformers would take is removed with the checkpoints.
        callbacks.append(TensorBoardCallback(SummaryWriter(log_dir=str(output / "tensorboard"))))
    if early_stop:
        callbacks.append(EarlyStoppingCallback(early_stopping_patience=config.early_stop or 1))
    return callbacks
