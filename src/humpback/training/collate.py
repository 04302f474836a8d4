"""Rows of tokens into the tensors of one micro-batch: padded side by side, or packed end to end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from humpback.errors import ModelError
from humpback.prompts import TokenRow
from humpback.prompts.tokens import IGNORED

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True, slots=True)
class Collator:
    """Builds micro-batches from row numbers; called by the data loader with one planned micro-batch.

    Which positions are learnt is found here, on the CPU: asking a GPU for the number of learnt tokens would make every
    micro-batch wait for it.

    Packing pays where the attention has a kernel for rows of unequal length (flash attention) and the rows of a batch
    differ much in length. Elsewhere a packed row of n tokens costs n * n, masked or not, and batches of rows of about
    equal length, as they are planned without packing, hold little padding that it could save.
    """

    rows: Sequence[TokenRow]
    pad_id: int
    packing: bool

    def __call__(self, planned: Sequence[dict[str, list[int]]]) -> dict[str, Any]:
        return self.batch([row for item in planned for row in item["rows"]])

    def batch(self, numbers: Sequence[int]) -> dict[str, Any]:
        """The tensors of the rows of these numbers.

        Returns:
            `rows`, the numbers; `input_ids` (batch, seq), packed (1, tokens); `attention_mask` of the same shape or,
            packed, `position_ids`, which begin again with every row; `learnt` (learnt), the places in the flattened
            `input_ids` whose next token is learnt; `targets` (learnt), those tokens.
        """
        rows = [self.rows[number] for number in numbers]
        tensors = self._packed(rows) if self.packing else self._padded(rows)
        return {"rows": list(numbers), **tensors}

    def _padded(self, rows: Sequence[TokenRow]) -> dict[str, torch.Tensor]:
        width = max(len(row.input_ids) for row in rows)
        input_ids = torch.full((len(rows), width), self.pad_id)
        mask = torch.zeros_like(input_ids)
        for index, row in enumerate(rows):
            input_ids[index, : len(row.input_ids)] = torch.tensor(row.input_ids)
            mask[index, : len(row.input_ids)] = 1
        starts = [index * width for index in range(len(rows))]
        return {"input_ids": input_ids, "attention_mask": mask, **_learnt(rows, starts)}

    def _packed(self, rows: Sequence[TokenRow]) -> dict[str, torch.Tensor]:
        starts = [sum(len(row.input_ids) for row in rows[:index]) for index in range(len(rows))]
        positions = [torch.arange(len(row.input_ids)) for row in rows]
        input_ids = torch.tensor([token for row in rows for token in row.input_ids])
        return {"input_ids": input_ids[None], "position_ids": torch.cat(positions)[None], **_learnt(rows, starts)}


def _learnt(rows: Sequence[TokenRow], starts: Sequence[int]) -> dict[str, torch.Tensor]:
    places: list[int] = []
    targets: list[int] = []
    for row, start in zip(rows, starts, strict=True):
        for index, label in enumerate(row.labels[1:]):
            if label != IGNORED:
                places.append(start + index)
                targets.append(label)
    return {
        "learnt": torch.tensor(places, dtype=torch.long),
        "targets": torch.tensor(targets, dtype=torch.long),
    }


@torch.no_grad()  # type: ignore[untyped-decorator]
def check_packing(model: PreTrainedModel) -> None:
    """Makes sure that packed rows do not see one another in this architecture, by trying it on a few tokens.

    Raises:
        ModelError: a row's hidden states change with its neighbour.
    """
    first = [TokenRow([7, 8, 9], [], is_cut=False), TokenRow([9, 7, 8], [], is_cut=False)]
    second = TokenRow([5, 6, 7, 8], [], is_cut=False)
    was_training = model.training
    model.eval()
    states = []
    for neighbour in first:
        inputs = Collator([neighbour, second], 0, packing=True).batch([0, 1])
        kept = {name: inputs[name].to(model.device) for name in ("input_ids", "position_ids")}
        states.append(model.base_model(**kept, use_cache=False).last_hidden_state[0, 3:])
    model.train(was_training)
    if not torch.allclose(*states, atol=1e-4, rtol=1e-3):
        raise ModelError(
            f"train.packing: in {type(model).__name__} packed rows see their neighbours; set train.packing: false"
        )
