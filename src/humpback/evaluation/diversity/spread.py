"""How far instructions lie from one another, and from the seed, in a latent semantic space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUANTILES = (5, 25, 50, 75, 95)
_BLOCK = 2048  # rows whose distances are held at once


@dataclass(frozen=True, slots=True)
class Nearest:
    """Cosine distances to the nearest seed instruction: their mean, and quantiles by their percentage."""

    mean: float
    quantiles: dict[str, float]


def mean_distance(directions: NDArray[Any]) -> float | None:
    """Mean cosine distance of two different rows of `directions` (rows, axes), which have length 1; None of fewer.

    It is 1 less the mean cosine, and the sum of all cosines is the squared length of the sum of the rows.
    """
    rows = len(directions)
    if rows < 2:
        return None
    total = float((directions.sum(axis=0) ** 2).sum()) - float((directions**2).sum())
    return 1 - total / (rows * (rows - 1))


def nearest_distances(directions: NDArray[Any], seed: NDArray[Any], *, is_seed: bool) -> Nearest | None:
    """How far each row is from the nearest one of `seed`; None where there is no other.

    With `is_seed` both are the same rows, and none is its own neighbour.
    """
    if len(seed) < 1 + is_seed or not len(directions):
        return None
    found = np.empty(len(directions))
    for start in range(0, len(directions), _BLOCK):
        cosines = directions[start : start + _BLOCK] @ seed.T
        if is_seed:
            rows = np.arange(len(cosines))
            cosines[rows, start + rows] = -np.inf
        found[start : start + _BLOCK] = 1 - cosines.max(axis=1)
    found = found.clip(min=0)  # rounding
    levels = np.percentile(found, QUANTILES)
    return Nearest(
        float(found.mean()), {str(name): float(level) for name, level in zip(QUANTILES, levels, strict=True)}
    )
