"""Instructions of other pairs: any one by lot, or that of the pair which is most alike."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from random import Random
from typing import Any

from humpback.corpus.words import words
from humpback.records import Example

SAME = 0.8
"""Share of words in common from which two instructions, or two answers, are taken for the same (ours)."""


class Lenders:
    """The pairs that may lend their instruction; their order has no say."""

    def __init__(self, pairs: Sequence[Example]) -> None:
        asking = (pair for pair in pairs if words(pair.instruction))
        self._pairs = sorted(asking, key=lambda pair: (pair.id, pair.instruction, pair.output))

    def any_other(self, pair: Example, rng: Random) -> str | None:
        """The instruction of another pair by lot, or None where there is no other."""
        order = list(range(len(self._pairs)))
        while order:
            index = rng.randrange(len(order))
            order[index], order[-1] = order[-1], order[index]
            other = self._pairs[order.pop()]
            if _differ(pair, other):
                return other.instruction
        return None

    def nearest(self, pair: Example) -> str | None:
        """The instruction of the other pair whose instruction and answer are most like this one's, or None.

        Alike is the cosine of their TF-IDF vectors over words; a pair with no word in common is not alike.
        """
        import numpy as np

        if not self._pairs:
            return None
        vectoriser, matrix = self._index
        scores = (matrix @ vectoriser.transform([_both(pair)]).T).toarray().ravel()
        for index in np.argsort(-scores, kind="stable"):
            if scores[index] <= 0:
                return None
            other = self._pairs[int(index)]
            if _differ(pair, other):
                return other.instruction
        return None

    @cached_property
    def _index(self) -> tuple[Any, Any]:
        """What turns texts into vectors of length one, and the vectors of all pairs, a row each."""
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer

        def telling(text: str) -> list[str]:
            return [word for word in _folded(text) if word not in ENGLISH_STOP_WORDS]

        vectoriser = TfidfVectorizer(analyzer=telling, sublinear_tf=True)
        return vectoriser, vectoriser.fit_transform([_both(pair) for pair in self._pairs]).tocsr()


def _folded(text: str) -> list[str]:
    return words(text.casefold())


def _both(pair: Example) -> str:
    return f"{pair.instruction}\n{pair.output}"


def _differ(pair: Example, other: Example) -> bool:
    """Whether the other's instruction asks for something else: it is another pair, and neither half is the same."""
    if other.id == pair.id:
        return False
    return not _same(pair.instruction, other.instruction) and not _same(pair.output, other.output)


def _same(one: str, other: str) -> bool:
    ours, theirs = set(_folded(one)), set(_folded(other))
    return len(ours & theirs) >= SAME * len(ours | theirs)
