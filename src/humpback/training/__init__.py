"""Supervised fine-tuning on prompt/completion pairs, through TRL, PEFT and accelerate."""

from humpback.training.loss import HeldOutLoss, held_out_loss, paired_difference
from humpback.training.recipe import Recipe, recipe_for
from humpback.training.sft import TrainingResult, fine_tune

__all__ = [
    "HeldOutLoss",
    "Recipe",
    "TrainingResult",
    "fine_tune",
    "held_out_loss",
    "paired_difference",
    "recipe_for",
]
