"""An answer taken apart into sentences and lines, and the places at which something can be put into it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from itertools import pairwise

from humpback.corpus.markdown import outline
from humpback.corpus.outline import Kind, Outline
from humpback.corpus.words import is_unspaced

SHORT_LINE = 60
"""A line of prose with fewer characters that is followed by another one was not wrapped but ended (ours)."""

_END = re.compile(r"[.!?؟…][\"'”’»)\]*_]*\s+|[。！？][\"”’」』）*_]*\s*")
_CODE = re.compile(r"(?<!`)(`{1,9})(?!`)[^\n]{0,1000}?(?<!`)\1(?!`)")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[\"'*_])(?:\w|e\.g|i\.e|cf|vs|dr|mrs?|ms|st|prof|approx|fig|no|vol|etc|z\.\s?b|d\.\s?h|bzw|ca|nr|p\.\s?ex"
    r"|sr|sra|\d{1,3})\.$",
    re.IGNORECASE,
)
_MARKER = re.compile(r"[ \t>]*(?:[-*+•]|\(?\w{1,3}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?")
_LABEL = re.compile(r"[:：][*_]*$")
_STOPPED = re.compile(r"[.!?:;؟。！？：；…][\"'”’»)\]」』）*_]*$")
_SPACE = re.compile(r"(?<=\s)\S")
_UNSPACED_WORD = re.compile(r"(?<=[\w\s])\w")


class Form(IntEnum):
    """What a sentence stands in."""

    PROSE = 0
    ITEM = 1  # of a list, its marker with the first sentence
    HEADING = 2
    OTHER = 3  # a line of code, of a table or of raw HTML


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, or a line that is none, without the white space around it.

    `block` numbers the paragraph, item or heading that it stands in; sentences of one block can be told apart by
    nothing but a space.
    """

    start: int
    end: int
    form: Form
    block: int


class Layout:
    """What is known of an answer before something is taken out of it or put into it; read as Markdown."""

    def __init__(self, text: str) -> None:
        self.text = text

    def gap(self, place: int) -> str:
        """What parts a sentence that begins at `place` from the one before it: nothing, a space, a line or two."""
        space = self.text[len(self.text[:place].rstrip()) : place]
        return "\n" * min(space.count("\n"), 2) or space

    @cached_property
    def sentences(self) -> list[Sentence]:
        """All sentences and lines that are not blank, in order."""
        return list(self._sentences())

    @cached_property
    def words(self) -> list[int]:
        """Where each word but the first begins; in languages without spaces, each letter."""
        pattern = _UNSPACED_WORD if is_unspaced(self.text) else _SPACE
        return [match.start() for match in pattern.finditer(self.text)]

    @cached_property
    def paragraph_borders(self) -> list[int]:
        """Where a block of the document's own level begins after a blank line, but for the first.

        Between two items of a list there is none, nor between a line that announces something and what follows it.
        """
        drawn = self._outline
        firsts = {sentence.start: index for index, sentence in enumerate(self.sentences)}
        borders = []
        for line in drawn.borders:
            start = self._content(line)
            index = firsts.get(start, 0)
            if index == 0 or self.gap(start) != "\n\n":
                continue
            before, after = self.sentences[index - 1], self.sentences[index]
            in_list = before.form is Form.ITEM and after.form is Form.ITEM
            announced = before.form is Form.HEADING or _LABEL.search(self.text[before.start : before.end])
            if not in_list and not announced:
                borders.append(self._line_start(start))
        return list(dict.fromkeys(borders))

    @cached_property
    def sentence_borders(self) -> list[int]:
        """Where a sentence begins that follows another in the same paragraph."""
        return [
            after.start
            for before, after in pairwise(self.sentences)
            if before.block == after.block and before.form is Form.PROSE
        ]

    @cached_property
    def takes_end(self) -> bool:
        """Whether what is put after the text stands outside its code."""
        return not outline(f"{self.text}\n\nx").no_prose[-1]

    @cached_property
    def _outline(self) -> Outline:
        return outline(self.text)

    def _content(self, line: int) -> int:
        """Where the line's text begins, after white space."""
        start, end = self._outline.offsets[line], self._outline.offsets[line + 1]
        piece = self.text[start:end]
        return start + len(piece) - len(piece.lstrip())

    def _line_start(self, position: int) -> int:
        return self.text.rfind("\n", 0, position) + 1

    def _sentences(self) -> Iterator[Sentence]:
        """Block by block: runs of lines that begin where the outline says that a block begins, or after a blank."""
        drawn = self._outline
        kinds = {block.line: block.kind for block in reversed(drawn.blocks)}
        number = 0
        run: list[int] = []
        form = Form.PROSE
        for line in range(len(drawn.offsets) - 1):
            is_blank = not self.text[drawn.offsets[line] : drawn.offsets[line + 1]].strip()
            if run and (is_blank or drawn.no_prose[line] or line in kinds):
                yield from self._split(run, form, number)
                number, run = number + 1, []
            if is_blank:
                continue
            if drawn.no_prose[line]:
                yield self._whole(line, number)
                number += 1
                continue
            if not run:
                form = _form(kinds.get(line, Kind.PARAGRAPH))
            run.append(line)
        if run:
            yield from self._split(run, form, number)

    def _whole(self, line: int, number: int) -> Sentence:
        start, end = self._outline.offsets[line], self._outline.offsets[line + 1]
        return Sentence(self._content(line), start + len(self.text[start:end].rstrip()), Form.OTHER, number)

    def _split(self, lines: Sequence[int], form: Form, number: int) -> Iterator[Sentence]:
        """The sentences of a block of text."""
        start, end = self._content(lines[0]), self._outline.offsets[lines[-1] + 1]
        end = start + len(self.text[start:end].rstrip())
        if form is Form.HEADING or end <= start:
            if end > start:
                yield Sentence(start, end, form, number)
            return
        marker = _MARKER.match(self.text, start, end) if form is Form.ITEM else None
        low = marker.end() if marker else start
        code = [match.span() for match in _CODE.finditer(self.text, low, end)]
        borders = {match.end() for match in _END.finditer(self.text, low, end) if self._ends(match, code, low)}
        borders |= {border for line in lines[1:] if (border := self._content(line)) and self._broken(border)}
        for first, last in pairwise([start, *sorted(border for border in borders if low < border < end), end]):
            yield Sentence(first, first + len(self.text[first:last].rstrip()), form, number)

    def _ends(self, stop: re.Match[str], code: Sequence[tuple[int, int]], low: int) -> bool:
        """Whether a full stop with the space behind it ends a sentence."""
        if any(first < stop.start() < last for first, last in code):
            return False
        following = self.text[stop.end() : stop.end() + 1]
        if self.text[stop.start()] in ".…" and following.islower():
            return False
        before = self.text[max(low, stop.start() - 12) : stop.start() + 1]
        return self.text[stop.start()] != "." or not _ABBREVIATION.search(before)

    def _broken(self, border: int) -> bool:
        """Whether the line before `border` ends there and is not merely wrapped."""
        before = self.text[: self._line_start(border)].rstrip()
        line = before[self._line_start(len(before)) :]
        return len(line) < SHORT_LINE or _STOPPED.search(line) is not None


def _form(kind: Kind) -> Form:
    if kind is Kind.HEADING:
        return Form.HEADING
    if kind in {Kind.BULLET, Kind.ITEM}:
        return Form.ITEM
    return Form.OTHER if kind is Kind.OTHER else Form.PROSE
