"""Blocks as Markdown that reads as plain text and whose headings and code blocks a CommonMark parser finds again.

Emphasis and the addresses of links are left out, inline code stands between backticks, and nothing within a line is
escaped. A line gets one backslash where it would otherwise begin a heading, a fence, a quotation, raw HTML, a table or
a definition; what looks like a list item stays as it is, since it reads as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from humpback.corpus.html.blocks import BREAK, HEADINGS, Block, one_line, plain_text
from humpback.corpus.html.table import pipe_table

MAX_LIST_DEPTH = 6
MAX_QUOTE_DEPTH = 3
"""Lists and quotations nested deeper are not indented further (ours: nobody reads them, and the indentation of deep
ones would outgrow the text)."""

_LISTS = frozenset(("ul", "ol", "menu", "dir"))
_FENCES = re.compile(r"^\s*(`{3,})", re.M)
_ESCAPED = re.compile(
    r"(?:(?:[-+*]|\d{1,9}[.)])[ ])*"  # list markers stay, but not what they would let begin
    r"(?P<mark>#{1,6}(?=\s|$)|>|```|~~~|<(?=[A-Za-z/!?])|\||\[(?=[^\]]{1,999}\]:)|[-=:|](?=[-=:| ]*$))"
)
_RULE = re.compile(r"[-=*_~](?: ?[-=*_~]){2,}$")
_CLOSING_HASHES = re.compile(r"(?:^|(?<=\s))#+$")
_FIRST = frozenset("#>`~<|[-=:+*_0123456789")


def render(root: Block) -> str:
    """The block's content as Markdown."""
    chunks: list[str] = []
    _write(root, chunks, 0, 0)
    return "\n\n".join(chunks)


def _write(block: Block, chunks: list[str], lists: int, quotes: int) -> None:
    """Appends the Markdown blocks of what stands in `block`."""
    run: list[str] = []
    for item in block.items:
        if isinstance(item, str):
            run.append(item)
            continue
        if run:
            _paragraphs(run, chunks)
            run = []
        _write_block(item, chunks, lists, quotes)
    if run:
        _paragraphs(run, chunks)


def _write_block(block: Block, chunks: list[str], lists: int, quotes: int) -> None:
    tag = block.tag
    if tag in HEADINGS:
        if text := plain_text(block):
            chunks.append(f"{'#' * HEADINGS[tag]} {_CLOSING_HASHES.sub(_escape_hashes, text)}")
    elif tag == "pre":
        if code := _code(block):
            chunks.append(code)
    elif tag in _LISTS and lists < MAX_LIST_DEPTH and not block.headings:
        _list(block, chunks, lists, quotes)
    elif tag == "blockquote" and quotes < MAX_QUOTE_DEPTH:
        inner: list[str] = []
        _write(block, inner, lists, quotes + 1)
        if inner:
            chunks.append("\n".join(f"> {line}" if line else ">" for line in "\n\n".join(inner).split("\n")))
    elif tag == "dl":
        _definitions(block, chunks, lists, quotes)
    elif tag == "table":
        _table(block, chunks, lists, quotes)
    else:
        _write(block, chunks, lists, quotes)


def _paragraphs(run: list[str], chunks: list[str]) -> None:
    """A run of text as paragraphs: two line breaks in a row part them, one begins a line."""
    lines: list[str] = []
    for part in "".join(run).split(BREAK):
        line = one_line(part)
        if line and not _RULE.match(line):
            lines.append(_escape(line))
        elif lines:
            chunks.append("\n".join(lines))
            lines = []
    if lines:
        chunks.append("\n".join(lines))


def _escape(line: str) -> str:
    if line[0] in _FIRST and (found := _ESCAPED.match(line)):
        at = found.start("mark")
        return f"{line[:at]}\\{line[at:]}"
    return line


def _escape_hashes(found: re.Match[str]) -> str:
    return "\\" + found.group()


def _code(block: Block) -> str:
    text = "".join(item for item in block.items if isinstance(item, str)).replace("\r\n", "\n").replace("\r", "\n")
    text = text.strip("\n").rstrip()
    if not text.strip():
        return ""
    fence = "`" * max(3, 1 + max((len(mark) for mark in _FENCES.findall(text)), default=0))
    return f"{fence}{block.extra or ''}\n{text}\n{fence}"


def _list(block: Block, chunks: list[str], lists: int, quotes: int) -> None:
    items: list[list[str]] = []
    for item in block.items:
        inner: list[str] = []
        if isinstance(item, str):
            _paragraphs([item], inner)
        elif item.tag == "li":
            _write(item, inner, lists + 1, quotes)
        else:
            _write_block(item, inner, lists + 1, quotes)
            if items and item.tag in _LISTS:  # stands between the items, belongs to the one before it
                items[-1].extend(inner)
                continue
        if inner:
            items.append(inner)
    if not items:
        return
    number = int(block.extra) if block.extra and block.extra.isdecimal() and len(block.extra) < 7 else 1
    gap = "\n" if all(_is_tight(inner) for inner in items) else "\n\n"
    written = []
    for count, inner in enumerate(items, number):
        marker = f"{count}. " if block.tag == "ol" else "- "
        written.append(marker + _indented(gap.join(inner), " " * len(marker)))
    chunks.append(gap.join(written))


def _is_tight(item: list[str]) -> bool:
    """Whether the item is one paragraph and lists below it."""
    return "\n\n" not in item[0] and all(part.startswith(("- ", "1. ")) and "\n\n" not in part for part in item[1:])


def _indented(text: str, indent: str) -> str:
    """The text with all its lines but the first indented."""
    if "\n" not in text:
        return text
    return "\n".join(indent + line if line and number else line for number, line in enumerate(text.split("\n")))


def _definitions(block: Block, chunks: list[str], lists: int, quotes: int) -> None:
    """A list of terms: `- term: text` where the texts are short lines, else a paragraph a term and what follows it."""
    terms = list(_terms(block))
    if block.headings or any(isinstance(inner, Block) for item in terms for inner in item.items):
        _write(block, chunks, lists, quotes)
        return
    lines: list[str] = []
    for item in terms:
        text = plain_text(item)
        if item.tag == "dd" and lines:
            lines[-1] += f"{' ' if lines[-1].endswith((':', '.')) else ': '}{text}"
        else:
            lines.append(_escape(f"- {text}"))
    if lines:
        chunks.append("\n".join(lines))


def _terms(block: Block) -> Iterator[Block]:
    """The terms and their texts; pairs of them may stand in divisions (HTML standard)."""
    for item in block.items:
        if isinstance(item, Block):
            if item.tag == "div":
                yield from (inner for inner in item.items if isinstance(inner, Block))
            else:
                yield item


def _table(block: Block, chunks: list[str], lists: int, quotes: int) -> None:
    text = None if block.headings else pipe_table(block)
    if text is None:
        _write(block, chunks, lists, quotes)
        return
    for item in block.items:
        if isinstance(item, Block) and item.tag == "caption":
            _write(item, chunks, lists, quotes)
    chunks.append(text)
