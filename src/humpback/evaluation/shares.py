"""Shares of things that are so or not, with 95 % intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BOOTSTRAP_SAMPLES = 2000
_NORMAL_95 = 1.959963984540054  # the normal distribution's 97.5 % point


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `count`; `value` is their ratio, `low` and `high` its 95 % interval; all null where `count` is 0."""

    value: float | None
    low: float | None
    high: float | None
    hits: int
    count: int


def proportion(marks: Sequence[bool]) -> Share:
    """The share of independent marks that are true, with Wilson's interval (Wilson 1927, JASA 22).

    It has a width also where all marks are the same, which a bootstrap has not.
    """
    hits, count = sum(marks), len(marks)
    if not count:
        return Share(None, None, None, 0, 0)
    share, square = hits / count, _NORMAL_95**2
    centre = (share + square / (2 * count)) / (1 + square / count)
    half = math.sqrt(share * (1 - share) / count + square / (4 * count**2)) * _NORMAL_95 / (1 + square / count)
    return Share(share, max(0.0, centre - half), min(1.0, centre + half), hits, count)


def grouped_share(groups: Sequence[Sequence[bool]], seed: int) -> Share:
    """The share of all marks that are true; the interval is a percentile bootstrap over groups (Efron 1979).

    Marks of one group, such as the instructions of one prompt, are not independent, so whole groups are drawn.
    """
    hits = np.array([sum(group) for group in groups], dtype=np.int64)  # (groups,)
    counts = np.array([len(group) for group in groups], dtype=np.int64)
    if not counts.sum():
        return Share(None, None, None, 0, 0)
    picks = np.random.default_rng(seed).integers(0, len(groups), size=(BOOTSTRAP_SAMPLES, len(groups)))
    low, high = np.percentile(hits[picks].sum(axis=1) / counts[picks].sum(axis=1), [2.5, 97.5])
    return Share(float(hits.sum() / counts.sum()), float(low), float(high), int(hits.sum()), int(counts.sum()))
