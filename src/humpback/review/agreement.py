"""How sure a share is, and how far annotators agree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from humpback.errors import MissingDependencyError

Z95 = 1.959964  # the normal distribution's 97.5 % point


def wilson(hits: float, count: int) -> tuple[float, float] | None:
    """The 95 % score interval of a share (Wilson 1927), which holds its level for few votes too; None of nothing."""
    if not count:
        return None
    share, square = hits / count, Z95**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = Z95 * math.sqrt(share * (1 - share) / count + square / (4 * count**2)) / (1 + square / count)
    return max(0.0, middle - half), min(1.0, middle + half)


def krippendorff_alpha(votes: Sequence[Mapping[str, int]], *, ordinal: bool) -> float | None:
    """Krippendorff's alpha (Krippendorff 2011) of annotators, each with their values by unit; gaps are allowed.

    None where it is not defined: no unit has two values, or all values are the same.

    Raises:
        MissingDependencyError: the package krippendorff is not installed.
    """
    try:
        import krippendorff
    except ImportError:
        raise MissingDependencyError(
            "agreement between annotators needs the package krippendorff; install it with "
            '`pip install "humpback[review]"`'
        ) from None
    import numpy as np

    units = sorted({unit for one in votes for unit in one})
    shared = [unit for unit in units if sum(unit in one for one in votes) > 1]
    if len({one[unit] for one in votes for unit in shared if unit in one}) < 2:
        return None
    table = np.array([[one.get(unit, math.nan) for unit in shared] for one in votes], dtype=float)
    return float(krippendorff.alpha(table, level_of_measurement="ordinal" if ordinal else "nominal"))
