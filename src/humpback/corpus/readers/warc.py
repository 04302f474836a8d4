"""Records of WARC and WET files (ISO 28500), each accounted for, and read on behind the broken ones."""

from __future__ import annotations

import io
import itertools
import re
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from humpback.corpus.raw import Form, RawDocument
from humpback.corpus.readers.found import KEPT_BYTES, Place, dropped
from humpback.corpus.readers.http import Response, charset, media_type, parse_response
from humpback.corpus.readers.payload import payload_form
from humpback.corpus.readers.sniff import Foreign
from humpback.inputs import Compression, decompressed, spooled
from humpback.records import Dropped, DropReason, Source

if TYPE_CHECKING:
    from fastwarc.warc import WarcRecord

HEADER_BYTES = 1 << 16
"""What a record may have on top of its payload's limit: the HTTP headers (ours: servers refuse more than 16 KiB)."""

SCAN_BYTES = 1 << 20
"""Bytes searched at once for the next record behind a broken one (ours)."""

_START = re.compile(rb"(?=WARC/[01]\.\d+\r*\n(?:WARC-|Content-))")
_MAGIC = {
    Compression.GZIP: re.compile(rb"(?=\x1f\x8b\x08)"),
    Compression.ZSTD: re.compile(rb"(?=\x28\xb5\x2f\xfd)"),
    Compression.LZ4: re.compile(rb"(?=\x04\x22\x4d\x18)"),
}
BREAKS_OFF = "breaks off"
"""How the detail of a record begins of which the end is missing."""

HEADER_ERRORS = frozenset({"Invalid WARC header", "Maximum header length exceeded."})
"""What fastwarc says where a record should begin and none does."""

_LOGS = ("metadata:", "urn:x-wpull:")
"""Addresses under which wget and wpull keep their own logs and settings as resources."""

_DOCUMENT_TYPES = frozenset({"response", "resource", "conversion"})


def read_warc(
    stream: BinaryIO, place: Place, compression: Compression | None = None
) -> Iterator[RawDocument | Dropped]:
    """Yields the documents among the records of a WARC file, and a row for each record that is none.

    A document's source is the record's target address; its `record` is "<file>@<byte>", where the record begins in
    the file as it is stored, or "<file>@<byte>#<n>", the n-th record of what was compressed as one piece there.
    Behind a broken place, reading goes on at the next record that can be found (only in streams that can seek).
    """
    return _Run(stream, place, compression).read_all()


def holds_records(stream: BinaryIO, compression: Compression) -> bool:
    """Whether a record begins in any of the compressed pieces behind the first."""
    return any(_holds_record(stream, at, compression) for at in _candidates(stream, 1, compression))


