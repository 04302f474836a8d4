"""Nucleus sampling whose draws depend on each row's own seed, not on its place in a batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from humpback.engines.base import Sampling

HEAD_TOKENS = 1024
"""The nucleus is looked for among so many of the likeliest tokens first, which spares sorting the vocabulary (ours)."""


class SeededNucleus:
    """Draws the next token of each row by nucleus sampling (Holtzman et al. 2019, arXiv 1904.09751).

    Inverse transform sampling with uniform numbers from a Philox stream keyed by the row's seed, one a step: what a
    row draws depends on its seed, its step and its scores alone. Temperature 0 takes the likeliest token.
    """

    def __init__(self, seeds: Sequence[int], sampling: Sampling) -> None:
        self._sampling = sampling
        self._uniforms = torch.from_numpy(
            np.stack(
                [np.random.Generator(np.random.Philox(key=seed)).random(sampling.max_new_tokens) for seed in seeds]
            )
        )  # (rows, step), float64

    def draw(self, scores: torch.Tensor, rows: Sequence[int], step: int) -> torch.Tensor:
        """One token each of `rows`, row numbers, from their scores: (rows, vocabulary) to (rows,)."""
        if self._sampling.temperature == 0:
            return scores.argmax(-1)
        probabilities = torch.softmax(scores.float() / self._sampling.temperature, dim=-1)
        ordered, tokens = _likeliest(probabilities, self._sampling.top_p)
        cumulative = torch.cumsum(ordered, dim=-1)
        inside = cumulative - ordered < self._sampling.top_p  # the smallest set that reaches top_p; never empty
        last = inside.sum(dim=-1, keepdim=True) - 1
        mass = cumulative.gather(-1, last)
        uniforms = self._uniforms[list(rows), step].to(scores.device, cumulative.dtype)
        rank = torch.minimum(torch.searchsorted(cumulative, uniforms[:, None] * mass, right=True), last)
        return tokens.gather(-1, rank)[:, 0]


def _likeliest(probabilities: torch.Tensor, top_p: float) -> tuple[torch.Tensor, torch.Tensor]:
    """The likeliest tokens of each row, enough to hold the nucleus: probabilities and tokens, highest first.

    Equal ones stand in the order of the tokens, so that a row's order does not depend on how many were looked at.
    """
    if probabilities.shape[-1] > HEAD_TOKENS:
        # Sorted by token first, the stable sort below leaves equal ones in that order.
        tokens = probabilities.topk(HEAD_TOKENS, dim=-1, sorted=False).indices.sort(dim=-1).values
        head = probabilities.gather(-1, tokens)
        # Of tokens as likely as the last one here some are missing: the nucleus must end before them.
        above = torch.where(head > head.amin(dim=-1, keepdim=True), head, 0.0).sum(dim=-1)
        if bool((above > top_p).all()):
            ordered, places = torch.sort(head, dim=-1, descending=True, stable=True)
            return ordered, tokens.gather(-1, places)
    ordered, tokens = torch.sort(probabilities, dim=-1, descending=True, stable=True)
    return ordered, tokens
