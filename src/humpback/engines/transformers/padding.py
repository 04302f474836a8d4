"""Rows of different lengths as one tensor."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def pad_left(rows: Sequence[list[int]], pad: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and attention mask, both (rows, longest), with what is missing on the left."""
    return _pad(rows, pad, device, left=True)


def pad_right(rows: Sequence[list[int]], pad: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """The same with what is missing on the right: a row's tokens keep their positions and never see the padding."""
    return _pad(rows, pad, device, left=False)


def _pad(rows: Sequence[list[int]], pad: int, device: torch.device, *, left: bool) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(map(len, rows))
    input_ids = torch.full((len(rows), width), pad)
    mask = torch.zeros_like(input_ids)
    for index, ids in enumerate(rows):
        place = slice(width - len(ids), width) if left else slice(0, len(ids))
        input_ids[index, place] = torch.tensor(ids)
        mask[index, place] = 1
    return input_ids.to(device), mask.to(device)
