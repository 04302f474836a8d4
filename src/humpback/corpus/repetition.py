"""How much of a text repeats itself, in words (Gopher, Rae et al. 2021, arXiv 2112.11446, appendix A.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import groupby
from operator import mul

TOP_NGRAMS = {2: 0.20, 3: 0.18, 4: 0.16}
"""Largest share of characters in the most frequent n-gram (Gopher, table A1)."""

REPEATED_NGRAMS = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}
"""Largest share of characters in n-grams that came before (Gopher, table A1)."""

REPEAT = 3
"""So many words that come again are a repeat (the paper's measure of sentences, appendix E)."""

MIN_TIMES = 3
"""A phrase that stands twice is not yet repeated (ours: Gopher's bounds are for whole pages, a segment is short)."""


class Words(list[str]):
    """A text's words, with what several rules ask about them."""

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each word stands in it."""
        return Counter(self)

    @cached_property
    def chars(self) -> int:
        """The characters of all words."""
        return chars(self)

    @cached_property
    def again(self) -> int:
        """How many 3-grams came before: a text with few of these hardly repeats itself."""
        return max(len(self) - REPEAT + 1, 0) - len(set(ngrams(self, REPEAT)))

    @cached_property
    def repeats(self) -> list[int]:
        """Where the 3-grams begin that came before, in order."""
        seen: set[tuple[str, ...]] = set()
        found = []
        for start, gram in enumerate(ngrams(self, REPEAT)):
            if gram in seen:
                found.append(start)
            else:
                seen.add(gram)
        return found

    @cached_property
    def repeated(self) -> frozenset[tuple[str, ...]]:
        """The 3-grams that stand in it more than once."""
        return frozenset(tuple(self[start : start + REPEAT]) for start in self.repeats)

    def longest(self, count: float) -> int:
        """The characters of the `count` longest words, rounded down: no others of that number have more."""
        return sum(self._lengths[: int(count)])

    @cached_property
    def _lengths(self) -> list[int]:
        return sorted(map(len, self), reverse=True)


def repeated_ngrams(words: Sequence[str], factor: float) -> str:
    """Which of Gopher's bounds, times `factor`, the words are beyond, with the n-gram; empty where none.

    Shares are of the words' characters, without the spaces between. Of a repeated n-gram the first occurrence
    does not count, and no character counts twice.
    """
    counted = words if isinstance(words, Words) else Words(words)
    return _frequent_ngram(counted, factor) or _covering_ngrams(counted, factor)


def _frequent_ngram(words: Words, factor: float) -> str:
    """The n-gram that stands too often in the text."""
    # Each of an n-gram's n words takes at most as many characters, over all its occurrences, as the heaviest word.
    heaviest = max(map(mul, words.counts.values(), map(len, words.counts)), default=0)
    for size, bound in TOP_NGRAMS.items():
        if size * heaviest <= bound * factor * words.chars:
            continue
        found = Counter(ngrams(words, size))
        count = max(found.values(), default=0)
        if count < MIN_TIMES:
            break  # longer ones are no more frequent
        gram = max((gram for gram, times in found.items() if times == count), key=chars)
        share = count * chars(gram) / words.chars
        if share > bound * factor:
            return f"{share:.2f} of the characters are {' '.join(gram)[:80]!r}, {count} times"
    return ""


def _covering_ngrams(words: Words, factor: float) -> str:
    """The length of the n-grams that came before and together make up too much of the text."""
    smallest = min(REPEATED_NGRAMS.values()) * factor * words.chars
    size = min(REPEATED_NGRAMS)
    # All 3-grams of an n-gram that came before did, too; r such in a row, n - 2 at least, cover r + 2 words: as a share
    # no more than n words to n - 2 of them.
    if words.longest(words.again * size / (size - REPEAT + 1)) <= smallest or _chars_in_runs(words, size) <= smallest:
        return ""
    for size, bound in REPEATED_NGRAMS.items():
        covered = _repeated_chars(words, size)
        if covered <= smallest:
            break  # longer ones cover no more
        if covered > bound * factor * words.chars:
            return f"{covered / words.chars:.2f} of the characters are in {size} words that came before"
    return ""


def _chars_in_runs(words: Words, size: int) -> int:
    """Characters of the words where n-grams of `size` words may have come before: all 3-grams in them did."""
    found = 0
    for _, places in groupby(enumerate(words.repeats), key=lambda place: place[1] - place[0]):
        run = [start for _, start in places]
        if len(run) + REPEAT > size:
            found += chars(words[run[0] : run[-1] + REPEAT])
    return found


def chars(words: Sequence[str]) -> int:
    """The characters of the words."""
    return len("".join(words))


def ngrams(words: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    """Each `size` words that follow one another."""
    return zip(*(words[start:] for start in range(size)), strict=False)


def _repeated_chars(words: Sequence[str], size: int) -> int:
    """Characters of the words in n-grams of `size` words that came before."""
    grams = list(ngrams(words, size))
    if len(set(grams)) == len(grams):
        return 0
    seen: set[tuple[str, ...]] = set()
    done = covered = 0  # `done` words from the left are looked at
    for start, gram in enumerate(grams):
        if gram in seen:
            covered += chars(words[max(start, done) : start + size])
            done = start + size
        else:
            seen.add(gram)
    return covered
