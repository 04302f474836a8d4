"""Supervised fine-tuning on prompt/completion pairs, through TRL, PEFT and accelerate."""

from humpback.training.fine_tuning import fine_tune
from humpback.training.job import TrainingResult
from humpback.training.loss import HeldOutLoss, held_out_loss, paired_difference
from humpback.training.recipe import Recipe, recipe_for

__all__ = [
    "HeldOutLoss",
    "Recipe",
    "TrainingResult",
    "fine_tune",
    "held_out_loss",
    "paired_difference",
    "recipe_for",
]
