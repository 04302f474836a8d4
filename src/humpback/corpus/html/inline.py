"""Elements within a line: what of them stays in the text of their block."""

from __future__ import annotations

from typing import TYPE_CHECKING

from humpback.corpus.html.blocks import BREAK, HEADINGS, Block
from humpback.corpus.html.words import Part, language_of, part_of, words_in

if TYPE_CHECKING:
    from turbohtml import Element

INLINE = words_in(
    """a abbr acronym b bdi bdo big br cite code data del dfn em font i ins kbd label mark nobr output q ruby rb s samp
    small span strike strong sub sup time tt u var
    math mi mn mo ms mtext mrow mstyle msub msup msubsup mfrac msqrt mroot mover munder munderover mtable mtr mtd
    mpadded mphantom menclose mspace merror none semantics"""
)
"""Elements that stand within a line (HTML standard: phrasing content; MathML)."""

MAX_SIGN = 6
"""Links of up to so many characters are looked at for being a sign, raised ones for being a footnote's (ours)."""

MAX_PIECES = 20
"""Elements with more pieces of text are left as they are (ours: marks, code and raised signs have few)."""

_HIDDEN = Part.HIDDEN  # looking up a member of an enumeration takes as long as all else that a link needs

_POWERS = frozenset("0123456789+-−n")
"""What a raised text begins with that is a power: 10 raised to 6 must not read 106."""

_STYLES = ("\\displaystyle", "\\textstyle")
_CODE = frozenset(("code", "kbd", "samp", "tt"))
_REWRITTEN = _CODE | {"q", "sup"}
_PERMALINKS = words_in("¶ # § 🔗 ^ ↑ ⚓ ∞ edit [edit] [¶] [#]")

Mark = tuple[str, int, int, int]
"""What an inline element leaves behind when it begins: its kind, how many items the block has, its counts of text."""

PLAIN: Mark = ("", 0, 0, 0)
"""The mark of an element of which nothing but its text stays."""


def open_inline(node: Element, tag: str, block: Block) -> Mark | None:
    """The mark that an inline element leaves, or None where nothing in it is text of the page."""
    if tag == "a" or tag == "span":
        names = node.attr("class")
        if names is not None and part_of(names) is _HIDDEN:
            return None
        if tag == "span":
            return None if node.attr("aria-hidden") == "true" else PLAIN
        in_page = block.tag in HEADINGS and (node.attr("href") or "#").startswith("#")
        return "anchor" if in_page else "a", len(block.items), block.own, block.own_links
    if tag == "br":
        block.items.append("\n" if block.tag == "pre" else BREAK)
        return None
    if tag == "math" and (formula := _formula(node)):
        block.items.append(formula)
        block.own += len(formula)
        return None
    if tag not in _REWRITTEN:
        return PLAIN
    if block.tag == "pre" and not block.extra:
        block.extra = language_of(node.attr("class") or "")
    return tag, len(block.items), block.own, block.own_links


def _formula(node: Element) -> str:
    """The formula in TeX, where the page states it beside its MathML."""
    tex = node.attr("alttext")
    if not tex:
        stated = node.select_one('annotation[encoding="application/x-tex"]')
        tex = stated.text if stated is not None else ""
    tex = " ".join(tex.split())
    for style in _STYLES:
        if tex.startswith("{" + style) and tex.endswith("}"):
            tex = tex[len(style) + 1 : -1].strip()
    return f"${tex}$" if tex else ""


def open_line(block: Block) -> Mark:
    """The mark of a block-level element that gets no block of its own, as in code: it begins a line."""
    _end_line(block)
    return "line", len(block.items), 0, 0


def close_inline(mark: Mark, block: Block) -> None:
    """Rewrites what stands in an inline element that ends, where it means more than its text."""
    tag, start, own, links = mark
    items = block.items
    if tag == "line":
        _end_line(block)
        return
    if tag == "" or block.tag == "pre" or not 0 < len(items) - start <= MAX_PIECES:
        return
    if tag == "a" or tag == "anchor":
        if block.own - own <= MAX_SIGN and _text(items, start) in _PERMALINKS:
            _forget(block, mark)
        return
    if tag == "sup":
        if block.own_links > links and block.own - own <= MAX_SIGN:
            _forget(block, mark)
        elif (power := _text(items, start))[:1] in _POWERS and power:
            items[start:] = [f"^{power}"]
        return
    text = _text(items, start)
    if text and BREAK not in text and block.tag not in HEADINGS:
        if tag == "q":
            items[start:] = [f'"{text}"']
        elif "`" not in text:
            items[start:] = [f"`{text}`"]


def _forget(block: Block, mark: Mark) -> None:
    _, start, block.own, block.own_links = mark
    del block.items[start:]


def _text(items: list[str | Block], start: int) -> str:
    """The text from an item on; a block among the items counts as a line break."""
    return "".join(item if isinstance(item, str) else BREAK for item in items[start:]).strip()


def _end_line(block: Block) -> None:
    items = block.items
    end = "\n" if block.tag == "pre" else BREAK
    if items and isinstance(items[-1], str) and not items[-1].endswith(end):
        items.append(end)
