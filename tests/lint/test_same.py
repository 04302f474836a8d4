"""Equal instructions: which of them go."""

from __future__ import annotations

import random

from humpback.lint import surplus

ROWS = [("d", "What is  it?"), ("a", "what is it"), ("c", "What is it?!"), ("b", "What is that?"), ("e", "WHAT IS IT")]


def test_those_with_the_lowest_ids_stay_whatever_the_order():
    assert surplus(ROWS, 2) == {"d", "e"}
    for seed in range(5):
        shuffled = random.Random(seed).sample(ROWS, len(ROWS))
        assert surplus(shuffled, 2) == {"d", "e"}
    assert surplus(ROWS, 4) == frozenset()
