"""The header tree of a Markdown text, and which of its lines are no prose.

Only the block structure is parsed, so that the time stays in proportion to the text whatever stands in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from humpback.corpus.front_matter import read_front_matter

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

HEADER_CHARS = 1000
"""A header's inline markup is rendered up to here (ours: no header is longer, and rendering may be slow)."""

FURNITURE_CHARS = 4000
"""A longer line is not examined for furniture (ours: a badge with its link has some 300 characters)."""

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_ATTRIBUTES = re.compile(r"\s*\{[:#.][^{}]*\}\s*$")
_PERMALINK = re.compile(r"\s*(?:¶|\s#)\s*$")
_TEMPLATE = re.compile(r"\{\{.{0,300}?\}\}|\{%.{0,300}?%\}")
_FURNITURE = re.compile(
    r"!\[[^\]\n]{0,1000}\](?:\([^)\n]{0,2000}\)|\[[^\]\n]{0,500}\])"  # image
    r"|\{\{.{0,2000}?\}\}|\{%.{0,2000}?%\}|\{:.{0,500}?\}"  # template tag
    r"|<!--.{0,2000}?-->"  # HTML comment
    r"|</?(?:img|br|hr|p|div|center|a|picture|source|span|figure|section)\b[^<>\n]{0,2000}>"  # tag of layout
)
_LINKED_NOTHING = re.compile(r"\[\s*\](?:\([^)\n]{0,2000}\)|\[[^\]\n]{0,500}\])")
_RULE = re.compile(r"[\s*_|·•–—-]+")
_NO_PROSE = frozenset({"fence", "code_block", "html_block", "table_open"})


@dataclass(slots=True)
class Section:
    """The text under one header, with the subtrees of its lower-level headers.

    `start` and `end` are lines, `end` excluded; the header's own lines come before `start`. `first_child` is
    the line at which the first child's header stands. The root is the document itself, at level 0.
    """

    header: str
    level: int
    start: int
    end: int = 0
    first_child: int = 0
    children: list[Section] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outline:
    """A text's lines (as character offsets, one more than there are lines), its header tree, and, for each
    line, whether it is no prose (code, a table, raw HTML), and whether it may be cut off where it says
    nothing."""

    text: str
    offsets: list[int]
    root: Section
    no_prose: list[bool]
    cuttable: list[bool]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The characters of the lines from `start` up to `end`, without the lines at either end that say
        nothing."""
        while start < end and self._says_nothing(start):
            start += 1
        while end > start and self._says_nothing(end - 1):
            end -= 1
        first = self.offsets[start]
        if start == end:
            return first, first
        last = self.offsets[end]
        while last > first and self.text[last - 1] in "\r\n":
            last -= 1
        return first, last

    def prose(self, start: int, end: int) -> tuple[int, str]:
        """Of the characters from `start` to `end`: how many stand in lines of no prose, and the other
        lines."""
        import bisect

        heavy = 0
        rest = []
        line = bisect.bisect_right(self.offsets, start) - 1
        while line < len(self.no_prose) and self.offsets[line] < end:
            low, high = max(start, self.offsets[line]), min(end, self.offsets[line + 1])
            if self.no_prose[line]:
                heavy += high - low
            else:
                rest.append(self.text[low:high])
            line += 1
        return heavy, "".join(rest)

    def _says_nothing(self, index: int) -> bool:
        """Blank; or, outside code and tables of Markdown, only images, tags of templates or HTML, and
        rules."""
        line = self.text[self.offsets[index] : self.offsets[index + 1]]
        if not line.strip():
            return True
        if not self.cuttable[index] or len(line) > FURNITURE_CHARS:
            return False
        return not _RULE.sub("", _LINKED_NOTHING.sub("", _FURNITURE.sub("", line)))


def outline(text: str) -> Outline:
    """The outline of a Markdown text; front matter belongs to no section."""
    offsets = _offsets(text)
    skipped = read_front_matter(text).end
    first = _lines_before(offsets, skipped)
    tokens = _blocks().parse(text[skipped:])
    root = Section("", 0, first)
    no_prose = [False] * (len(offsets) - 1)
    cuttable = [True] * (len(offsets) - 1)
    path = [root]
    for index, token in enumerate(tokens):
        if token.map is None:
            continue
        start, end = token.map[0] + first, min(token.map[1] + first, len(no_prose))
        if token.type in _NO_PROSE:
            no_prose[start:end] = [True] * (end - start)
            if token.type != "html_block":
                cuttable[start:end] = [False] * (end - start)
        elif token.type == "heading_open" and token.level == 0:
            section = Section(plain_header(tokens[index + 1].content), int(token.tag[1]), end)
            _append(path, section, start)
    for section in path:
        section.end = len(no_prose)
    return Outline(text, offsets, root, no_prose, cuttable)


def plain_outline(text: str) -> Outline:
    """The outline of a text that is not Markdown: one section, no headers."""
    offsets = _offsets(text)
    lines = len(offsets) - 1
    return Outline(text, offsets, Section("", 0, 0, lines), [False] * lines, [False] * lines)


def plain_header(source: str) -> str:
    """A header's text without its inline markup, attribute blocks, template tags and permalink signs."""
    source = _TEMPLATE.sub(" ", _ATTRIBUTES.sub("", source[:HEADER_CHARS]))
    pieces: list[str] = []
    for token in _inlines().parseInline(source):
        for child in token.children or []:
            if child.type in {"softbreak", "hardbreak"}:
                pieces.append(" ")
            elif child.type in {"text", "code_inline", "image"}:
                pieces.append(child.content)
    return _PERMALINK.sub("", " ".join("".join(pieces).split()))


def _append(path: list[Section], section: Section, header_line: int) -> None:
    """Hangs `section` under the last section of a higher level; `path` leads from the root to the newest
    one."""
    while path[-1].level >= section.level:
        path.pop().end = header_line
    parent = path[-1]
    if not parent.children:
        parent.first_child = header_line
    parent.children.append(section)
    path.append(section)


def _offsets(text: str) -> list[int]:
    """Where each line starts, then the text's length. Lines end as CommonMark's do: CRLF, CR or LF."""
    starts = [match.start() for match in _LINE.finditer(text) if match.start() < len(text)]
    return [*starts, len(text)]


def _lines_before(offsets: list[int], position: int) -> int:
    import bisect

    return min(bisect.bisect_left(offsets, position), len(offsets) - 1)


@cache
def _blocks() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table").disable(["inline", "text_join"])


@cache
def _inlines() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark")