class _Run:
    """One pass over a file: `_read_from` goes on until something is broken, `_next_start` finds where to go on."""

    def __init__(
        self, stream: BinaryIO, place: Place, compression: Compression | None, piece: int | None = None
    ) -> None:
        self._piece = piece  # where in the file the piece begins that `stream` holds unpacked
        self._total = 0
        self._stream = stream
        self._place = place
        self._compression = compression
        self._break: str | None = None
        self._resume = 0
        self._last = -1
        self._start = self._seen = 0
        self._one_piece = False
        self._broken = False

    def read_all(self) -> Iterator[RawDocument | Dropped]:
        """Yields all there is, gap after gap."""
        start: int | None = self._stream.tell() if self._stream.seekable() else 0
        while start is not None:
            yield from self._read_from(start)
            yield from self._read_rest_of_piece()
            start = self._next_start()

    def _read_from(self, start: int) -> Iterator[RawDocument | Dropped]:
        self._break = None
        self._resume = start + 1
        self._last = -1
        self._start, self._seen, self._one_piece = start, 0, False
        if self._stream.seekable():
            self._stream.seek(start)
        yield from self._read(_Records(self._stream))

    def _read_rest_of_piece(self) -> Iterator[RawDocument | Dropped]:
        """Behind a broken record in what was compressed as one piece: the rest, found in the unpacked bytes."""
        alone = self._one_piece or self._seen <= 1
        if self._compression is None or not alone or self._break not in HEADER_ERRORS or not self._stream.seekable():
            return
        self._break = None
        self._stream.seek(self._start)
        with spooled(decompressed(self._stream, self._compression)) as unpacked:
            again = _Run(unpacked, self._place, None, piece=self._start)
            yield from itertools.islice(again.read_all(), self._seen + 1, None)  # the gap has its row already

    def _read(self, records: _Records) -> Iterator[RawDocument | Dropped]:
        for record in records:
            position = record.stream_pos
            label = self._label(position)
            found = _read_record(record, label, self._place)
            yield found
            self._resume = position + 1
            if isinstance(found, Dropped) and found.detail.startswith(BREAKS_OFF):
                self._break = found.detail
                return
            if self._compression is None:
                self._resume = max(self._resume, position + record.content_length)
        if records.error:
            again = self._break is None and self._seen == 0 and self._broken
            self._break = records.error
            self._broken = True
            if again:
                return  # the piece that was found is broken as well: still the same gap
            where = "at its beginning" if self._last < 0 else f"behind the record at byte {self._last}"
            source = Source(uri=self._place.uri, record=f"{self._place}@{self._resume}")
            yield dropped(source, DropReason.UNREADABLE, f"broken {where}: {records.error}")

    def _next_start(self) -> int | None:
        """Where the next record begins behind the broken place; None at the end."""
        if self._break is None or not self._stream.seekable():
            return None
        for position in _candidates(self._stream, self._resume, self._compression):
            if self._compression is None or _holds_record(self._stream, position, self._compression):
                return position
        return None

    def _label(self, position: int) -> str:
        if self._seen == 1 and self._compression is not None and self._stream.seekable():
            self._one_piece = not _begins_piece(self._stream, position, self._compression)
        self._seen += 1
        self._total += 1
        self._last = position
        if self._piece is not None:
            return f"{self._place}@{self._piece}#{self._total}"
        if self._one_piece:
            return f"{self._place}@{self._start}#{self._seen}"
        return f"{self._place}@{position}"


class _Records:
    """fastwarc's iterator over the stream, which ends at an error and keeps it instead of raising it."""

    def __init__(self, stream: BinaryIO) -> None:
        self.error = ""
        self._source = _Steady(stream)

    def __iter__(self) -> Iterator[WarcRecord]:
        from fastwarc.warc import ArchiveIterator

        try:
            yield from ArchiveIterator(self._source, parse_http=False)
        except OSError as error:
            self.error = " ".join(str(error).split())
        except BaseException as error:
            if error.__class__.__name__ != "PanicException":  # how a library in Rust fails; it has no public class
                raise
            self.error = "the WARC reader failed"
        self.error = self._source.error or self.error


