"""The outline of a Markdown text, from the events of a CommonMark parser."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable
from typing import Any

from humpback.corpus.front_matter import front_matter_end
from humpback.corpus.outline import Block, Kind, Outline, Section, line_offsets

HEADER_CHARS = 1000
"""A header's text ends here (ours: no header is longer)."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_ATTRIBUTES = re.compile(r"\s*\{[:#.][^{}]*\}$")
_TAG = re.compile(r"<!--|-->|<[^<>]*>?")
_PERMALINK = re.compile(r"\s*(?:¶|\s#)$")
_TEMPLATE = re.compile(r"\{\{.{0,300}?\}\}|\{%.{0,300}?%\}")


def outline(text: str) -> Outline:
    """The outline of a Markdown text; front matter belongs to no section.

    Takes time in proportion to the text, whatever stands in it.
    """
    import pyromark

    skipped = front_matter_end(text)
    source = _SURROGATE.sub("\ufffd", text[skipped:])  # the parser takes none
    reader = _Reader(text, source, skipped)
    reader.read(pyromark.events_with_range(source, options=pyromark.Options.ENABLE_TABLES))
    return reader.outline()


class _Reader:
    """Gathers the outline from the parser's events, each with the bytes of the source that it stands for."""

    def __init__(self, text: str, source: str, skipped: int) -> None:
        self._text = text
        self._offsets = line_offsets(text)
        self._first = bisect.bisect_left(self._offsets, skipped, 0, len(self._offsets) - 1)
        self._bytes = source.encode()
        self._ascii = source.isascii()
        self._byte_offsets = line_offsets(self._bytes.decode("latin-1"))  # a character a byte
        lines = len(self._offsets) - 1
        self._no_prose = [False] * lines
        self._cuttable = [True] * lines
        self._borders: list[int] = [self._first]
        self._blocks: list[Block] = []
        self._path = [Section("", 0, self._first, self._first)]
        self._pieces: list[str] = []  # the newest block's text so far
        self._lists: list[bool] = []  # whether each open list is unordered
        self._depth = 0  # open lists and quotations
        self._muted = 0  # open images, code blocks and HTML blocks
        self._level = 0  # of the newest heading
        self._link: int | None = None  # inside a link: the characters that its block had before

    def outline(self) -> Outline:
        """What was gathered."""
        self._close()
        for section in self._path:
            section.end = len(self._no_prose)
        return Outline(
            self._text, self._offsets, self._path[0], self._no_prose, self._cuttable, self._borders, self._blocks
        )

    def read(self, events: Iterable[tuple[Any, Any]]) -> None:
        """Takes in all events."""
        for event, span in events:
            if isinstance(event, str):
                self._single(event, span)
                continue
            ((name, value),) = event.items()
            if name == "Text" or name == "Code":
                self._inline(value)
            elif name == "Start":
                self._start(value, span)
            elif name == "End":
                if value != "Paragraph":
                    self._end(value if isinstance(value, str) else next(iter(value)), span)
            elif name == "Html" and _TAG.sub("", value).strip():
                self._open(self._line(span["start"]), Kind.OTHER)
            elif name == "InlineHtml" and not self._muted and self._blocks:
                self._blocks[-1].markup_chars += self._chars(span)

    def _single(self, event: str, span: dict[str, int]) -> None:
        if event == "Rule":
            self._border(self._line(span["start"]))
        elif self._blocks and not self._muted:
            block = self._blocks[-1]
            if event == "SoftBreak" or self._link is not None or block.kind in {Kind.HEADING, Kind.ROW}:
                self._pieces.append(" ")
            else:
                self._open(self._line(span["start"]), Kind.ITEM if self._lists else Kind.PARAGRAPH)

    def _inline(self, text: str) -> None:
        if not self._blocks:
            return
        block = self._blocks[-1]
        if not self._muted or block.kind is Kind.HEADING:
            self._pieces.append(text)
            if self._link is not None:
                block.link_chars += len(text)

    def _start(self, value: Any, span: dict[str, int]) -> None:
        tag: str
        inner: Any = None
        if isinstance(value, str):
            tag = value
        else:
            ((tag, inner),) = value.items()
        line = self._line(span["start"])
        if tag == "Paragraph":
            self._paragraph(line)
        elif tag == "Item":
            if self._depth == 1:
                self._borders.append(line)
            self._open(line, Kind.BULLET if self._lists[-1] else Kind.ITEM)
        elif tag == "Heading":
            self._border(line)
            self._open(line, Kind.HEADING)
            self._level = int(inner["level"][1])  # "H2"
        elif tag == "Link":
            self._link = self._counted()
        elif tag == "Image":
            self._muted += 1
        elif tag in {"TableHead", "TableRow"}:
            self._open(line, Kind.ROW)
        elif tag == "TableCell":
            self._pieces.append(" ")
        elif tag in {"List", "BlockQuote"}:
            self._border(line)
            self._depth += 1
            if tag == "List":
                self._lists.append(inner is None)
        elif tag in {"Table", "CodeBlock", "HtmlBlock"}:
            self._verbatim(tag, line, span)

    def _paragraph(self, line: int) -> None:
        self._border(line)
        fresh = self._lists and self._blocks and self._blocks[-1].line == line and not self._pieces
        if not fresh:  # else it is the item's own first one
            self._open(line, Kind.ITEM if self._lists else Kind.PARAGRAPH)

    def _verbatim(self, tag: str, line: int, span: dict[str, int]) -> None:
        self._border(line)
        end = max(line, self._line(span["end"] - 1)) + 1
        self._no_prose[line:end] = [True] * (end - line)
        if tag != "HtmlBlock":
            self._cuttable[line:end] = [False] * (end - line)
        if tag != "Table":
            self._muted += 1
        if tag == "CodeBlock":
            self._open(line, Kind.OTHER)

    def _end(self, tag: str, span: dict[str, int]) -> None:
        if tag == "Link":
            if self._link is not None and not self._muted:
                self._blocks[-1].markup_chars += max(0, self._chars(span) - (self._counted() - self._link))
            self._link = None
        elif tag == "Image":
            self._muted -= 1
            if not self._muted and self._blocks:
                self._blocks[-1].markup_chars += self._chars(span)
        elif tag in {"CodeBlock", "HtmlBlock"}:
            self._muted -= 1
        elif tag == "Heading":
            if self._depth == 0:
                self._section(span)
        elif tag in {"List", "BlockQuote"}:
            self._depth -= 1
            if tag == "List":
                self._lists.pop()

    def _section(self, span: dict[str, int]) -> None:
        """Hangs the heading that ends here under the last section of a higher level."""
        line = self._blocks[-1].line
        section = Section(plain_header("".join(self._pieces)), self._level, line, self._line(span["end"] - 1) + 1)
        while self._path[-1].level >= self._level:
            self._path.pop().end = line
        self._path[-1].children.append(section)
        self._path.append(section)

    def _border(self, line: int) -> None:
        if self._depth == 0:
            self._borders.append(line)

    def _open(self, line: int, kind: Kind) -> None:
        self._close()
        self._blocks.append(Block(line, kind))

    def _close(self) -> None:
        if self._blocks:
            block = self._blocks[-1]
            block.text = " ".join("".join(self._pieces).split())
            if not block.text and not block.markup_chars and block.kind is not Kind.OTHER:
                self._blocks.pop()
        self._pieces = []

    def _counted(self) -> int:
        """The newest block's characters in links and markup."""
        return self._blocks[-1].link_chars + self._blocks[-1].markup_chars if self._blocks else 0

    def _line(self, position: int) -> int:
        return self._first + bisect.bisect_right(self._byte_offsets, position, 0, len(self._byte_offsets) - 1) - 1

    def _chars(self, span: dict[str, int]) -> int:
        if self._ascii:
            return span["end"] - span["start"]
        return len(self._bytes[span["start"] : span["end"]].decode("utf-8", "replace"))


def plain_header(text: str) -> str:
    """A header's text without attribute blocks, template tags and permalink signs."""
    text = " ".join(_TEMPLATE.sub(" ", text[:HEADER_CHARS]).split())
    return _PERMALINK.sub("", _ATTRIBUTES.sub("", text)).strip()
