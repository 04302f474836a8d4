"""How long a model of N rows is trained: table 18 of the paper, or a part of it."""

from __future__ import annotations

import itertools
import math

from humpback.training.recipe import STEPS


def scaling_steps(rows: int, factor: float = 1.0) -> int:
    """Optimiser steps for `rows` rows: table 18, linear in log N between its rows, divided by `factor`; at least 1.

    Below 100 and above 51,200 rows they are in proportion to the nearest row of the table. The batch is 8 below 3,000
    rows and else 32 (section 3.1), as in any training.
    """
    return max(1, round(_table_18(rows) / factor))


def _table_18(rows: int) -> float:
    first, last = STEPS[0], STEPS[-1]
    if rows <= first[0]:
        return first[1] * rows / first[0]
    for (low, low_steps), (high, high_steps) in itertools.pairwise(STEPS):
        if rows <= high:
            return low_steps + (high_steps - low_steps) * math.log(rows / low) / math.log(high / low)
    return last[1] * rows / last[0]
