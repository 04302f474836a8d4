"""Cutting a row of atoms into pieces of about equal length."""

from __future__ import annotations

from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from humpback.corpus.partition import partition


def lengths(atoms: list[int], shortest: int, longest: int) -> list[list[int]]:
    marks = list(accumulate(atoms, initial=0))
    return [atoms[start:end] for start, end in partition(marks, shortest, longest)]


@pytest.mark.parametrize(
    ("atoms", "pieces"),
    [
        ([], []),
        ([3], [[3]]),
        ([4, 4], [[4, 4]]),
        ([4, 4, 4], [[4, 4], [4]]),
        ([3, 3, 3, 3], [[3, 3], [3, 3]]),
        ([5, 5], [[5], [5]]),  # 10 are not too long, but nearer to twice the middle
        ([2, 5, 2], [[2, 5, 2]]),  # no cut leaves enough
        ([1] * 12, [[1] * 6, [1] * 6]),
        ([5, 11, 5], [[5], [11], [5]]),  # one that is too long
        ([1, 10, 1], [[1], [10], [1]]),  # one that leaves no room
        ([9, 3], [[9], [3]]),
        ([8, 2, 2], [[8], [2, 2]]),
        ([2, 8, 2], [[2, 8], [2]]),
    ],
)
def test_pieces(atoms, pieces):
    assert lengths(atoms, 3, 10) == pieces


@given(st.lists(st.integers(0, 30), max_size=40), st.integers(1, 10), st.integers(10, 20))
def test_all_is_covered_and_only_atoms_are_too_long(atoms, shortest, longest):
    marks = list(accumulate(atoms, initial=0))
    pieces = partition(marks, shortest, longest)
    assert [edge for piece in pieces for edge in piece][::2] == [0, *(end for _, end in pieces[:-1])][: len(pieces)]
    assert all(first[1] == second[0] for first, second in pairwise(pieces))
    assert not atoms or pieces[-1][1] == len(atoms)
    assert all(start < end and (end - start == 1 or marks[end] - marks[start] <= longest) for start, end in pieces)


@given(st.lists(st.integers(1, 3), min_size=1, max_size=60))
def test_short_atoms_leave_nothing_too_short(atoms):
    pieces = lengths(atoms, 5, 20)
    assert sum(atoms) < 5 or all(5 <= sum(piece) <= 20 for piece in pieces)
