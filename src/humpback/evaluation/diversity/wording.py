"""How varied a set's words and requests are."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from humpback.corpus.words import words
from humpback.evaluation.diversity.parsing import Asked

VERBS, OBJECTS = 20, 4
"""Root verbs and objects of each that are listed (figure 2 of the paper)."""

NGRAMS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class ObjectCount:
    """A direct object of a verb, and how many instructions have both."""

    object: str
    count: int


@dataclass(frozen=True, slots=True)
class VerbCount:
    """A root verb, how many instructions have it with an object, and the most common of its objects."""

    verb: str
    count: int
    objects: list[ObjectCount]


def verb_counts(asked: Iterable[Asked | None]) -> list[VerbCount]:
    """The most common root verbs of the instructions that parsed, and the most common objects of each.

    Equally common ones stand in the order of the alphabet.
    """
    pairs = Counter((one.verb, one.object) for one in asked if one is not None and one.object is not None)
    verbs: Counter[str] = Counter()
    for (verb, _), count in pairs.items():
        verbs[verb] += count
    return [
        VerbCount(verb, total, [ObjectCount(noun, count) for noun, count in _most(_objects(pairs, verb), OBJECTS)])
        for verb, total in _most(verbs, VERBS)
    ]


def _objects(pairs: Counter[tuple[str, str]], verb: str) -> Counter[str]:
    return Counter({noun: count for (other, noun), count in pairs.items() if other == verb})


def _most(counts: Counter[str], number: int) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:number]


def verb_entropy(asked: Iterable[Asked | None]) -> float:
    """Entropy of the root verbs' shares, in bits, whether they have an object or not; 0 of none."""
    counts = Counter(one.verb for one in asked if one is not None)
    total = counts.total()
    return sum(-count / total * math.log2(count / total) for count in sorted(counts.values()))


def distinct_ngrams(texts: Sequence[str]) -> dict[str, float]:
    """Distinct word n-grams over all of them, for n of 1, 2 and 3 (Li et al. 2016, arXiv 1510.03055); 0 of none.

    Falls as a set grows: compare sets of the same size only.
    """
    found: dict[str, set[tuple[str, ...]]] = {str(n): set() for n in NGRAMS}
    totals = Counter[str]()
    for text in texts:
        tokens = words(text.lower())
        for n in NGRAMS:
            grams = list(zip(*(tokens[start:] for start in range(n)), strict=False))
            found[str(n)].update(grams)
            totals[str(n)] += len(grams)
    return {name: len(grams) / max(1, totals[name]) for name, grams in found.items()}
