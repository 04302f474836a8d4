"""Answers that say the same again and again."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from humpback.corpus.words import is_unspaced, weighted_length
from humpback.judge.layout import Form, Layout

MIN_CHARS = 20
"""Shorter sentences are repeated in good texts too (ours; weighted characters)."""

MOST_SENTENCES = 3
COPIES = (2, 4)
"""How often what is repeated stands again (ours)."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Sentences that follow one another in a paragraph, or whole items of a list."""

    start: int
    end: int
    form: Form
    gap: str


def repeated(layout: Layout, rng: Random) -> str | None:
    """The answer with one to three sentences of a paragraph, or items of a list, again two to four times.

    The copies stand after the first one, or scattered over the borders that come after it.
    """
    runs = _paragraph_runs(layout) + _item_runs(layout)
    if not runs:
        return None
    run = rng.choice(runs)
    places = [run.end] * rng.randint(*COPIES)
    later = _later(layout, run)
    if later and rng.random() < 0.5:
        places = rng.choices([run.end, *later], k=len(places))
    text = layout.text
    for place in sorted(places, reverse=True):
        before = text[:place].rstrip()
        gap = run.gap if place == run.end or run.form is Form.ITEM else layout.gap(place)
        text = f"{before}{gap}{layout.text[run.start : run.end]}{text[len(before) :]}"
    return text


def _later(layout: Layout, run: _Run) -> list[int]:
    """The other places after a run that are fit for a copy: borders of sentences and paragraphs, ends of items."""
    if run.form is Form.ITEM:
        return [other.end for other in _item_runs(layout) if other.end > run.end]
    return [place for place in (*layout.sentence_borders, *layout.paragraph_borders) if place > run.end]


def _paragraph_runs(layout: Layout) -> list[_Run]:
    found = []
    sentences = layout.sentences
    own = "" if is_unspaced(layout.text) else " "
    borders = set(layout.sentence_borders)
    for index, first in enumerate(sentences):
        for size, last in enumerate(sentences[index : index + MOST_SENTENCES], 1):
            if last.form is not Form.PROSE or last.block != first.block:
                break
            following = sentences[index + size].start if index + size < len(sentences) else -1
            gap = layout.gap(following) if following in borders else own
            if weighted_length(layout.text[first.start : last.end]) >= MIN_CHARS:
                found.append(_Run(first.start, last.end, Form.PROSE, gap))
    return found


def _item_runs(layout: Layout) -> list[_Run]:
    """Items with a line of their own; of nested lists none is taken, since a copy would not stand in their list."""
    items: dict[int, tuple[int, int]] = {}
    for sentence in layout.sentences:
        if sentence.form is Form.ITEM:
            start = items.get(sentence.block, (sentence.start, 0))[0]
            items[sentence.block] = (start, sentence.end)
    items = {block: span for block, span in items.items() if span[0] == 0 or layout.text[span[0] - 1] in "\r\n"}
    found = []
    for block, (start, _) in items.items():
        for size in range(MOST_SENTENCES):
            if block + size not in items:
                break
            end = items[block + size][1]
            if weighted_length(layout.text[start:end]) >= MIN_CHARS:
                found.append(_Run(start, end, Form.ITEM, "\n"))
    return found
