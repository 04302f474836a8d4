"""How much of a text repeats itself, in words (Gopher, Rae et al. 2021, arXiv 2112.11446, appendix A.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

TOP_NGRAMS = {2: 0.20, 3: 0.18, 4: 0.16}
"""Largest share of characters in the most frequent n-gram (Gopher, table A1)."""

REPEATED_NGRAMS = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}
"""Largest share of characters in n-grams that came before (Gopher, table A1)."""

MIN_TIMES = 3
"""A phrase that stands twice is not yet repeated (ours: Gopher's bounds are for whole pages, a segment is short)."""


def repeated_ngrams(words: Sequence[str], factor: float) -> str:
    """Which of Gopher's bounds, times `factor`, the words are beyond, with the n-gram; empty where none.

    Shares are of the words' characters, without the spaces between. Of a repeated n-gram the first occurrence
    does not count, and no character counts twice.
    """
    total = _chars(words)
    # Each of an n-gram's n words takes at most as many characters, over all its occurrences, as the heaviest word.
    heaviest = max((count * len(word) for word, count in Counter(words).items()), default=0)
    for size, bound in TOP_NGRAMS.items():
        if size * heaviest <= bound * factor * total:
            continue
        counts = Counter(_ngrams(words, size))
        count = max(counts.values(), default=0)
        if count < MIN_TIMES:
            break  # longer ones are no more frequent
        gram = max((gram for gram, times in counts.items() if times == count), key=_chars)
        share = count * _chars(gram) / total
        if share > bound * factor:
            return f"{share:.2f} of the characters are {' '.join(gram)[:80]!r}, {count} times"
    smallest = min(REPEATED_NGRAMS.values()) * factor * total
    for size, bound in REPEATED_NGRAMS.items():
        covered = _repeated_chars(words, size)
        if covered <= smallest:
            break  # longer ones cover no more
        if covered > bound * factor * total:
            return f"{covered / total:.2f} of the characters are in {size} words that came before"
    return ""


def _chars(words: Sequence[str]) -> int:
    return sum(map(len, words))


def _ngrams(words: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(size)), strict=False)


def _repeated_chars(words: Sequence[str], size: int) -> int:
    """Characters of the words in n-grams of `size` words that came before."""
    grams = list(_ngrams(words, size))
    if len(set(grams)) == len(grams):
        return 0
    seen: set[tuple[str, ...]] = set()
    covered = chars = 0  # `covered` words from the left are done
    for start, gram in enumerate(grams):
        if gram in seen:
            chars += _chars(words[max(start, covered) : start + size])
            covered = start + size
        else:
            seen.add(gram)
    return chars
