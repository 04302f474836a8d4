"""The blocks of a page with what they hold, in one pass over the parsed tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntEnum
from typing import TYPE_CHECKING

from humpback.corpus.html.blocks import HEADINGS, MIN_PROSE, Block
from humpback.corpus.html.inline import INLINE, PLAIN, Mark, close_inline, open_inline, open_line
from humpback.corpus.html.words import Part, language_of, part_of, words_in

if TYPE_CHECKING:
    from turbohtml import Element, Node

MAX_DEPTH = 100
"""Elements nested deeper than this open no block of their own (ours: real pages stay under 60)."""

MAX_LINKS = 0.6
"""A list, table or division with a larger share of its text in links is a list of links (ours; measured on article
and documentation pages)."""

MAX_PARAGRAPH_LINKS = 0.75
"""A paragraph with a larger share of its text in links points to other pages (ours; paragraphs that name many people
reach two thirds)."""

MIN_WEAK_PROSE = 100
"""What is called a detail (author, date, tags) is text from this much prose on (ours: a long sentence)."""

MIN_FORM_PROSE = 400
"""A form with less prose is a form; some publishing systems put the whole page into one (ours)."""

_NOISE = words_in(
    """script style noscript template svg iframe object embed button select input textarea canvas audio video map dialog
    datalist meter progress frameset rt rp img picture source link meta hr wbr title annotation annotation-xml"""
)
"""Elements without readable text of the page's own."""

_TAGS = {"nav": Part.BOILERPLATE, "footer": Part.BOILERPLATE, "menu": Part.BOILERPLATE, "aside": Part.ASIDE}
_ROLES = {
    **dict.fromkeys(
        words_in("navigation contentinfo banner toolbar search menu menubar tablist form"), Part.BOILERPLATE
    ),
    **dict.fromkeys(("dialog", "alertdialog", "tooltip"), Part.HIDDEN),
    "complementary": Part.ASIDE,
}
"""What tags and ARIA roles say (HTML standard; WAI-ARIA: landmark roles)."""

_CALLOUTS = words_in("note warning tip caution important admonition danger hint example callout")
"""Names of boxes that are part of a text."""

_CELLS = frozenset(("td", "th", "tr"))
_SPAN = re.compile("[1-9][0-9]?")
"""A span that is believed (ours: hundreds of columns or rows are a mistake, or an attempt to fill the memory)."""

_CONTAINERS = frozenset(("ul", "ol", "dl", "table", "tbody", "div", "section", "center", "dir"))
_WRAPPERS = frozenset(("div", "section", "center", "main", "article", "header", "details"))
_FIGURES = frozenset(("pre", "table", "blockquote", "ul", "ol"))
"""What makes a figure more than a picture with its caption."""


class Level(IntEnum):
    """What is left out of a page; each level leaves out less than the one before."""

    STRICT = 0
    """What is called boilerplate, comments, lists of links, forms, pictures with their captions."""

    COMMENTS = 1
    """The same but for comments: a forum may call its posts that."""

    LINKS = 2
    """What is called boilerplate, and forms: a page may consist of links."""

    ALL = 3
    """What is hidden, and boilerplate without prose: a page may be called anything."""


# The members of enumerations by names of their own: looking them up takes as long as all else that a node needs.
_UNKNOWN, _WEAK, _ASIDE, _BOILERPLATE = Part.UNKNOWN, Part.WEAK, Part.ASIDE, Part.BOILERPLATE
_LINKS, _ALL = Level.LINKS, Level.ALL

_MAYBE_HIDDEN = "[hidden], [aria-hidden], [style]"


