"""Answers that lack a part: half of them cut between two sentences, half within one, at a word; or all but a start."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from humpback.corpus.words import words
from humpback.judge.layout import Layout

MIN_WORDS = 12
"""Fewer words than this are no answer any more (ours)."""

START = (0.2, 0.6)
MIDDLE = (0.2, 0.5)
END = (0.2, 0.7)
"""Least and greatest share of the characters that go (ours: less is hard to see for people too)."""

BRIEF_WORDS, BRIEF_SHARE = 6, 0.4
"""What is left of a brief answer: whole sentences, at least so many words and at most this share of the characters, or
0.6 of them where that is the first sentence alone (ours)."""

MARGIN = 0.1
"""What is cut out of the middle leaves this share at both ends, at least (ours)."""


def cut_start(layout: Layout, rng: Random) -> str | None:
    """The answer without its beginning."""
    for places in _places(layout, rng):
        fit = [place for place in places if _within(layout, 0, place, START)]
        if fit:
            return _enough(layout.text[rng.choice(fit) :])
    return None


def cut_end(layout: Layout, rng: Random) -> str | None:
    """The answer without its end."""
    end = len(layout.text.rstrip())
    for places in _places(layout, rng):
        fit = [place for place in places if _within(layout, place, end, END)]
        if fit:
            return _enough(layout.text[: rng.choice(fit)].rstrip())
    return None


def brief(layout: Layout, rng: Random) -> str | None:
    """The first sentences of the answer, which end as a whole answer does."""
    ends = [sentence.end for sentence in layout.sentences[:-1]]
    size = len(layout.text.rstrip())
    fit = [end for end in ends if end <= BRIEF_SHARE * size] or [end for end in ends[:1] if end < 0.6 * size]
    if not fit:
        return None
    rest = layout.text[: rng.choice(fit)].rstrip()
    return rest if len(words(rest)) >= BRIEF_WORDS else None


def cut_middle(layout: Layout, rng: Random) -> str | None:
    """The answer without a piece from its middle; an answer of fewer than three sentences has none."""
    if len(layout.sentences) < 3:
        return None
    size = len(layout.text)
    for places in _places(layout, rng):
        inner = [place for place in places if MARGIN * size <= place <= (1 - MARGIN) * size]
        rng.shuffle(inner)
        for first in inner:
            fit = [last for last in inner if _within(layout, first, last, MIDDLE)]
            if fit:
                return _enough(_joined(layout.text, first, rng.choice(fit)))
    return None


def _places(layout: Layout, rng: Random) -> list[Sequence[int]]:
    """The two kinds of places to cut at, the one that the lot fell on first."""
    starts = [sentence.start for sentence in layout.sentences[1:]]
    within = sorted(set(layout.words).difference(starts, [sentence.start for sentence in layout.sentences[:1]]))
    return [starts, within] if rng.random() < 0.5 else [within, starts]


def _within(layout: Layout, first: int, last: int, share: tuple[float, float]) -> bool:
    return share[0] <= (last - first) / len(layout.text) <= share[1]


def _joined(text: str, first: int, last: int) -> str:
    """The text without the characters from `first` up to `last`; of both gaps the one with more line ends stays."""
    before, after = text[:first].rstrip(), text[:last].rstrip()
    gaps = text[len(before) : first], text[len(after) : last]
    return before + max(gaps, key=lambda gap: gap.count("\n")) + text[last:]


def _enough(rest: str) -> str | None:
    return rest if len(words(rest)) >= MIN_WORDS else None
