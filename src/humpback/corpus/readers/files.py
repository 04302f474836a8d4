"""One file and whatever is in it, down through archives, as raw documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from humpback.config import IngestConfig
from humpback.corpus.raw import Form, RawDocument
from humpback.corpus.readers.arc import read_arc
from humpback.corpus.readers.archives import open_zip, tar_members, zip_members
from humpback.corpus.readers.found import Place, broken, dropped, explain, read_document
from humpback.corpus.readers.sniff import ARC, TAR, WARC, ZIP, Archive, Foreign, Kind, sniff
from humpback.corpus.readers.tables import read_table
from humpback.corpus.readers.warc import holds_records, read_warc
from humpback.inputs import Compression, File, StreamError, decompressed, peeked, raise_if_lost, spooled
from humpback.records import Dropped, DropReason
from humpback.tables import TableForm

WARC_COMPRESSIONS = frozenset({Compression.GZIP, Compression.ZSTD, Compression.LZ4})
"""What the WARC reader unpacks itself, so that it knows where in the file as stored each record begins."""

WARC_NAME = re.compile(r"\.(?:warc|wet|wat)\b", re.IGNORECASE)
"""What the names of crawls have in them: a file whose first record is broken is searched for others if it has."""

LINE_BYTES = 1 << 22
"""Bytes looked at to see the end of the first line where a stream may be JSONL or JSON (ours: 4 MiB)."""


def read_file(file: File, config: IngestConfig) -> Iterator[RawDocument | Dropped]:
    """Yields the documents in `file`, and what in it is none or cannot be read.

    Raises:
        InputError: a table in it has more broken rows than `max_broken_fraction` allows, or lacks `text_column`; a
            file at a URL is not there, or its connection breaks for good.
        MissingDependencyError: the file's address needs a package that is not installed.
    """
    place = Place(file.name, file.name, config)
    try:
        with file.open() as stream:
            for row in read_stream(stream, place):
                raise_if_lost(stream)
                yield row
            raise_if_lost(stream)
    except OSError as error:
        yield dropped(place.source(), DropReason.UNREADABLE, f"cannot be read ({explain(error)})")


def read_stream(stream: BinaryIO, place: Place) -> Iterator[RawDocument | Dropped]:
    """Yields the documents of a stream, as `read_file` does; what breaks off ends in a row that says where."""
    try:
        head, stream = peeked(stream)
        kind = sniff(head, place.name)
        if isinstance(kind, Archive | Compression) and place.depth > place.config.limits.archive_depth:
            detail = f"an archive within more than {place.config.limits.archive_depth} others"
            yield dropped(place.source(), DropReason.TOO_LARGE, detail)
            return
        found = _read_kind(stream, kind, head, place)
        first = next(found, None) or dropped(place.source(), DropReason.NOT_A_DOCUMENT, "nothing is in it")
        yield first
        yield from found
    except OSError as error:
        yield broken(place, error)


def _read_kind(stream: BinaryIO, kind: Kind, head: bytes, place: Place) -> Iterator[RawDocument | Dropped]:
    if isinstance(kind, Form):
        yield read_document(stream, kind, place)
    elif isinstance(kind, Foreign):
        yield dropped(place.source(), DropReason.NOT_A_DOCUMENT, kind.looks)
    elif isinstance(kind, TableForm):
        yield from _read_table(stream, kind, head, place)
    elif isinstance(kind, Compression):
        yield from _read_compressed(stream, kind, place)
    elif kind == WARC:
        yield from read_warc(stream, place)
    elif kind == ARC:
        yield from read_arc(stream, place)
    elif kind == TAR:
        yield from _read_members(tar_members(stream, place))
    else:
        assert kind == ZIP
        yield from _read_zip(stream, place)


def _read_table(stream: BinaryIO, form: TableForm, head: bytes, place: Place) -> Iterator[RawDocument | Dropped]:
    if form in {TableForm.JSON, TableForm.JSONL} and b"\n" not in head:
        head, stream = peeked(stream, LINE_BYTES)
        found = sniff(head, place.name)
        form = found if isinstance(found, TableForm) else form
    if form in {TableForm.PARQUET, TableForm.ARROW_FILE}:
        stream = spooled(stream)
    yield from read_table(stream, form, place)


def _read_compressed(stream: BinaryIO, kind: Compression, place: Place) -> Iterator[RawDocument | Dropped]:
    inside, inner = _look_inside(stream, kind, place)
    if inside == WARC and kind in WARC_COMPRESSIONS and stream.seekable():
        stream.seek(0)
        yield from read_warc(stream, place, kind)
    elif inside == TAR:
        yield from _read_members(tar_members(inner, place))
    else:
        yield from read_stream(inner, place.unpacked())


def _look_inside(stream: BinaryIO, kind: Compression, place: Place) -> tuple[Kind | None, BinaryIO]:
    """What a compressed stream holds (None: it breaks at once), and it, unpacked."""
    try:
        head, inner = peeked(decompressed(stream, kind))
        inside: Kind | None = sniff(head, place.unpacked().name)
    except StreamError:
        inside, inner = None, stream
    by_name = WARC_NAME.search(place.name) and kind in WARC_COMPRESSIONS and stream.seekable()
    if inside != WARC and by_name and holds_records(stream, kind):
        return WARC, stream  # its beginning is broken
    if inside is None or by_name:
        if stream.seekable():
            stream.seek(0)
        inner = decompressed(stream, kind)
    return inside, inner


def _read_zip(stream: BinaryIO, place: Place) -> Iterator[RawDocument | Dropped]:
    stream = spooled(stream)
    with open_zip(stream) as archive:
        names = set(archive.namelist())
        office = "[Content_Types].xml" in names
        if office and "word/document.xml" in names:
            stream.seek(0)
            yield read_document(stream, Form.DOCX, place)
        elif office and any(name.startswith(("xl/", "ppt/", "visio/")) for name in names):
            yield dropped(place.source(), DropReason.NOT_A_DOCUMENT, "an Office file other than a text")
        elif {"mimetype", "content.xml"} <= names:
            yield dropped(place.source(), DropReason.NOT_A_DOCUMENT, "an OpenDocument file")
        else:
            yield from _read_members(zip_members(archive, place))


def _read_members(members: Iterator[tuple[Place, BinaryIO] | Dropped]) -> Iterator[RawDocument | Dropped]:
    for member in members:
        if isinstance(member, Dropped):
            yield member
        else:
            inside, stream = member
            yield from read_stream(stream, inside)
