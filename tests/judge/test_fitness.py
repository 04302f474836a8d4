"""The figures of a judge's fitness, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from humpback.judge.fit import GOOD
from humpback.judge.fitness import area, fitness_of, standard_error


def test_the_area_by_hand():
    assert area(np.array([1.0, 2.0]), np.array([3.0, 4.0])) == 1.0
    assert area(np.array([3.0, 4.0]), np.array([1.0, 2.0])) == 0.0
    assert area(np.array([1.0, 2.0]), np.array([2.0])) == 0.75  # one below, one tie
    assert area(np.array([1.0, 1.0]), np.array([1.0])) == 0.5


def test_the_area_is_scikit_learns():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    low, high = rng.integers(0, 9, 70).astype(float), rng.integers(3, 12, 50).astype(float)
    expected = roc_auc_score([0] * 70 + [1] * 50, np.concatenate([low, high]))
    assert area(low, high) == pytest.approx(expected)


def test_the_standard_error_by_hand():
    """Of .8 with 10 and 10 pairs: q1 = .8/1.2, q2 = 1.28/1.8; (.16 + 9 (q1 - .64) + 9 (q2 - .64)) / 100."""
    assert standard_error(0.8, 10, 10) == pytest.approx(
        ((0.16 + 9 * (2 / 3 - 0.64) + 9 * (1.28 / 1.8 - 0.64)) / 100) ** 0.5
    )
    assert standard_error(1.0, 10, 10) == 0.0


def test_fitness_by_kind():
    kinds = [GOOD, GOOD, "one", "one", "other", "other"]
    found = fitness_of(np.array([0.0, 1.0, 5.0, 6.0, 0.0, 1.0]), kinds)
    assert [(one.kind, one.auc, one.pairs) for one in found.kinds] == [("one", 1.0, 2), ("other", 0.5, 2)]
    assert found.mean == 0.75 and found.good_pairs == 2 and found.is_fit
    assert found.kinds[1].low < 0.5 < found.kinds[1].high


def test_chance_is_unfit():
    assert not fitness_of(np.array([0.0, 1.0, 0.0, 1.0]), [GOOD, GOOD, "one", "one"]).is_fit
