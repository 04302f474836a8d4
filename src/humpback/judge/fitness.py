"""Whether a judge can judge: how well it tells planted defects from good pairs, none of which it was fitted to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from humpback.judge.fit import GOOD, Array

LEAST_AUC = 0.6
"""A judge whose mean over the kinds is below is hardly better than chance (ours; .5 is chance)."""


@dataclass(frozen=True, slots=True)
class KindFitness:
    """Area under the curve of one kind against good pairs, with its 95 % interval, and how many pairs have it."""

    kind: str
    auc: float
    low: float
    high: float
    pairs: int


@dataclass(frozen=True, slots=True)
class Fitness:
    """A judge's fitness by kind; `mean` is that of the kinds."""

    kinds: list[KindFitness]
    good_pairs: int
    mean: float

    @property
    def is_fit(self) -> bool:
        """Whether ratings by this judge are worth having."""
        return self.mean >= LEAST_AUC


def fitness_of(defectiveness: Array, kinds: Sequence[str]) -> Fitness:
    """The fitness that out-of-fold `defectiveness`, (rows,), shows for pairs of these kinds."""
    labels = np.asarray(kinds)
    good = defectiveness[labels == GOOD]
    found = [_kind(kind, good, defectiveness[labels == kind]) for kind in sorted(set(kinds) - {GOOD})]
    return Fitness(found, len(good), sum(one.auc for one in found) / len(found))


def _kind(kind: str, good: Array, bad: Array) -> KindFitness:
    auc = area(good, bad)
    error = 1.96 * standard_error(auc, len(bad), len(good))
    return KindFitness(kind, auc, max(0.0, auc - error), min(1.0, auc + error), len(bad))


def area(low: Array, high: Array) -> float:
    """Share of the pairs of one of `low` and one of `high` in which `high`'s is higher, ties half."""
    ordered = np.sort(low)
    below = np.searchsorted(ordered, high, "left") + np.searchsorted(ordered, high, "right")
    return float(below.mean() / (2 * len(low)))


def standard_error(auc: float, positives: int, negatives: int) -> float:
    """Standard error of an area under the curve (Hanley and McNeil 1982)."""
    one, other = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    variance = auc * (1 - auc) + (positives - 1) * (one - auc * auc) + (negatives - 1) * (other - auc * auc)
    return math.sqrt(max(0.0, variance) / (positives * negatives))
