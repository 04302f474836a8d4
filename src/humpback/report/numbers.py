"""Statistics over whole steps, a block of rows at a time: what stays in memory is numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from humpback.workspace import part_files

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Keys = npt.NDArray[np.int64]

_ROWS_AT_ONCE = 512
_WIDE_BIN = 0.1  # of the 1-to-5 scale
_BINS = 24  # ours: what a small figure shows apart


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long the instructions and outputs of a set are, in characters: mean and standard deviation."""

    name: str
    rows: int
    instruction: tuple[float, float]
    output: tuple[float, float]


@dataclass(frozen=True, slots=True)
class RatingRound:
    """The ratings of one round, binned: those of kept candidates and those of the others."""

    round: int
    rated: int
    mean: float | None
    spread: float | None
    lowest_kept: float | None
    rule: str
    edges: list[float]
    kept: list[int]
    left: list[int]
    unparsed: dict[str, int]


@dataclass(frozen=True, slots=True)
class RoundChange:
    """From one round to the next: how alike the ratings are, and who entered and left the curated set.

    `topic_shift` is the Jensen-Shannon divergence of the two sets' topics, in bits (0 to 1).
    """

    earlier: int
    later: int
    rank_correlation: float | None
    entered: int
    left: int
    stayed: int
    topic_shift: float | None


@dataclass(frozen=True, slots=True)
class RoundNumbers:
    """The numbers of one round that the statistics need: a key and a rating each, and the keys of the kept."""

    round: int
    keys: Keys
    ratings: Floats
    kept_keys: Keys
    kept_ratings: Floats


def batches(folder: Path, columns: Sequence[str]) -> Iterator[Any]:
    """Blocks of some columns of a step's shards, as Arrow record batches, in order."""
    import pyarrow.parquet as pq

    for part in part_files(folder):
        with pq.ParquetFile(part) as file:
            yield from file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=list(columns))


def lengths(name: str, folder: Path) -> Lengths:
    """The lengths of a step's instructions and outputs."""
    import pyarrow.compute as pc

    rows = 0
    sums = {"instruction": [0, 0], "output": [0, 0]}
    for batch in batches(folder, list(sums)):
        rows += batch.num_rows
        for column, (first, second) in sums.items():
            values = pc.utf8_length(batch.column(column)).to_pylist()
            sums[column] = [first + sum(values), second + sum(value * value for value in values)]
    return Lengths(
        name, rows, _mean_and_deviation(rows, *sums["instruction"]), _mean_and_deviation(rows, *sums["output"])
    )


def round_numbers(number: int, ratings: Path, curated: Path) -> RoundNumbers:
    """The ratings of a round and of the rows it kept, both as the model gave them: labels change them only later."""
    import numpy as np

    keys, values = _keyed(ratings, "candidate_id")
    kept_keys, _ = _keyed(curated, "id")
    return RoundNumbers(number, keys, values, kept_keys, values[np.isin(keys, kept_keys)])


def rating_round(numbers: RoundNumbers, edges: Sequence[float], facts: dict[str, Any], rule: str) -> RatingRound:
    """One round's figures over given bins; `facts` are those of the rating step."""
    import numpy as np

    count = len(numbers.ratings)
    kept, _ = np.histogram(numbers.kept_ratings, bins=list(edges))
    every, _ = np.histogram(numbers.ratings, bins=list(edges))
    return RatingRound(
        round=numbers.round,
        rated=count,
        mean=float(numbers.ratings.mean()) if count else None,
        spread=float(numbers.ratings.std()) if count else None,
        lowest_kept=float(numbers.kept_ratings.min()) if len(numbers.kept_ratings) else None,
        rule=rule,
        edges=list(edges),
        kept=[int(value) for value in kept],
        left=[max(0, int(value)) for value in every - kept],
        unparsed=dict(facts.get("unparsed", {})),
    )


def rating_edges(rounds: Sequence[RoundNumbers]) -> list[float]:
    """Bins that all rounds share: a tenth of a point each, finer when all ratings lie close together."""
    import numpy as np

    values = np.concatenate([numbers.ratings for numbers in rounds]) if rounds else np.array([])
    if not len(values):
        return [1.0, 5.0]
    if np.all(values == np.round(values)):
        return [score + 0.5 for score in range(6)]
    low, high = float(values.min()), float(values.max())
    width = min(_WIDE_BIN, _nice((high - low) / _BINS))
    first, last = math.floor(low / width), math.floor(high / width) + 1
    return [round(index * width, 10) for index in range(first, last + 1)]


def round_change(earlier: RoundNumbers, later: RoundNumbers, topic_shift: float | None) -> RoundChange:
    """How the later round differs from the earlier one."""
    import numpy as np

    _, first, second = np.intersect1d(earlier.keys, later.keys, return_indices=True)
    stayed = len(np.intersect1d(earlier.kept_keys, later.kept_keys))
    return RoundChange(
        earlier.round,
        later.round,
        rank_correlation(earlier.ratings[first], later.ratings[second]),
        entered=len(later.kept_keys) - stayed,
        left=len(earlier.kept_keys) - stayed,
        stayed=stayed,
        topic_shift=topic_shift,
    )


def rank_correlation(first: Floats, second: Floats) -> float | None:
    """Spearman's rank correlation, equal values sharing their mean rank; None where it is not defined."""
    import numpy as np

    if len(first) < 2:
        return None
    ranks = [_ranks(first), _ranks(second)]
    if not all(rank.std() for rank in ranks):
        return None
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _ranks(values: Floats) -> Floats:
    import numpy as np

    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    means: Floats = last - (counts - 1) / 2
    return means[places]


def _keyed(folder: Path, key: str) -> tuple[Keys, Floats]:
    import numpy as np

    keys = [np.empty(0, dtype=np.int64)]
    values = [np.empty(0, dtype=np.float64)]
    for batch in batches(folder, [key, "rating"]):
        rows = [
            (hash(row), rating)
            for row, rating in zip(batch.column(key).to_pylist(), batch.column("rating").to_pylist(), strict=True)
            if rating is not None
        ]
        keys.append(np.array([row for row, _ in rows], dtype=np.int64))
        values.append(np.array([rating for _, rating in rows], dtype=np.float64))
    return np.concatenate(keys), np.concatenate(values)


def _nice(width: float) -> float:
    """The next of 1, 2 and 5 times a power of ten at or above `width`, and at least a ten-thousandth."""
    if width <= 1e-4:
        return 1e-4
    unit = 10.0 ** math.floor(math.log10(width))
    return next(factor * unit for factor in (1, 2, 5, 10) if factor * unit >= width * (1 - 1e-9))


def _mean_and_deviation(rows: int, first: int, second: int) -> tuple[float, float]:
    if not rows:
        return (math.nan, math.nan)
    return (first / rows, math.sqrt(rows * second - first * first) / rows)
