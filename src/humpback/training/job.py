"""What one training is given and what it tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from humpback.config import TrainConfig
from humpback.training.recipe import Recipe

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
