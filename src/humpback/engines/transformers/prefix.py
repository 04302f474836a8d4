"""What many prompts begin with, computed once: its keys and values, shared by all rows of a batch."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from humpback.engines.tokens import common_prefix

if TYPE_CHECKING:
    from transformers import PreTrainedModel

LEAST_SHARED = 16
"""A shorter beginning is not worth a pass of its own (ours: a system prompt of one line has about ten tokens)."""


class SharedPrefix:
    """The tokens that all rows begin with, `length` of them, and the model's key-value cache for these."""

    def __init__(self, model: PreTrainedModel, rows: Sequence[list[int]]) -> None:
        shared = common_prefix(rows) if len(rows) > 1 else 0
        self.length = shared if shared >= LEAST_SHARED else 0
        self._cache = _computed(model, rows[0][: self.length]) if self.length else None

    def cache(self, rows: int) -> Any:
        """A cache for so many rows, to go on from; None where nothing is shared."""
        if self._cache is None:
            return None
        repeated = copy.deepcopy(self._cache)
        repeated.batch_repeat_interleave(rows)
        return repeated


@torch.inference_mode()  # type: ignore[untyped-decorator]
def _computed(model: PreTrainedModel, ids: list[int]) -> Any:
    tokens = torch.tensor([ids], device=model.device)
    return model(input_ids=tokens, use_cache=True, logits_to_keep=1).past_key_values