class Tree:
    """The blocks of a page's body, in `root`, but for those that its level leaves out.

    `skipped` are the elements that were left out unseen for their names; those in `protected` are kept.
    """

    def __init__(self, body: Element, level: Level = Level.STRICT, protected: frozenset[Element] = frozenset()) -> None:
        self.level = level
        self.protected = protected
        self.skipped: list[Element] = []
        self.root = Block("body")
        self._paragraphs = _paragraph_chars(body)
        self._hidden = frozenset(node for node in body.select(_MAYBE_HIDDEN) if _is_hidden(node))
        self._roles = {node: node.attr("role") or "" for node in body.select("[role]")}
        self._grow(iter(body))
        self.root.count_own()

    def _grow(self, children: Iterator[Node]) -> None:
        """Walks all nodes with a stack of its own: pages may be nested deeper than Python may recurse."""
        from turbohtml import Element, Text

        block = self.root
        frame: Block | Mark = PLAIN  # of the element whose children are walked
        opened: list[tuple[Iterator[Node], Block | Mark, Block]] = []  # those of the elements around it
        in_link = 0
        while True:
            for node in children:
                if type(node) is Text:
                    data = node.data
                    if not data.isspace():
                        length = len(data.strip())
                        block.own += length
                        if in_link:
                            block.own_links += length
                        block.items.append(data)
                    elif block.tag == "pre" or (block.items and type(block.items[-1]) is str):
                        block.items.append(data)
                    continue
                if type(node) is not Element or (tag := node.tag) in _NOISE:
                    continue
                inner: Block | Mark | None
                if tag in INLINE:
                    inner = open_inline(node, tag, block)
                elif block.tag == "pre" or len(opened) > MAX_DEPTH:
                    inner = open_line(block)
                else:
                    inner = self._open(node, tag, block)
                if inner is None:
                    continue
                opened.append((children, frame, block))
                children, frame = iter(node), inner
                if isinstance(inner, Block):
                    block = inner
                elif inner[0] == "a":
                    in_link += 1
                break
            else:
                if not opened:
                    return
                closing, inside = frame, block
                children, frame, block = opened.pop()
                if isinstance(closing, Block):
                    self._close(closing, block)
                elif closing is not PLAIN:
                    if closing[0] == "a":
                        in_link -= 1
                    close_inline(closing, inside)

    def _open(self, node: Element, tag: str, parent: Block) -> Block | None:
        """The block that begins here, or None where it is left out for what it is called."""
        names = node.attr("class") or ""
        part = self._part(node, tag, names, parent)
        if part >= _BOILERPLATE and node not in self.protected and self._is_left_out(node, part):
            return None
        if node in self._hidden:
            return None
        block = Block(tag, part, names)
        if tag in _CELLS:
            block.extra = _spans(node)
        elif tag == "ol":
            block.extra = node.attr("start")
        elif tag == "pre":
            block.extra = language_of(names)
        parent.items.append(block)
        return block

    def _part(self, node: Element, tag: str, names: str, parent: Block) -> Part:
        part = part_of(names) if names else _UNKNOWN
        if identifier := node.attr("id"):
            part = max(part, part_of(identifier))
        if tag in _TAGS and _CALLOUTS.isdisjoint(names.lower().split()):
            part = max(part, _TAGS[tag])
        if self._roles and (role := self._roles.get(node)):
            part = max(part, _ROLES.get(role, Part.UNKNOWN))
        if part is _ASIDE:
            among_text = any(isinstance(item, Block) and item.own >= MIN_PROSE for item in parent.items[-3:])
            return Part.WEAK if among_text else Part.BOILERPLATE
        return part

    def _is_left_out(self, node: Element, part: Part) -> bool:
        """Whether an element of this part is left out unseen."""
        if part is Part.HIDDEN:
            return True
        if part is Part.COMMENTS:
            return self.level is Level.STRICT
        if self.level is Level.ALL or self._is_wrapper(node):
            return False
        self.skipped.append(node)
        return True

    def _is_wrapper(self, node: Element) -> bool:
        """Whether half of the page's paragraphs stand in the element, so that its names say what is beside them."""
        return self._paragraphs > MIN_PROSE and _paragraph_chars(node) > self._paragraphs / 2

    def _close(self, block: Block, parent: Block) -> None:
        """Adds up what the block holds, and takes it out again where that says it is no content."""
        block.count_own()
        tag = block.tag
        if not block.chars:
            if tag not in _CELLS:
                parent.items.pop()
            return
        if tag in HEADINGS:
            block.headings += 1
            block.linked += block.links > 0.8 * block.chars
        if self._is_boilerplate(block):
            parent.items.pop()
            return
        parent.add_counts(block)
        if tag in _WRAPPERS and len(block.items) == 1 and isinstance(only := block.items[0], Block):
            parent.items[-1] = only
            if only.tag == "pre" and not only.extra:
                only.extra = language_of(block.names)

    def _is_boilerplate(self, block: Block) -> bool:
        """Whether what the block turned out to hold says that it is no content."""
        tag = block.tag
        if self.level is _ALL:
            return block.part >= Part.BOILERPLATE and not block.prose
        if tag == "form":
            return block.prose < MIN_FORM_PROSE
        if self.level is _LINKS:
            return False
        if block.part is _WEAK and block.prose < MIN_WEAK_PROSE and not block.headings:
            return True
        if tag == "p":
            return block.links > MAX_PARAGRAPH_LINKS * block.chars
        if tag in _CONTAINERS:
            teasers = block.linked > 1 and block.linked > MAX_LINKS * block.headings
            return teasers or block.links > MAX_LINKS * block.chars
        return tag == "figure" and not block.holds(_FIGURES)


def _spans(node: Element) -> str | None:
    """How many columns and rows a cell takes, as `columns rows`; None where it says nothing."""
    spans = node.attr("colspan"), node.attr("rowspan")
    if spans == (None, None):
        return None
    return " ".join(span if span and _SPAN.fullmatch(span) else "1" for span in spans)


def _paragraph_chars(node: Element) -> int:
    """Characters in the paragraph elements below the element, short ones left out."""
    lengths = [len(paragraph.text) for paragraph in node.select("p")]
    return sum(length for length in lengths if length >= MIN_PROSE)


def _is_hidden(node: Element) -> bool:
    if node.attr("hidden") is not None or node.attr("aria-hidden") == "true":
        return True
    style = node.attr("style")
    if style is None:
        return False
    style = style.replace(" ", "").lower()
    return "display:none" in style or "visibility:hidden" in style
