"""What must hold for any bytes: no crash, and every input comes out as a document, a segment or a row with a reason."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from humpback.config import DecontaminateConfig, IngestConfig
from humpback.corpus import Form, RawDocument, read_documents, segments_of, whole_document
from humpback.records import Document, Dropped, Source

CONFIG = IngestConfig(max_broken_fraction=1.0, decontaminate=DecontaminateConfig(enabled=False))
MEMORY = Path("/dev/shm")  # small files that never touch a disk
_FOLDER = tempfile.mkdtemp(prefix="fuzz-", dir=MEMORY if MEMORY.is_dir() else None)


def html(data: bytes) -> None:
    """Any bytes as a page."""
    _parsed(data, Form.HTML)


def markdown(data: bytes) -> None:
    """Any bytes as Markdown."""
    _parsed(data, Form.MARKDOWN)


def warc(data: bytes) -> None:
    """Any bytes as the file of a crawl: as they are, and as the records that follow a good one."""
    _read(data, "crawl.warc")
    _read(_GOOD_RECORD + data, "good.warc")


def jsonl(data: bytes) -> None:
    """Any bytes as JSON Lines: as they are, and after a good line."""
    _read(data, "rows.jsonl")
    _read(b'{"text": "a good line"}\n' + data, "good.jsonl")


def _parsed(data: bytes, form: Form) -> None:
    raw = RawDocument(data, form, Source("fuzzed"))
    found = segments_of(raw, CONFIG)
    assert found.kept or found.dropped or _is_blank(raw)
    if not found.kept:
        return
    document = whole_document(raw)
    assert isinstance(document, Document)
    for segment in found.kept:
        assert segment.text == document.text[segment.source.start : segment.source.end]


def _is_blank(raw: RawDocument) -> bool:
    """Whether a document that was read has only headers, which belong to no section's text."""
    document = whole_document(raw)
    return isinstance(document, Document)


def _read(data: bytes, name: str) -> None:
    file = Path(_FOLDER, f"{os.getpid()}-{name}")
    file.write_bytes(data)
    rows = list(read_documents([str(file)], CONFIG))
    assert rows or not data.strip()
    assert all(isinstance(row, (RawDocument, Dropped)) for row in rows)


_GOOD_BODY = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>good</p>"
_GOOD_RECORD = (
    b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:0>\r\nWARC-Target-URI: http://example.org/\r\n"
    b"WARC-Date: 2026-01-01T00:00:00Z\r\nContent-Type: application/http; msgtype=response\r\n"
    + b"Content-Length: %d\r\n\r\n" % len(_GOOD_BODY)
    + _GOOD_BODY
    + b"\r\n\r\n"
)

TARGETS: dict[str, Callable[[bytes], None]] = {"html": html, "markdown": markdown, "warc": warc, "jsonl": jsonl}
