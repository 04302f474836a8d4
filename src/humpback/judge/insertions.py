"""Answers with something put into them that web pages have around their text, or told in another voice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from humpback.judge.banks import Material
from humpback.judge.layout import Form, Layout

Where = Literal["start", "middle", "end"]

INLINE = 0.4
"""How often a single sentence at the start or end joins the paragraph there, where there is one (ours)."""


@dataclass(frozen=True, slots=True)
class _Insertion:
    """A text and the place before which it goes: as a block of its own, or `inline` between two sentences."""

    place: int
    text: str
    inline: bool


def promotion(layout: Layout, material: Material, rng: Random) -> str:
    """The answer with one or two pieces of advertising at its start or end or in between."""
    texts = material.sample("promotion", rng.choice((1, 1, 2)), rng)
    wheres: list[Where] = rng.choices(("start", "middle", "end"), (2, 5, 3), k=len(texts))
    return _insert(layout, [_insertion(layout, where, text, rng) for where, text in zip(wheres, texts, strict=True)])


def navigation(layout: Layout, material: Material, rng: Random) -> str:
    """The answer with one to three pieces of a page's frame, each as a block of its own."""
    texts = material.sample("navigation", rng.choice((1, 2, 2, 3)), rng)
    wheres: list[Where] = rng.choices(("start", "middle", "end"), (4, 2, 4), k=len(texts))
    found = [_insertion(layout, where, text, rng, block=True) for where, text in zip(wheres, texts, strict=True)]
    return _insert(layout, found)


def comments(layout: Layout, material: Material, rng: Random) -> str:
    """The answer with one to five comments of readers, mostly at its end."""
    count = rng.randint(1, 5)
    frame = rng.choice(material.entries("comment_frames"))  # one page shows all of its comments in one way
    texts = [material.fill(frame, rng, text=text) for text in material.sample("comments", count, rng)]
    if rng.random() < 0.5:
        texts.insert(0, material.pick("comment_headings", rng, count=str(count)))
    where: Where = "end" if rng.random() < 0.85 else "middle"
    return _insert(layout, [_insertion(layout, where, "\n\n".join(texts), rng, block=True)])


def forum_voice(layout: Layout, material: Material, rng: Random) -> str:
    """The answer as a post in a forum: an opener, asides, a closing, at least two of them."""
    return _voice("forum", layout, material, rng)


def blog_voice(layout: Layout, material: Material, rng: Random) -> str:
    """The answer as a post in a blog: the same in its tone."""
    return _voice("blog", layout, material, rng)


def _voice(name: str, layout: Layout, material: Material, rng: Random) -> str:
    places = _middle(layout)
    asides = min(rng.randint(1, 3), len(places)) if rng.random() < 0.8 else 0
    ends: list[Literal["start", "end"]] = ["start", "end"]
    if asides and rng.random() < 0.4:
        ends.remove(rng.choice(ends))
    banks = {"start": f"{name}_openers", "end": f"{name}_closers"}
    found = [_insertion(layout, end, material.pick(banks[end], rng), rng) for end in ends]
    texts = material.sample(f"{name}_asides", asides, rng)
    middle = rng.sample(places, asides)
    found += [_Insertion(place, text, inline) for text, (place, inline) in zip(texts, middle, strict=True)]
    return _insert(layout, found)


def _middle(layout: Layout, single: bool = True) -> list[tuple[int, bool]]:
    """The places within the answer, and whether each is inline: such are fit for single sentences only."""
    places = [(place, False) for place in layout.paragraph_borders]
    return places + [(place, True) for place in layout.sentence_borders if single]


def _insertion(layout: Layout, where: Where, text: str, rng: Random, block: bool = False) -> _Insertion:
    """Where `text` goes; what has no place in the middle goes to the end, and what has none there to the start."""
    single = not block and "\n" not in text
    if where == "middle":
        places = _middle(layout, single)
        if places:
            place, inline = rng.choice(places)
            return _Insertion(place, text, inline)
    if where == "start" or not layout.takes_end:
        joins = single and layout.sentences[0].form is Form.PROSE and rng.random() < INLINE
        return _Insertion(0, text, joins)
    joins = single and layout.sentences[-1].form is Form.PROSE and rng.random() < INLINE
    return _Insertion(len(layout.text), text, joins)


def _insert(layout: Layout, insertions: Sequence[_Insertion]) -> str:
    text = layout.text
    for one in sorted(insertions, key=lambda one: one.place, reverse=True):
        if one.place == len(layout.text):
            text = f"{text.rstrip()}{' ' if one.inline else _BLANK}{one.text}"
        else:
            gap = (layout.gap(one.place) or " ") if one.inline else _BLANK
            text = f"{text[: one.place]}{one.text}{gap}{text[one.place :]}"
    return text


_BLANK = "\n\n"
