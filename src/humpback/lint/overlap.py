"""Words that two texts have in common, in the same order."""

from __future__ import annotations

from collections.abc import Sequence

Gram = tuple[str, ...]


def ngrams(words: Sequence[str], size: int) -> list[Gram]:
    """The runs of `size` words, in order."""
    return list(zip(*(words[start:] for start in range(size)), strict=False))


def longest_common_run(words: Sequence[str], others: Sequence[str]) -> int:
    """How many words the longest run has that stands in both.

    Whether there is one of a given length can be told by two sets, and where there is one there are all shorter ones:
    the length is found by halving.
    """
    low, high = 0, min(len(words), len(others))
    while low < high:
        middle = (low + high + 1) // 2
        if set(ngrams(words, middle)).isdisjoint(ngrams(others, middle)):
            high = middle - 1
        else:
            low = middle
    return low


def common_words(words: Sequence[str], others: Sequence[str], size: int) -> list[int]:
    """The places of the words that stand in a run of `size` words which the others have too, in order."""
    theirs = set(ngrams(others, size))
    return covered(len(words), [start for start, gram in enumerate(ngrams(words, size)) if gram in theirs], size)


def repeated_words(words: Sequence[str], size: int) -> list[int]:
    """The places of the words that stand in a run of `size` words which came before, in order."""
    seen: set[Gram] = set()
    starts = []
    for start, gram in enumerate(ngrams(words, size)):
        if gram in seen:
            starts.append(start)
        seen.add(gram)
    return covered(len(words), starts, size)


def covered(length: int, starts: Sequence[int], size: int) -> list[int]:
    """The places below `length` that runs of `size` beginning at `starts`, in order, cover."""
    places: list[int] = []
    done = 0
    for start in starts:
        end = min(start + size, length)
        places.extend(range(max(start, done), end))
        done = end
    return places
