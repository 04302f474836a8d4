"""What a page is made of once its tags are understood: blocks of text."""

from __future__ import annotations

from humpback.corpus.html.words import Part

BREAK = "\0"
"""A line break among a block's strings (the parser lets no NUL through)."""

_INVISIBLE = ("\ufeff", "\u200b", "\u00ad")
"""Byte order mark, zero-width space and soft hyphen: marks for typesetting."""

HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}

MIN_PROSE = 40
"""A block's own text is prose from this many characters on (ours: some seven words; entries of menus have fewer)."""


class Block:
    """A block-level element with what stands in it and counts over its subtree.

    `items` are runs of text, with line breaks as `BREAK`, and blocks. `chars` counts characters of text, `links`
    those of them in links, `prose` those in blocks whose own text is long and mostly no link; `headings` counts
    headings and `linked` those that are links. `own` and `own_links` count the text directly in this block. `extra`
    is what its kind needs to be written: the spans of a cell, the start of a list, the language of code.
    """

    __slots__ = (
        "chars", "extra", "headings", "items", "linked", "links", "names", "own", "own_links", "part", "prose", "tag"
    )  # fmt: skip

    def __init__(self, tag: str, part: Part = Part.UNKNOWN, names: str = "") -> None:
        self.tag = tag
        self.part = part
        self.names = names
        self.items: list[str | Block] = []
        self.chars = self.links = self.prose = self.own = self.own_links = self.headings = self.linked = 0
        self.extra: str | None = None

    def count_own(self) -> None:
        """Adds the block's own text to what its subtree holds."""
        if own := self.own:
            self.chars += own
            self.links += self.own_links
            if own >= MIN_PROSE and self.own_links * 2 < own:
                self.prose += own

    def add_counts(self, child: Block) -> None:
        """Adds what a child's subtree holds to what this one does."""
        self.chars += child.chars
        if child.links:
            self.links += child.links
        if child.prose:
            self.prose += child.prose
        if child.headings:
            self.headings += child.headings
            self.linked += child.linked

    def holds(self, tags: frozenset[str]) -> bool:
        """Whether a block of one of these tags stands anywhere in it."""
        return any(isinstance(item, Block) and (item.tag in tags or item.holds(tags)) for item in self.items)


def one_line(text: str) -> str:
    """The text with each run of white space made one space, and without invisible marks."""
    if not text.isascii():
        for mark in _INVISIBLE:
            text = text.replace(mark, "")
    return " ".join(text.split())


def plain_text(block: Block) -> str:
    """All text in the block on one line."""
    parts: list[str] = []
    _collect(block, parts)
    return one_line("".join(parts).replace(BREAK, " "))


def _collect(block: Block, parts: list[str]) -> None:
    for item in block.items:
        if isinstance(item, str):
            parts.append(item)
        else:
            parts.append(" ")
            _collect(item, parts)
            parts.append(" ")
