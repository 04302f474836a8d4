"""How models are trained."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from humpback.config.section import Fraction, Section

# Tokens that a row of the backward model needs beside the text: some 60 of the question, as many of the instruction.
BACKWARD_ROOM = 128


class LoraConfig(Section):
    """Low-rank adapters instead of full training."""

    rank: int = Field(default=16, ge=1)
    """Rank of the update (Hu et al. 2021, arXiv 2106.09685)."""

    alpha: int = Field(default=32, ge=1)
    """Scale of the update, divided by the rank."""

    dropout: float = Field(default=0.05, ge=0, lt=1)
    """Dropout before the first adapter matrix."""

    merge: bool = True
    """Merge the adapter into the saved model. `false` saves the adapter alone, some hundredth of the size, which loads
    only where its base model stays."""


class TrainConfig(Section):
    """Supervised fine-tuning, the same for the backward and every forward model."""

    method: Literal["full", "lora", "qlora"] = "full"
    """Train all weights, as the paper does, or low-rank adapters, with `qlora` on a base held in 4 bits (Dettmers et
    al. 2023, arXiv 2305.14314; needs `pip install bitsandbytes`)."""

    lora: LoraConfig = LoraConfig()
    """Used with `method: lora` and `qlora`."""

    learning_rate: float | None = Field(default=None, gt=0)
    """Highest learning rate; null takes the paper's 1e-5 (section 3.1) from one billion parameters on and, below,
    1e-4, which measured best on SmolLM2-135M (docs/experiments.md). With adapters null takes 2e-4."""

    final_learning_rate_ratio: Fraction = 0.9
    """The rate falls linearly to this share of the highest (paper: 1e-5 to 9e-6)."""

    steps: int | None = Field(default=None, ge=1)
    """Optimiser steps; null takes the paper's for the number of examples (table 18, interpolated)."""

    batch_size: int | None = Field(default=None, ge=1)
    """Examples a step; null takes the paper's: 8 below 3,000 examples, else 32."""

    micro_batch_size: int = Field(default=4, ge=1)
    """Examples held in memory at once; gradients are accumulated up to `batch_size`. Halved when memory runs out."""

    packing: bool = False
    """Join the rows of a micro-batch end to end, each seeing itself only, instead of padding them to equal length.
    Pays with flash attention and rows of very different lengths (docs/training.md)."""

    processes: int = Field(default=1, ge=1)
    """Processes among which weights, gradients and optimiser are shared out (FSDP); one a GPU."""

    machines: int = Field(default=1, ge=1)
    """Machines of the cluster (`cluster.address`) that `processes` are on, as many on each; they must see the run's
    folder and the base model at the same place. 1: this machine."""

    max_tokens: int = Field(default=1024, ge=BACKWARD_ROOM + 32)
    """Longest training row, prompt and answer; longer answers are cut, without an end token, and counted. At least
    128 more than `prompts.max_text_tokens`."""

    weight_decay: float = Field(default=0.1, ge=0)
    """Decoupled weight decay (paper, section 3.1)."""

    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Dropout where the architecture has one (paper, section 3.1); models without it ignore this, saying so."""

    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of training; weights and optimiser stay float32. `auto` as in `engine.dtype`."""

    checkpoint_minutes: float = Field(default=10, gt=0)
    """An interrupted training goes on from its last checkpoint, written this often."""

    early_stop: int | None = Field(default=None, ge=1)
    """Stop when the loss on rows set aside has not fallen in so many evaluations, and keep the best weights. Null
    trains a fixed number of steps, as the paper does."""

    eval_steps: int = Field(default=10, ge=1)
    """Steps between two evaluations of `early_stop`."""

    report_to: list[Literal["tensorboard", "wandb", "trackio", "mlflow"]] = Field(default_factory=list)
    """Trackers that get the figures of every step; each must be installed."""

    liger: bool = False
    """Liger's kernels for the layers, on NVIDIA GPUs (`pip install liger-kernel`)."""
