"""Reads the user's documents, whatever their files are, one after the other in an order that never
changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from humpback.config import IngestConfig
from humpback.corpus.decoding import decode_html, decode_text
from humpback.corpus.front_matter import read_front_matter
from humpback.corpus.html import read_page
from humpback.corpus.packages import read_packages
from humpback.errors import InputError
from humpback.inputs import content_digest, expand, name_of
from humpback.records import Document, Dropped, DropReason, Source, content_id
from humpback.tables import TABLE_SUFFIXES, BrokenRow, Row, read_rows, unreadable_file

PACKAGES = "packages"
"""The input that means the descriptions of the installed Python packages; a folder of that name is
`./packages`."""

MARKDOWN_SUFFIXES = frozenset({".md", ".markdown", ".mdx"})
TEXT_SUFFIXES = frozenset({".txt", ".text", ".rst"})
HTML_SUFFIXES = frozenset({".html", ".htm", ".xhtml"})
SUFFIXES = MARKDOWN_SUFFIXES | TEXT_SUFFIXES | HTML_SUFFIXES | TABLE_SUFFIXES

ADDRESS_COLUMNS = ("url", "uri", "source")
TITLE_COLUMNS = ("title",)
LICENCE_COLUMNS = ("license", "licence", "license_id")


def read_documents(inputs: Sequence[str], config: IngestConfig) -> Iterator[Document | Dropped]:
    """Yields the documents of `inputs` and what could not be read: files in the order of the inputs, packages
    last.

    Stops after `max_documents` documents.

    Raises:
        InputError: an input matches nothing; a table cannot be read, has more broken rows than
            `max_broken_fraction` allows, or lacks `text_column`.
    """
    documents = 0
    for item in _all(inputs, config):
        if isinstance(item, Document):
            if config.max_documents is not None and documents == config.max_documents:
                return
            documents += 1
        yield item


def corpus_digest(inputs: Sequence[str]) -> str:
    """Hexadecimal digits that depend on the names and contents of all documents; raises as `read_documents`
    does."""
    digests = [content_digest(_files(inputs))]
    if PACKAGES in inputs:
        digests += [content_id(one.source, one.title, one.text) for one in read_packages()]
    return content_id(*digests)


def _files(inputs: Sequence[str]) -> list[Path]:
    return expand([value for value in inputs if value != PACKAGES], "corpus", SUFFIXES)


def _all(inputs: Sequence[str], config: IngestConfig) -> Iterator[Document | Dropped]:
    for path in _files(inputs):
        if _is_table(path):
            yield from _read_table(path, config)
        else:
            yield _read_file(path)
    if PACKAGES in inputs:
        yield from read_packages()


def _is_table(path: Path) -> bool:
    if path.suffix.lower() in TABLE_SUFFIXES:
        return True
    if path.suffix.lower() in SUFFIXES:
        return False
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PAR1"
    except OSError as error:
        raise unreadable_file(path, error) from error


def _read_file(path: Path) -> Document | Dropped:
    uri = name_of(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        return _unreadable(Source(uri=uri), f"cannot be read ({error.strerror})", "")
    try:
        if path.suffix.lower() in HTML_SUFFIXES:
            return _html(uri, decode_html(data))
        text = decode_text(data)
    except ValueError as error:
        return _unreadable(Source(uri=uri), str(error), data[:2000].decode("utf-8", "replace"))
    if path.suffix.lower() in MARKDOWN_SUFFIXES:
        front = read_front_matter(text)
        return Document(text, front.title or "", Source(uri=uri, licence=front.licence))
    return Document(text, path.stem, Source(uri=uri))


def _html(uri: str, html: str) -> Document:
    page = read_page(html)
    if page.address is None:
        return Document(page.text, page.title, Source(uri=uri, licence=page.licence))
    return Document(page.text, page.title, Source(uri=page.address, record=uri, licence=page.licence))


def _read_table(path: Path, config: IngestConfig) -> Iterator[Document | Dropped]:
    uri = name_of(path)
    checked = False
    for row in read_rows(path, config.max_broken_fraction):
        if isinstance(row, BrokenRow):
            yield _unreadable(Source(uri=uri, record=str(row.line)), row.detail, row.text)
            continue
        if not checked:
            _check_columns(uri, row, config.text_column)
            checked = True
        yield _row_document(uri, row, config.text_column)


def _check_columns(uri: str, row: Row, column: str) -> None:
    if column in row.values:
        return
    names = [str(name)[:40] for name in row.values]
    found = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
    raise InputError(
        f"{uri}: no column {column!r} holds the text. Columns found: {found or 'none'}. "
        "Name the right one with ingest.text_column."
    )


def _row_document(uri: str, row: Row, column: str) -> Document | Dropped:
    text = row.values.get(column)
    licence = _first_text(row, LICENCE_COLUMNS)
    address = _first_text(row, ADDRESS_COLUMNS)
    source = Source(uri=uri, record=str(row.line), licence=licence)
    if address is not None:
        source = Source(uri=address, record=f"{uri}:{row.line}", licence=licence)
    if not isinstance(text, str):
        stands = "no such column" if column not in row.values else type(text).__name__
        return _unreadable(source, f"column {column!r} holds no text ({stands})", "")
    return Document(text, _first_text(row, TITLE_COLUMNS) or "", source)


def _first_text(row: Row, columns: Sequence[str]) -> str | None:
    values = (row.values.get(column) for column in columns)
    return next((value.strip() for value in values if isinstance(value, str) and value.strip()), None)


def _unreadable(source: Source, detail: str, text: str) -> Dropped:
    identity = content_id("document", source.uri, source.record)
    return Dropped(identity, DropReason.UNREADABLE, detail, text, source)
