"""What preference tuning hands to TRL: steps, batch and rates, all decided."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from humpback.config import TrainConfig

if TYPE_CHECKING:
    from pathlib import Path

    from trl import DPOConfig

BETA = 0.1  # Rafailov et al. 2023, arXiv 2305.18290, appendix B; Yuan et al. 2024, arXiv 2401.10020, section 3.1
BATCH = 16  # pairs a step; Yuan et al. 2024, section 3.1
RATE = 1e-6  # Rafailov et al. 2023, appendix B; Yuan et al. 2024, section 3.1
ADAPTER_RATE = 1e-5  # low-rank updates need about ten times the full rate, as in `training.recipe`
FINAL_RATE_RATIO = 0.1  # Yuan et al. 2024, section 3.1: the rate falls from 1e-6 to 1e-7


@dataclass(frozen=True, slots=True)
class PreferenceRecipe:
    """Settings of one preference tuning. `rates` are the first and the last learning rate, batches count pairs."""

    steps: int
    batch_size: int
    micro_batch_size: int
    rates: tuple[float, float]
    beta: float


def preference_recipe(
    pairs: int, config: TrainConfig, *, beta: float = BETA, rate: float | None = None, steps: int | None = None
) -> PreferenceRecipe:
    """The settings for so many pairs: by default each is seen once (ours: the answers are the model's own only then).

    A pair is two rows, so that a micro-batch has half as many pairs as `config` has rows.
    """
    batch = min(config.batch_size or BATCH, pairs)
    micro = max(1, min(config.micro_batch_size // 2, batch))
    while batch % micro:
        micro -= 1
    highest = rate or (RATE if config.method == "full" else ADAPTER_RATE)
    rates = (highest, highest * FINAL_RATE_RATIO)
    return PreferenceRecipe(steps or math.ceil(pairs / batch), batch, micro, rates, beta)


def dpo_settings(
    folder: Path, config: TrainConfig, recipe: PreferenceRecipe, *, device: str, seed: int, bf16: bool, run_name: str
) -> DPOConfig:
    """TRL's configuration; checkpoints stand in `folder`."""
    from trl import DPOConfig

    # Older versions of transformers have the second name.
    names = DPOConfig.__dataclass_fields__
    recomputing = "activation_checkpointing" if "activation_checkpointing" in names else "gradient_checkpointing"
    return DPOConfig(
        output_dir=str(folder),
        run_name=run_name or None,
        beta=recipe.beta,
        max_steps=recipe.steps,
        per_device_train_batch_size=recipe.micro_batch_size,
        gradient_accumulation_steps=recipe.batch_size // recipe.micro_batch_size,
        learning_rate=recipe.rates[0],
        lr_scheduler_type="polynomial",
        lr_scheduler_kwargs={"lr_end": recipe.rates[1], "power": 1.0},
        weight_decay=config.weight_decay,
        max_grad_norm=1.0,
        seed=seed % 2**32,
        data_seed=seed % 2**32,
        bf16=bf16,
        use_cpu=device == "cpu",
        **{recomputing: False},
        max_length=None,  # rows come tokenised and cut
        # What the model was before is asked once, so that no second copy of it is held.
        precompute_ref_log_probs=True,
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to=[name for name in config.report_to if name != "tensorboard"],
        save_steps=recipe.steps + 1,  # the watcher asks for checkpoints by the clock
        save_total_limit=1,
        dataloader_pin_memory=device == "cuda",
    )
