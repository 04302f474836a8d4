"""The paper's training settings, and what stands in for them on small models."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from humpback.config import TrainConfig

# Table 18: optimiser steps by number of examples. The paper changes from batch 8 to 32 below 3,200 examples.
STEPS = (
    (100, 30),
    (800, 300),
    (1_600, 600),
    (3_200, 500),
    (6_400, 600),
    (12_800, 600),
    (25_600, 1_200),
    (51_200, 1_600),
)
SMALL_BATCH, LARGE_BATCH = 8, 32
LARGE_BATCH_FROM = 3_000  # section 3.1

PAPER_RATE = 1e-5  # section 3.1, for 7B to 65B parameters
SMALL_MODEL_RATE = 1e-4  # ours: measured on SmolLM2-135M, see docs/experiments.md
SMALL_MODEL_BELOW = 1_000_000_000  # parameters; ours: between the size we measured and the paper's smallest
LORA_RATE = 2e-4  # PEFT's customary rate; low-rank updates need about ten times the full one


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings of one training, all decided. `rates` are the first and the last learning rate."""

    steps: int
    batch_size: int
    micro_batch_size: int
    rates: tuple[float, float]

    @property
    def accumulation(self) -> int:
        """Micro-batches a step."""
        return self.batch_size // self.micro_batch_size


def recipe_for(examples: int, parameters: int, config: TrainConfig) -> Recipe:
    """The settings for a training set of `examples` rows and a model of so many parameters.

    A micro-batch that does not divide the batch is made smaller until it does.
    """
    batch = config.batch_size or (SMALL_BATCH if examples < LARGE_BATCH_FROM else LARGE_BATCH)
    micro = min(config.micro_batch_size, batch)
    while batch % micro:
        micro -= 1
    rate = config.learning_rate or _default_rate(parameters, config)
    return Recipe(config.steps or paper_steps(examples), batch, micro, (rate, rate * config.final_learning_rate_ratio))


def paper_steps(examples: int) -> int:
    """Steps for so many examples: table 18, linear between its rows and in proportion outside them."""
    first, last = STEPS[0], STEPS[-1]
    if examples <= first[0]:
        return max(1, round(first[1] * examples / first[0]))
    for (low, low_steps), (high, high_steps) in itertools.pairwise(STEPS):
        if examples <= high:
            return round(low_steps + (high_steps - low_steps) * (examples - low) / (high - low))
    return round(last[1] * examples / last[0])


def _default_rate(parameters: int, config: TrainConfig) -> float:
    if config.method != "full":
        return LORA_RATE
    return SMALL_MODEL_RATE if parameters < SMALL_MODEL_BELOW else PAPER_RATE
