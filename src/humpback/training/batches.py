"""Which rows are trained on together, written out before the training begins."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from humpback.config import TrainConfig
from humpback.errors import ConfigError
from humpback.prompts import TokenRow
from humpback.randomness import derived_seed
from humpback.training.recipe import Recipe

WINDOW_BATCHES = 50  # batches among which rows are sorted by length; as in transformers' sampler by length


@dataclass(frozen=True, slots=True)
class Plan:
    """Row numbers of every micro-batch of a training, in the order in which they are worked through.

    `per_step` micro-batches make one optimiser step, over all processes; process p takes every one whose place in the
    step leaves p when divided by their number.
    """

    micro_batches: list[list[int]]
    per_step: int

    def rows_of(self, step: int) -> list[int]:
        """The rows of optimiser step `step`, counted from 1."""
        parts = self.micro_batches[(step - 1) * self.per_step : step * self.per_step]
        return [row for part in parts for row in part]


def plan_batches(rows: Sequence[TokenRow], recipe: Recipe, config: TrainConfig, seed: int) -> Plan:
    """The plan for `rows`; it depends on its arguments alone.

    The rows of a step are the same for every micro-batch size and every number of processes, so that a training may
    go on with smaller micro-batches where memory ran out.

    Raises:
        ConfigError: a step's rows cannot be dealt out evenly to `train.processes`.
    """
    lengths = [len(row.input_ids) for row in rows]
    order = training_order(rows, recipe, seed, by_length=not config.packing)
    steps = [order[start : start + recipe.batch_size] for start in range(0, len(order), recipe.batch_size)]
    if recipe.batch_size % config.processes:
        raise ConfigError(
            [f"train.processes: {config.processes} does not divide train.batch_size ({recipe.batch_size}); change one"]
        )
    if config.packing:
        bins = _bins(lengths, steps, recipe, config)
        return Plan([part for step in steps for part in pack_rows(lengths, step, bins)], bins)
    share = recipe.batch_size // config.processes
    micro = next(size for size in range(min(recipe.micro_batch_size, share), 0, -1) if share % size == 0)
    parts = [step[first : first + micro] for step in steps for first in range(0, len(step), micro)]
    return Plan(parts, recipe.batch_size // micro)


def _bins(lengths: Sequence[int], steps: Sequence[Sequence[int]], recipe: Recipe, config: TrainConfig) -> int:
    """Packed micro-batches a step: so many that `train.micro_batch_size` rows of full length would hold the largest."""
    budget = recipe.micro_batch_size * config.max_tokens
    largest = max(sum(lengths[row] for row in rows) for rows in steps)
    each = -(-largest // (budget * config.processes))  # rounded up
    return min(each * config.processes, recipe.batch_size)


def pack_rows(lengths: Sequence[int], rows: Sequence[int], bins: int) -> list[list[int]]:
    """`rows` in `bins` parts of about the same number of tokens: the longest first, each to the shortest part."""
    parts: list[list[int]] = [[] for _ in range(bins)]
    tokens = [0] * bins
    for row in sorted(rows, key=lambda row: -lengths[row]):
        shortest = tokens.index(min(tokens))
        parts[shortest].append(row)
        tokens[shortest] += lengths[row]
    return parts


def training_order(rows: Sequence[TokenRow], recipe: Recipe, seed: int, *, by_length: bool = True) -> list[int]:
    """The numbers of the rows of all steps: epochs of all rows in random order, batches of about equal length.

    Written out beforehand, because a sampler that draws as it goes would draw otherwise in a training that goes on
    from a checkpoint. Without batches of equal length a third of a small batch is padding; packed rows need none, and
    batches of mixed lengths are then more alike in size.

    A row's place in an epoch comes from its id. So models that are compared see the rows that they share in about the
    same order, whatever else each is trained on, and differ by that, not by the draw (common random numbers).
    """
    generator = random.Random(seed)  # noqa: S311 - no secret
    count = recipe.steps * recipe.batch_size
    stream: list[int] = []
    for epoch in range(math.ceil(count / len(rows))):
        # Behind it a random number, for rows without an id.
        places = [(derived_seed(seed, epoch, row.row_id), generator.random()) for row in rows]
        stream += sorted(range(len(rows)), key=lambda number: places[number])
    if not by_length:
        return stream[:count]
    # A quarter of an epoch at most, so that a batch mixes rows of one epoch only, but for those at its ends.
    window = recipe.batch_size * max(1, min(WINDOW_BATCHES, len(rows) // (4 * recipe.batch_size)))
    order: list[int] = []
    for start in range(0, count, window):
        part = sorted(stream[start : min(start + window, count)], key=lambda number: len(rows[number].input_ids))
        batches = [part[first : first + recipe.batch_size] for first in range(0, len(part), recipe.batch_size)]
        generator.shuffle(batches)
        order += [number for batch in batches for number in batch]
    return order
