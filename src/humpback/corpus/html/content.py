"""The blocks of a page that are its main content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from humpback.corpus.html.blocks import HEADINGS, MIN_PROSE, Block
from humpback.corpus.html.tree import Level, Tree

if TYPE_CHECKING:
    from turbohtml import Element

MIN_CONTENT = 250
"""Content of fewer characters than this is looked for again with laxer rules (ours: a short paragraph)."""

MIN_PROTECTED = 500
"""Boilerplate that holds more prose than this and than the rest of the page is its content (ours: the longest footers
hold less)."""

MAX_ROUNDS = 6
"""Boilerplate within boilerplate is looked into so often (ours: real pages need two)."""

MAIN_SHARE = 0.7
"""A block that holds this much of its parent's prose holds the content (ours)."""

_NO_PROSE = "a,script,style,noscript,select"
_TEXT_LEVEL = frozenset(("p", "pre", "blockquote", "ul", "ol", "dl", "li", "dd", "figure"))


def main_content(body: Element) -> Block:
    """The block that holds the page's content, without what surrounds it."""
    best: Block | None = None
    for level in Level:
        root = _without_boilerplate(body, level)
        if best is None or (root.prose, root.chars) > (best.prose, best.chars):
            best = root
        if root.prose and root.chars >= MIN_CONTENT:
            break
    assert best is not None
    if best.prose >= MIN_CONTENT:
        _focus(best)
        _drop_trailing_headings(best)
    return best


def _without_boilerplate(body: Element, level: Level) -> Block:
    """The blocks of the page; what was taken for boilerplate though most of the prose stands in it is kept."""
    protected: frozenset[Element] = frozenset()
    for _ in range(MAX_ROUNDS):
        tree = Tree(body, level=level, protected=protected)
        least = max(tree.root.prose, MIN_PROTECTED)
        wrong = {node for node in tree.skipped if _holds_more_prose(node, least)}
        if not wrong:
            break
        protected |= wrong
    return tree.root


def _holds_more_prose(node: Element, least: int) -> bool:
    """Whether more prose than `least` stands in the element; what is cheap to know is asked first."""
    text = node.text
    if len(text) <= least:
        return False
    unlinked = len("".join(text.split())) - sum(len("".join(part.text.split())) for part in node.select(_NO_PROSE))
    return unlinked > least and Tree(node, level=Level.ALL).root.prose > least


def _drop_trailing_headings(root: Block) -> None:
    """Takes off the headings at the end that nothing follows: what they headed was no content."""
    level: Block | str = root
    while isinstance(level, Block) and level.items:
        last = level.items[-1]
        if isinstance(last, Block) and last.tag in HEADINGS and len(level.items) > 1:
            level.items.pop()
        else:
            level = last


def _focus(root: Block) -> None:
    """Goes down to where the prose stands, and leaves out on the way what stands beside it and is none of it."""
    level = root
    while level.prose:
        blocks = [item for item in level.items if isinstance(item, Block)]
        best = max(blocks, key=lambda item: item.prose, default=None)
        if best is None or best.prose < MAIN_SHARE * level.prose or best.tag in _TEXT_LEVEL:
            break
        at = level.items.index(best)
        before = [item for item in level.items[:at] if _belongs(item, best, before=True)]
        after = [item for item in level.items[at + 1 :] if _belongs(item, best, before=False)]
        level.items = [*before, best, *after]
        level = best


def _belongs(item: str | Block, best: Block, *, before: bool) -> bool:
    """Whether what stands beside the block that holds most of the prose is of the same text."""
    if isinstance(item, str) or item.links > 0.3 * item.chars:
        return False
    if item.tag in HEADINGS:
        return before
    if item.tag in _TEXT_LEVEL or item.own >= MIN_PROSE:
        return before and (item.prose > 0 or item.tag == "pre")
    return item.prose > 0 and item.tag == best.tag and item.names == best.names
