"""Held-out loss: how likely a model finds answers that humans wrote and that it was not trained on.

Every pair counts its negative log-likelihood per token. Two models are compared pair by pair, which removes the
spread between easy and hard pairs: a hundred pairs resolve differences of .005 where the means alone would not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class HeldOutLoss:
    """Mean over pairs of the negative log-likelihood per token, in nats, with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float
    pairs: int


def held_out_loss(losses: Sequence[float], *, samples: int, seed: int) -> HeldOutLoss:
    """The mean of per-pair losses with its interval (percentile bootstrap over pairs, Efron 1979)."""
    values = np.asarray(losses, dtype=np.float64)
    generator = np.random.default_rng(seed)
    picks = generator.integers(0, len(values), size=(samples, len(values)))
    low, high = np.percentile(values[picks].mean(axis=1), [2.5, 97.5])
    return HeldOutLoss(float(values.mean()), float(low), float(high), len(values))


def paired_difference(losses: Sequence[float], reference: Sequence[float], *, samples: int, seed: int) -> HeldOutLoss:
    """The mean of `losses - reference`, pair by pair, with its interval: below zero where the model is better."""
    differences = [loss - other for loss, other in zip(losses, reference, strict=True)]
    return held_out_loss(differences, samples=samples, seed=seed)
