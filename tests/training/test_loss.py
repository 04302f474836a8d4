"""Held-out loss with its interval."""

from __future__ import annotations

import random

import pytest

from humpback.training import held_out_loss, paired_difference


def test_the_mean_stands_inside_its_interval_and_comes_back_with_the_seed():
    losses = [1.0, 2.0, 3.0, 4.0]
    found = held_out_loss(losses, samples=500, seed=1)
    assert (found.mean, found.pairs) == (2.5, 4)
    assert 1.0 <= found.low < 2.5 < found.high <= 4.0
    assert found == held_out_loss(losses, samples=500, seed=1)


def test_one_pair_has_no_width():
    found = held_out_loss([2.0], samples=100, seed=0)
    assert (found.low, found.mean, found.high) == (2.0, 2.0, 2.0)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    generator = random.Random(0)
    covered = 0
    for trial in range(200):
        found = held_out_loss([generator.gauss(2.0, 0.5) for _ in range(60)], samples=300, seed=trial)
        covered += found.low <= 2.0 <= found.high
    assert 178 <= covered <= 199  # 95 %, give or take three standard deviations


def test_the_interval_has_the_width_of_the_normal_one():
    generator = random.Random(1)
    found = held_out_loss([generator.gauss(0.0, 1.0) for _ in range(400)], samples=2000, seed=0)
    assert found.high - found.low == pytest.approx(2 * 1.96 / 400**0.5, rel=0.15)


def test_pairing_removes_the_spread_between_pairs():
    generator = random.Random(2)
    reference = [generator.uniform(1, 4) for _ in range(100)]
    losses = [loss - 0.05 + generator.gauss(0, 0.01) for loss in reference]
    difference = paired_difference(losses, reference, samples=500, seed=0)
    assert difference.mean == pytest.approx(-0.05, abs=0.005)
    assert difference.high < 0
    assert difference.high - difference.low < 0.01
    alone = held_out_loss(losses, samples=500, seed=0)
    assert alone.high - alone.low > 0.2


def test_pairs_must_match():
    with pytest.raises(ValueError, match="zip"):
        paired_difference([1.0, 2.0], [1.0], samples=100, seed=0)
