"""What is known of a document's text before it is cut: its lines, header tree and blocks."""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import accumulate, pairwise

FURNITURE_CHARS = 4000
"""A longer line is not examined for furniture (ours: a badge with its link has some 300 characters)."""

_LINE_END = re.compile(r"\r\n|\r|\n")
_FURNITURE = re.compile(
    r"!\[[^\]\n]{0,1000}\](?:\([^)\n]{0,2000}\)|\[[^\]\n]{0,500}\])"  # image
    r"|\{\{.{0,2000}?\}\}|\{%.{0,2000}?%\}|\{:.{0,500}?\}"  # template tag
    r"|<!--.{0,2000}?-->"  # HTML comment
    r"|</?(?:img|br|hr|p|div|center|a|picture|source|span|figure|section)\b[^<>\n]{0,2000}>"  # tag of layout
)
_LINKED_NOTHING = re.compile(r"\[\s*\](?:\([^)\n]{0,2000}\)|\[[^\]\n]{0,500}\])")
_RULE = re.compile(r"[\s*_|·•:–—-]+")
_SENTENCE_END = (".", "!", "?", "。", "！", "？", '."', ".”", ".)")
_BULLETS = ("- ", "* ", "• ")


class Kind(IntEnum):
    """What a block is: only paragraphs are held to the rules about sentences."""

    PARAGRAPH = 0
    BULLET = 1  # begins an item of an unordered list
    ITEM = 2  # any other text in a list
    HEADING = 3
    ROW = 4  # of a table
    OTHER = 5  # code, or HTML with text in it; its text is not read


@dataclass(slots=True)
class Block:
    """One line of text as it is read: a paragraph up to a hard line break, an item, a heading, a table's row.

    `line` is where it starts in the source, `text` is without markup and images, `link_chars` says how many
    of its characters are link texts, `markup_chars` how many more the source has in link addresses, images
    and HTML tags.
    """

    line: int
    kind: Kind
    text: str = ""
    link_chars: int = 0
    markup_chars: int = 0


@dataclass(slots=True)
class Section:
    """The text under one header, with the subtrees of its lower-level headers.

    `start` and `end` are lines, `end` excluded; the header's own lines are those from `header_line` up to
    `start`. The root is the document itself, at level 0.
    """

    header: str
    level: int
    header_line: int
    start: int
    end: int = 0
    children: list[Section] = field(default_factory=list)

    @property
    def lead_end(self) -> int:
        """The line at which the first child's header stands, or the section's end."""
        return self.children[0].header_line if self.children else self.end


@dataclass(frozen=True, slots=True)
class Outline:
    """A text's lines (as character offsets, one more than there are lines), its header tree and its blocks.

    For each line: whether it is no prose (code, a table, raw HTML), and whether it may be cut off where it
    says nothing. `borders` are the lines at which a block of the document's own level begins, or an item of a
    list of that level: between them no line may be parted from the next.
    """

    text: str
    offsets: list[int]
    root: Section
    no_prose: list[bool]
    cuttable: list[bool]
    borders: list[int]
    blocks: list[Block]

    def trim(self, start: int, end: int) -> tuple[int, int]:
        """The lines from `start` up to `end`, without those at either end that say nothing."""
        while start < end and self._says_nothing(start):
            start += 1
        while end > start and self._says_nothing(end - 1):
            end -= 1
        return start, end

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The characters of the lines from `start` up to `end` after `trim`, without the last line's end."""
        start, end = self.trim(start, end)
        first = self.offsets[start]
        if start == end:
            return first, first
        last = self.offsets[end]
        while last > first and self.text[last - 1] in "\r\n":
            last -= 1
        return first, last

    def blocks_between(self, start: int, end: int) -> list[Block]:
        """The blocks that begin in the lines from `start` up to `end`."""
        low = bisect.bisect_left(self.blocks, start, key=_line_of)
        return self.blocks[low : bisect.bisect_left(self.blocks, end, low, key=_line_of)]

    def block_before(self, line: int) -> Block | None:
        """The last block that begins before `line`."""
        index = bisect.bisect_left(self.blocks, line, key=_line_of)
        return self.blocks[index - 1] if index else None

    def borders_between(self, start: int, end: int) -> list[int]:
        """The borders in the lines from `start` up to `end`, each once."""
        low = bisect.bisect_left(self.borders, start)
        return list(dict.fromkeys(self.borders[low : bisect.bisect_left(self.borders, end, low)]))

    def markup_chars(self, start: int, end: int) -> int:
        """How many characters from line `start` up to `end` stand in code, tables and raw HTML, or are markup."""
        lines = (self.offsets[line + 1] - self.offsets[line] for line in range(start, end) if self.no_prose[line])
        blocks = self.blocks_between(start, end)
        return sum(lines) + sum(block.markup_chars for block in blocks if block.kind is not Kind.ROW)

    def prose_source(self, start: int, end: int) -> str:
        """The other lines from `start` up to `end`, as they stand in the text."""
        lines = (line for line in range(start, end) if not self.no_prose[line])
        return "".join(self.text[self.offsets[line] : self.offsets[line + 1]] for line in lines)

    def _says_nothing(self, index: int) -> bool:
        """Blank; or, outside code and tables of Markdown, only images, tags of templates or HTML, and rules."""
        line = self.text[self.offsets[index] : self.offsets[index + 1]].strip()
        if not line:
            return True
        if line[0].isalnum() or not self.cuttable[index] or len(line) > FURNITURE_CHARS:
            return False
        return not _RULE.sub("", _LINKED_NOTHING.sub("", _FURNITURE.sub("", line)))


def plain_outline(text: str) -> Outline:
    """The outline of a text that is not Markdown: one section, no headers, each line a block.

    It may be cut after blank lines or, where there are none, after lines that end a sentence.
    """
    offsets = line_offsets(text)
    lines = [text[start:end].strip() for start, end in pairwise(offsets)]
    kinds = [Kind.BULLET if line.startswith(_BULLETS) else Kind.PARAGRAPH for line in lines]
    blocks = [Block(index, kind, line) for index, (kind, line) in enumerate(zip(kinds, lines, strict=True)) if line]
    borders = [index for index in range(1, len(lines)) if lines[index] and not lines[index - 1]]
    if not borders:
        borders = [index for index in range(1, len(lines)) if lines[index - 1].endswith(_SENTENCE_END)]
    root = Section("", 0, 0, 0, len(lines))
    return Outline(text, offsets, root, [False] * len(lines), [False] * len(lines), [0, *borders], blocks)


def line_offsets(text: str) -> list[int]:
    """Where each line starts, then the text's length. Lines end as CommonMark's do: CRLF, CR or LF."""
    if "\r" in text:
        offsets = [0, *(match.end() for match in _LINE_END.finditer(text))]
    else:
        offsets = [0, *accumulate(len(line) + 1 for line in text.split("\n")[:-1])]
    return offsets if offsets[-1] == len(text) else [*offsets, len(text)]


def _line_of(block: Block) -> int:
    return block.line
