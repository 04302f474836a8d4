"""Common and repeated runs of words, against counting by hand."""

from __future__ import annotations

import random

from humpback.lint.overlap import common_words, longest_common_run, repeated_words


def by_hand(words, others):
    best = 0
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            run = words[start:end]
            if any(others[at : at + len(run)] == run for at in range(len(others))):
                best = max(best, len(run))
    return best


def test_the_longest_run_is_that_of_counting_by_hand():
    generator = random.Random(3)
    lengths = set()
    for _ in range(200):
        words = generator.choices("abc", k=generator.randint(0, 9))
        others = generator.choices("abcd", k=generator.randint(0, 12))
        lengths.add(longest_common_run(words, others))
        assert longest_common_run(words, others) == by_hand(words, others)
    assert len(lengths) > 4


def test_words_in_common_runs_count_once():
    assert common_words("abcdxab", "zabcd", 3) == [0, 1, 2, 3]
    assert common_words(["a"], ["a"], 2) == []


def test_repeated_words_leave_out_the_first_time():
    assert repeated_words("abcabcab", 2) == [3, 4, 5, 6, 7]
    assert repeated_words("abcd", 2) == []
