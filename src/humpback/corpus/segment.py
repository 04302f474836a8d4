"""Cuts a document into self-contained segments along its headers (paper, section 2.1 and appendix E)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from humpback.config import IngestConfig
from humpback.corpus import filters
from humpback.corpus.markdown import Outline, Section, outline, plain_outline
from humpback.records import Document, Dropped, DropReason, Segment, content_id

_SITE = re.compile(r"\s*[|»·:–—]|\s+-\s")
PLAIN_SUFFIXES = frozenset({".txt", ".text", ".rst"})
"""Files of these names are not read as Markdown."""


@dataclass(frozen=True, slots=True)
class Segmented:
    """What became of every section of one document, in the order in which they stand in it."""

    kept: list[Segment]
    dropped: list[Dropped]


def segment_document(document: Document, config: IngestConfig) -> Segmented:
    """The document's segments, and its other sections with the reason why each is none.

    The largest sections in range are kept, and what lies inside them is dropped as INSIDE_KEPT. Of a section
    that is not kept the children are looked at in turn; of one that is too long also the text before its
    first child. The document itself counts as a section under its title, where it has one and is more than
    one section.

    Every text, kept or dropped, is `document.text[source.start:source.end]`.
    """
    walk = _Walk(document, config)
    walk.document()
    return Segmented(walk.kept, walk.dropped)


class _Walk:
    """One pass over a document's header tree."""

    def __init__(self, document: Document, config: IngestConfig) -> None:
        self.kept: list[Segment] = []
        self.dropped: list[Dropped] = []
        self._document = document
        self._config = config
        self._outline: Outline = plain_outline(document.text) if _is_plain(document) else outline(document.text)

    def document(self) -> None:
        """Walks the whole tree."""
        root = self._outline.root
        title = " ".join(self._document.title.split())
        if not root.children:
            self._section(root, [title or _stem(self._document)])
            return
        lead = self._outline.span(root.start, root.first_child)
        alone = len(root.children) == 1 and lead[0] == lead[1]
        if title and not alone:
            self._section(root, [title])
            return
        if lead[0] != lead[1]:
            self._judge(lead, [title])
        for child in root.children:
            self._section(child, _path([title] if title else [], child))

    def _section(self, section: Section, headers: list[str]) -> None:
        reason = self._judge(self._outline.span(section.start, section.end), headers)
        if reason is None:
            for child, path in _descendants(section, headers):
                span = self._outline.span(child.start, child.end)
                detail = f"part of the section {headers[-1][:80]!r}, which is kept"
                self._drop(span, path, DropReason.INSIDE_KEPT, detail)
            return
        if reason is DropReason.TOO_LONG and section.children:
            lead = self._outline.span(section.start, section.first_child)
            if lead[0] != lead[1]:
                self._judge(lead, headers)
        for child in section.children:
            self._section(child, _path(headers, child))

    def _judge(self, span: tuple[int, int], headers: list[str]) -> DropReason | None:
        """Keeps or drops one span; the reason, or None when it is kept."""
        start, end = span
        text = self._document.text[start:end]
        verdict = filters.length(text, self._config) or filters.header(headers, self._config)
        if verdict is None:
            no_prose, prose = self._outline.prose(start, end)
            verdict = filters.code(text, no_prose, prose, self._config)
            verdict = verdict or filters.repeated_sentences(prose, self._config)
        if verdict is not None:
            self._drop(span, headers, *verdict)
            return verdict[0]
        source = replace(self._document.source, start=start, end=end)
        self.kept.append(Segment(self._id(start, text), text, headers, source))
        return None

    def _drop(self, span: tuple[int, int], headers: list[str], reason: DropReason, detail: str) -> None:
        start, end = span
        text = self._document.text[start:end]
        source = replace(self._document.source, start=start, end=end)
        self.dropped.append(Dropped(self._id(start, text), reason, detail, text, source))

    def _id(self, start: int, text: str) -> str:
        source = self._document.source
        return content_id("segment", source.uri, source.record, start, text)


def _path(headers: list[str], child: Section) -> list[str]:
    """The headers down to `child`; a first header that is the title, or the title without the site, stands
    once."""
    if len(headers) == 1 and child.header and headers[0].casefold().startswith(child.header.casefold()):
        rest = headers[0][len(child.header) :]
        if not rest or _SITE.match(rest):
            return [child.header]
    return [*headers, child.header]


def _descendants(section: Section, headers: list[str]) -> Iterator[tuple[Section, list[str]]]:
    for child in section.children:
        path = _path(headers, child)
        yield child, path
        yield from _descendants(child, path)


def _is_plain(document: Document) -> bool:
    return document.source.record is None and PurePosixPath(document.source.uri).suffix.lower() in PLAIN_SUFFIXES


def _stem(document: Document) -> str:
    """The file's name without its suffix, or the last part of an address."""
    uri = document.source.uri
    return PurePosixPath(unquote(urlsplit(uri).path) if "://" in uri else uri).stem