class _Steady:
    """The stream as fastwarc wants it: reading never raises (the error is kept), seeking nowhere is allowed."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._position = stream.tell() if stream.seekable() else 0
        self.error = ""

    def read(self, size: int = -1) -> bytes:
        try:
            data = self._stream.read(size)
        except OSError as error:
            self.error = str(error)
            return b""
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if self._stream.seekable():
            self._position = self._stream.seek(offset, whence)
        return self._position

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        """Nothing: the stream belongs to who opened it."""


def _read_record(record: WarcRecord, label: str, place: Place) -> RawDocument | Dropped:
    headers = record.headers
    address = (headers.get("WARC-Target-URI") or "").strip().strip("<>").strip()
    source = Source(uri=address or place.uri, record=label, fetched=headers.get("WARC-Date"))
    kind = (headers.get("WARC-Type") or "").strip().lower() or "of no type"
    if "Content-Length" not in headers:
        return dropped(source, DropReason.UNREADABLE, "the record states no length")
    length = record.content_length
    limit = place.limit + HEADER_BYTES
    if kind not in _DOCUMENT_TYPES or length > limit:
        missing = length - record.reader.consume()
        if missing:
            return dropped(source, DropReason.UNREADABLE, f"{BREAKS_OFF} after {length - missing} of {length} bytes")
        if kind in _DOCUMENT_TYPES:
            return dropped(source, DropReason.TOO_LARGE, f"more than {place.limit} bytes")
        return dropped(source, DropReason.NOT_A_DOCUMENT, f"record of type {kind}")
    block = record.reader.read(length) if length else b""
    if kind == "resource" and address.lower().startswith(_LOGS):
        return dropped(source, DropReason.NOT_A_DOCUMENT, "the crawler's own log or settings")
    if len(block) < length:
        detail = f"{BREAKS_OFF} after {len(block)} of {length} bytes"
        return dropped(source, DropReason.UNREADABLE, detail, block[:KEPT_BYTES].decode("utf-8", "replace"))
    return block_document(block, headers.get("Content-Type") or "", source, place, conversion=kind == "conversion")


def block_document(
    block: bytes, content_type: str, source: Source, place: Place, *, conversion: bool = False
) -> RawDocument | Dropped:
    """The document in a record's block: an HTTP response, or the document itself; or why there is none."""
    stated, encoding, data = media_type(content_type), charset(content_type), block
    if block.startswith(b"HTTP/") or stated == "application/http":
        try:
            response = parse_response(block, place.limit)
        except ValueError as error:
            return dropped(source, DropReason.UNREADABLE, str(error))
        if response.status != 200:
            return _other_status(response, source)
        stated, encoding, data = response.media_type, response.charset, response.body
    if len(data) > place.limit:
        return dropped(source, DropReason.TOO_LARGE, f"more than {place.limit} bytes")
    if conversion and stated in {"", "text/plain"} and data:
        return RawDocument(data, Form.TEXT, source, "", encoding)
    form = payload_form(data, stated, source.uri)
    if isinstance(form, Foreign):
        return dropped(source, DropReason.NOT_A_DOCUMENT, form.looks)
    return RawDocument(data, form, source, "", encoding)


def _other_status(response: Response, source: Source) -> Dropped:
    if response.status is None:
        return dropped(source, DropReason.UNREADABLE, "an HTTP response without a status")
    return dropped(source, DropReason.NOT_A_DOCUMENT, f"HTTP status {response.status}")


def _begins_piece(stream: BinaryIO, position: int, compression: Compression) -> bool:
    """Whether a compressed piece begins at `position`; leaves the stream where it was."""
    before = stream.tell()
    stream.seek(position)
    found = _MAGIC[compression].match(stream.read(8)) is not None
    stream.seek(before)
    return found


def _candidates(stream: BinaryIO, start: int, compression: Compression | None) -> Iterator[int]:
    """Yields positions from `start` on where a record or a compressed piece may begin."""
    sign = _START if compression is None else _MAGIC[compression]
    overlap = 32
    at = max(0, start - 1)
    tail = b""
    while True:
        stream.seek(at)
        block = stream.read(SCAN_BYTES)
        if not block:
            return
        window, base = tail + block, at - len(tail)
        for match in sign.finditer(window):
            position = base + match.end()
            if position >= start and match.end() < len(window) - (overlap if len(block) == SCAN_BYTES else 0):
                yield position
                start = position + 1
        tail = window[-overlap:]
        at += len(block)


def _holds_record(stream: BinaryIO, position: int, compression: Compression) -> bool:
    """Whether what was compressed as one piece at `position` begins as a record does."""
    stream.seek(position)
    packed = stream.read(1 << 17)
    try:
        return _unpacked_head(packed, compression).lstrip().startswith(b"WARC/")
    except Exception:  # each library has errors of its own; all mean no
        return False


def _unpacked_head(packed: bytes, compression: Compression) -> bytes:
    unpacker: Any
    if compression is Compression.GZIP:
        return zlib.decompressobj(31).decompress(packed, 64)
    if compression is Compression.ZSTD:
        import zstandard

        return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(packed)).read(64)
    import lz4.frame

    unpacker = lz4.frame.LZ4FrameDecompressor()
    return bytes(unpacker.decompress(packed, 64))
