"""Cuts a document into self-contained segments along its headers (paper, section 2.1 and appendix E)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import accumulate, groupby, pairwise
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from humpback.config import IngestConfig
from humpback.corpus import filters, quality
from humpback.corpus.filters import Verdict
from humpback.corpus.markdown import outline
from humpback.corpus.outline import Kind, Outline, Section, plain_outline
from humpback.corpus.partition import partition
from humpback.corpus.words import is_narrow, weighted_length
from humpback.records import Document, Dropped, DropReason, Segment, content_id

LABEL_CHARS = 80
"""A paragraph below this without a stop at its end is taken for a header of what follows (ours)."""

_SITE = re.compile(r"\s*[|»·:–—]|\s+-\s")
_OPEN_END = re.compile(r"[:?：？]$")
_STOPPED = re.compile(r"[.!?。！？…][\"'”’)\]」』）]*$")

Lines = tuple[int, int]
Identify = Callable[[str], str]
Refuse = Callable[[str], Verdict]


@dataclass(frozen=True, slots=True)
class Segmented:
    """What became of every section of one document, in the order in which they stand in it."""

    kept: list[Segment]
    dropped: list[Dropped]


@dataclass(frozen=True, slots=True)
class _Part:
    """A child of a section, or (without `section`) the text before the first child. `lines` has its header."""

    lines: Lines
    headers: list[str]
    section: Section | None = None


def segment_document(
    document: Document, config: IngestConfig, identify: Identify | None = None, refuse: Refuse | None = None
) -> Segmented:
    """The document's segments, and its other sections with the reason why each is none.

    The largest sections in range are kept, and what lies inside them is dropped as INSIDE_KEPT. Of a section
    that is not kept the children are looked at in turn. One that is too long is also taken apart otherwise:

    - the text before its first child counts as a section under the same header;
    - with `merge_short`, neighbours among that text and the children that are each too short, and whose
      headers are all right, become one segment under the section's header, with their own headers in its text;
    - with `split_long`, what has no children is cut between blocks into pieces near the middle of the range, all
      under the same header. What cannot be cut stays TOO_LONG.

    The document itself counts as a section under its title, where it has one and is more than one section.

    Every text, kept or dropped, is `document.text[source.start:source.end]`. Every character of the sections
    that says something is in exactly one kept segment or in dropped rows. A section that was taken apart is
    dropped as TOO_LONG, and its detail says so: what it held is in the rows that follow.

    Args:
        document: the document.
        config: lengths and thresholds.
        identify: the language of a text as an ISO 639 code. With it segments have a language, and those in
            other languages than `config.languages` are dropped.
        refuse: asked last about a text that would be kept; answers why it may not, or None.
    """
    walk = _Walk(document, config, identify, refuse)
    walk.document()
    return Segmented(walk.kept, walk.dropped)


class _Walk:
    """One pass over a document's header tree."""

    def __init__(
        self, document: Document, config: IngestConfig, identify: Identify | None, refuse: Refuse | None
    ) -> None:
        self.kept: list[Segment] = []
        self.dropped: list[Dropped] = []
        self._document = document
        self._config = config
        self._identify = identify
        self._refuse = refuse
        self._outline: Outline = outline(document.text) if document.is_markdown else plain_outline(document.text)
        self._marks = _weighted_offsets(self._outline)

    def document(self) -> None:
        """Walks the whole tree."""
        root = self._outline.root
        title = " ".join(self._document.title.split())
        if not root.children:
            self._section(root, [title or _stem(self._document)])
            return
        lead = self._outline.trim(root.start, root.lead_end)
        alone = len(root.children) == 1 and lead[0] == lead[1]
        if title and not alone:
            self._section(root, [title])
            return
        if lead[0] != lead[1]:
            self._text(lead, [title])
        for child in root.children:
            self._section(child, _path([title] if title else [], child))

    def _section(self, section: Section, headers: list[str]) -> None:
        lines = self._outline.trim(section.start, section.end)
        if not section.children:
            self._text(lines, headers)
            return
        verdict = self._judge(lines, headers)
        if verdict is None:
            for child in section.children:
                self._inside(child, f"part of the section {headers[-1][:80]!r}, which is kept")
        elif verdict[0] is DropReason.TOO_LONG:
            self._drop(lines, verdict[0], f"{verdict[1]}; its parts are looked at one by one")
            self._parts(section, headers)
        else:
            self._drop(lines, *verdict)
            for child in section.children:
                self._section(child, _path(headers, child))

    def _text(self, lines: Lines, headers: list[str]) -> None:
        """Keeps, cuts or drops a text without sections in it."""
        verdict = self._judge(lines, headers)
        if verdict is None:
            return
        pieces = self._pieces(lines) if verdict[0] is DropReason.TOO_LONG and self._config.split_long else []
        if len(pieces) < 2:
            self._drop(lines, *verdict)
            return
        self._drop(lines, verdict[0], f"{verdict[1]}; cut into {len(pieces)} pieces")
        for piece in pieces:
            verdict = self._judge(piece, headers)
            if verdict is not None:
                self._drop(piece, *verdict)

    def _pieces(self, lines: Lines) -> list[Lines]:
        """The lines in pieces, cut where a block begins that does not belong to the last."""
        start, end = lines
        inner = self._outline.borders_between(start + 1, end)
        borders = [start, *(line for line in inner if not self._belongs(line, start)), end]
        marks = [self._marks[line] for line in borders]
        cuts = partition(marks, self._config.min_chars, self._config.max_chars)
        return [self._outline.trim(borders[first], borders[last]) for first, last in cuts]

    def _belongs(self, line: int, start: int) -> bool:
        """Whether what stands before `line` announces what follows: a header, a label, a line that ends in a
        colon or a question mark."""
        last = line - 1
        text = self._outline.text
        while last > start and not text[self._outline.offsets[last] : self._outline.offsets[last + 1]].strip():
            last -= 1
        if self._outline.no_prose[last]:
            return False
        block = self._outline.block_before(line)
        if block is None or block.line < start:
            return False
        if block.kind is Kind.HEADING or _OPEN_END.search(block.text):
            return True
        return block.kind is Kind.PARAGRAPH and len(block.text) < LABEL_CHARS and not _STOPPED.search(block.text)

    def _parts(self, section: Section, headers: list[str]) -> None:
        """Looks at the text before the first child and at the children, short neighbours together."""
        parts = [_Part((child.header_line, child.end), _path(headers, child), child) for child in section.children]
        lead = self._outline.trim(section.start, section.lead_end)
        if lead[0] != lead[1]:
            parts.insert(0, _Part((lead[0], section.lead_end), headers))
        for short, run in groupby(parts, self._is_short):
            members = list(run)
            for group in self._groups(members) if short else [[member] for member in members]:
                self._group(group, headers)

    def _is_short(self, part: _Part) -> bool:
        """Whether a part may be merged: too short, not blank, without template tags, under a header that is all
        right."""
        lines = self._outline.trim(part.lines[0] if part.section is None else part.section.start, part.lines[1])
        if not self._config.merge_short or lines[0] == lines[1] or filters.header(part.headers, self._config):
            return False
        if not filters.too_short(self._length(lines), self._config):
            return False
        source = self._outline.prose_source(*part.lines)
        return "{" not in source or not filters.template_tags(source)

    def _groups(self, parts: list[_Part]) -> list[list[_Part]]:
        marks = [self._marks[line] for line in (*(part.lines[0] for part in parts), parts[-1].lines[1])]
        cuts = partition(marks, self._config.min_chars, self._config.max_chars)
        return [parts[first:last] for first, last in cuts]

    def _group(self, parts: list[_Part], headers: list[str]) -> None:
        """Keeps several parts as one; parts that cannot be kept so, and single ones, are looked at by themselves."""
        lines = self._outline.trim(parts[0].lines[0], parts[-1].lines[1])
        if len(parts) > 1:
            verdict = self._judge(lines, headers)
            if verdict is None:
                for part in parts:
                    if part.section is not None:
                        self._inside(part.section, f"merged with its neighbours under {headers[-1][:80]!r}")
                return
            if verdict[0] is not DropReason.TOO_SHORT:
                self._drop(lines, *verdict)
        for part in parts:
            if part.section is None:
                self._text(self._outline.trim(*part.lines), headers)
            else:
                self._section(part.section, part.headers)

    def _judge(self, lines: Lines, headers: list[str]) -> Verdict:
        """Keeps the lines, where no filter speaks against it; else why not."""
        start, end = self._outline.span(*lines)
        length = self._length(lines)
        verdict = filters.too_short(length, self._config) or filters.header(headers, self._config)
        verdict = verdict or filters.too_long(length, self._config)
        if verdict is not None:
            return verdict
        text = self._document.text[start:end]
        blocks = self._outline.blocks_between(*lines)
        prose = quality.prose_of(blocks)
        verdict = filters.code(text, self._outline.markup_chars(*lines), prose.text, self._config)
        if verdict is None and "{" in text:
            verdict = filters.template_tags(self._outline.prose_source(*lines))
        language = ""
        if verdict is None and self._identify is not None:
            language = self._identify(prose.text or text)
            verdict = filters.language(language, self._config)
        verdict = verdict or filters.repeated_sentences(prose, self._config)
        verdict = verdict or quality.judge(blocks, prose, language, self._config.quality)
        if verdict is None and self._refuse is not None:
            verdict = self._refuse(text)
        if verdict is None:
            digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
            source = replace(self._document.source, start=start, end=end, sha256=digest)
            self.kept.append(Segment(self._id(start, text), text, headers, source, language))
        return verdict

    def _length(self, lines: Lines) -> int:
        """The weighted characters of trimmed lines."""
        start, end = self._outline.span(*lines)
        line_end = self._outline.offsets[lines[1]] - end  # weighs one a character
        return self._marks[lines[1]] - self._marks[lines[0]] - line_end if start < end else 0

    def _inside(self, section: Section, detail: str) -> None:
        """Counts a section, and those in it, of which the text is in a kept segment."""
        self._drop(self._outline.trim(section.start, section.end), DropReason.INSIDE_KEPT, detail)
        for child in section.children:
            self._inside(child, detail)

    def _drop(self, lines: Lines, reason: DropReason, detail: str) -> None:
        start, end = self._outline.span(*lines)
        text = self._document.text[start:end]
        source = replace(self._document.source, start=start, end=end)
        self.dropped.append(Dropped(self._id(start, text), reason, detail, text, source))

    def _id(self, start: int, text: str) -> str:
        source = self._document.source
        return content_id("segment", source.uri, source.record, start, text)


def _weighted_offsets(drawn: Outline) -> list[int]:
    """Like the outline's offsets, in weighted characters."""
    if is_narrow(drawn.text):
        return drawn.offsets
    lengths = (weighted_length(drawn.text[start:end]) for start, end in pairwise(drawn.offsets))
    return list(accumulate(lengths, initial=0))


def _path(headers: list[str], child: Section) -> list[str]:
    """The headers down to `child`; a first header that is the title, or the title without the site, stands
    once."""
    if len(headers) == 1 and child.header and headers[0].casefold().startswith(child.header.casefold()):
        rest = headers[0][len(child.header) :]
        if not rest or _SITE.match(rest):
            return [child.header]
    return [*headers, child.header]


def _stem(document: Document) -> str:
    """The file's name without its suffix, or the last part of an address."""
    uri = document.source.uri
    return PurePosixPath(unquote(urlsplit(uri).path) if "://" in uri else uri).stem
