"""Batches of about the same length within a budget of tokens, which shrinks when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from humpback.errors import ModelError
from humpback.models import is_out_of_memory

A = TypeVar("A")


class TokenBudget:
    """Runs rows in batches whose padded size stays within `tokens`."""

    def __init__(self, tokens: int, free_memory: Callable[[], None]) -> None:
        self.tokens = tokens
        self._free_memory = free_memory

    def run(self, lengths: Sequence[int], work: Callable[[list[int]], list[A]]) -> list[A]:
        """The answers of `work`, which is given row numbers, in the order of the rows.

        Where memory runs out, the budget is halved, for good, and the batch and those after it are made anew.

        Raises:
            ModelError: a single row does not fit into memory.
        """
        answers: dict[int, A] = {}
        pending = list(batches(lengths, self.tokens))
        while pending:
            batch = pending.pop(0)
            try:
                results = work(batch)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                self._shrink(batch, lengths, error)
                left = [row for rows in (batch, *pending) for row in rows]
                pending = [[left[i] for i in rows] for rows in batches([lengths[i] for i in left], self.tokens)]
                continue
            answers.update(zip(batch, results, strict=True))
        return [answers[i] for i in range(len(lengths))]

    def _shrink(self, batch: list[int], lengths: Sequence[int], error: Exception) -> None:
        if len(batch) == 1:
            raise ModelError(
                f"out of memory on a single row of {lengths[batch[0]]} tokens; use a smaller model, "
                "`engine.dtype: bfloat16`, or shorter segments (ingest.max_chars)"
            ) from error
        self._free_memory()
        self.tokens = lengths[batch[0]] * len(batch) // 2


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Row numbers, longest first, in batches whose padded size stays within `budget` tokens."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        if batch and lengths[batch[0]] * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
