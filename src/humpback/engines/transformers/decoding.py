"""Writing on from prompts, token by token, in a batch that shrinks as its rows end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

import torch

from humpback.engines.transformers.padding import pad_left
from humpback.models.head import head_logits

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from humpback.engines.transformers.prefix import SharedPrefix

Draw = Callable[[torch.Tensor, Sequence[int], int], torch.Tensor]

KEPT_SHARE = 0.8
"""Rows that have ended are let go of when fewer than this share are left: taking them out copies the whole cache (ours;
instructions end after 20 tokens as a rule, and the longest of a batch after 100)."""


@torch.inference_mode()  # type: ignore[untyped-decorator]
def decode(
    model: PreTrainedModel,
    rows: Sequence[list[int]],
    prefix: SharedPrefix,
    draw: Draw,
    *,
    end_ids: Collection[int],
    pad: int,
    max_new_tokens: int,
) -> list[list[int]]:
    """The tokens that follow each row, with the end token where one came, at most `max_new_tokens`.

    Args:
        model: the model.
        rows: the token ids of each prompt without the shared prefix; at least one token each.
        prefix: what all prompts begin with.
        draw: the next tokens from scores (rows, vocabulary), row numbers and step.
        end_ids: tokens after which a row has ended.
        pad: the token that fills up short rows; never seen.
        max_new_tokens: how many tokens a row may get.
    """
    input_ids, mask = pad_left(rows, pad, model.device)
    mask = torch.nn.functional.pad(mask, (prefix.length, 0), value=1)
    positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, prefix.length :]
    cache = prefix.cache(len(rows))
    written: list[list[int]] = [[] for _ in rows]
    live = list(range(len(rows)))  # the row number of each line of the batch
    running = [True] * len(rows)
    for step in range(max_new_tokens):
        output = model.base_model(
            input_ids=input_ids, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True
        )
        cache = output.past_key_values
        tokens = draw(head_logits(model, output.last_hidden_state[:, -1]), live, step)
        for row, token in zip(live, tokens.tolist(), strict=True):
            if running[row]:
                written[row].append(token)
                running[row] = token not in end_ids
        left = [line for line, row in enumerate(live) if running[row]]
        if not left:
            break
        positions = positions[:, -1:] + 1
        mask = torch.nn.functional.pad(mask, (0, 1), value=1)
        input_ids = tokens[:, None]
        if len(left) < KEPT_SHARE * len(live):
            lines = torch.tensor(left, device=model.device)
            cache.batch_select_indices(lines)
            positions, mask, input_ids = positions[lines], mask[lines], input_ids[lines]
            live = [live[line] for line in left]
    return written
