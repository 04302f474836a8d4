"""Cuts a row of atoms, such as paragraphs, into pieces of about equal length."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence


def partition(marks: Sequence[int], shortest: int, longest: int) -> list[tuple[int, int]]:
    """The pieces, each as the indices in `marks` at which it begins and ends; together they cover all.

    Pieces are near the middle between `shortest` and `longest`, and outside these bounds only where the atoms leave
    no choice: an atom that is too long is a piece by itself, and what lies between two such may be too short. Takes
    linear time, but for a search by halves a piece.

    Args:
        marks: where each atom begins, ascending, then where the last one ends.
        shortest: least length of a piece.
        longest: greatest length of a piece.
    """
    last = len(marks) - 1
    too_long = [index for index in range(last) if marks[index + 1] - marks[index] > longest]
    pieces = []
    start = 0
    for stop in [*too_long, last]:
        while start < stop:
            end = _end(marks, start, stop, shortest, longest)
            pieces.append((start, end))
            start = end
        if stop < last:
            pieces.append((stop, stop + 1))
            start = stop + 1
    return pieces


def _end(marks: Sequence[int], start: int, stop: int, shortest: int, longest: int) -> int:
    """Where the piece that begins at `start` ends: near an equal share of the rest, which ends at `stop`."""
    here, rest = marks[start], marks[stop] - marks[start]
    count = max(math.ceil(rest / longest), round(2 * rest / (shortest + longest)))
    if count <= 1:
        return stop
    high = bisect.bisect_right(marks, here + longest, start + 1, stop + 1) - 1
    low = bisect.bisect_left(marks, here + shortest, start + 1, high + 1)
    spare = bisect.bisect_right(marks, marks[stop] - shortest, start, stop + 1) - 1
    if rest <= longest and spare < low:
        return stop
    if low > high:
        return high
    high = max(low, min(high, spare))
    target = here + rest / count
    after = bisect.bisect_left(marks, target, low, high)
    if after > low and target - marks[after - 1] < marks[after] - target:
        return after - 1
    return after
