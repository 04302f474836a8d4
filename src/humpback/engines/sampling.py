"""Nucleus sampling whose draws depend on each row's own seed, not on its place in a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from transformers import LogitsProcessor

from humpback.engines.base import Sampling

if TYPE_CHECKING:
    import torch


class SeededNucleus(LogitsProcessor):  # type: ignore[misc]
    """Leaves one token a row: the one that nucleus sampling draws with the row's own uniform number for this step.

    Used under greedy search, where it makes the result an exact sample: inverse transform sampling over the nucleus
    (Holtzman et al. 2019, arXiv 1904.09751) with numbers from a Philox stream keyed by the row's seed.
    """

    def __init__(self, seeds: Sequence[int], sampling: Sampling) -> None:
        self._uniforms = np.stack(
            [np.random.Generator(np.random.Philox(key=seed)).random(sampling.max_new_tokens) for seed in seeds]
        )  # (batch, step)
        self._temperature = sampling.temperature
        self._top_p = sampling.top_p
        self._step = 0

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """Scores that are minus infinity but for the drawn token. Shapes: (batch, seq) and (batch, vocabulary)."""
        import torch

        probabilities = torch.softmax(scores.float() / self._temperature, dim=-1)
        ordered, tokens = torch.sort(probabilities, dim=-1, descending=True, stable=True)
        cumulative = torch.cumsum(ordered, dim=-1)
        inside = cumulative - ordered < self._top_p  # the smallest set that reaches top_p; never empty
        mass = torch.where(inside, ordered, 0.0).sum(dim=-1, keepdim=True)
        uniforms = torch.as_tensor(self._uniforms[:, self._step], device=scores.device, dtype=cumulative.dtype)
        self._step += 1
        rank = torch.searchsorted(cumulative, uniforms[:, None] * mass, right=True)
        rank = torch.minimum(rank, inside.sum(dim=-1, keepdim=True) - 1)
        chosen = tokens.gather(-1, rank)
        return torch.full_like(scores, float("-inf")).scatter(-1, chosen, 0.0)
