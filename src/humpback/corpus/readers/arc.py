"""Records of ARC files, the format that crawls had before WARC (Internet Archive, version 1 and 2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from humpback.corpus.raw import RawDocument
from humpback.corpus.readers.found import KEPT_BYTES, Place, dropped
from humpback.corpus.readers.warc import BREAKS_OFF, HEADER_BYTES, block_document
from humpback.records import Dropped, DropReason, Source
from humpback.tables import shorten

MAX_LINE_BYTES = 1 << 16
"""Longest header line (ours: addresses have some thousand characters)."""

MAX_LENGTH_DIGITS = 18
"""Most digits of a record's length (ours: more are no length)."""

SKIP_BYTES = 1 << 16

_HEADER = re.compile(rb"([A-Za-z][\w+.-]*:[^\n]*?) ([\d.:A-Fa-f]+|-) (\d{8,18}) (\S*)(?: [^\n]*)? (\S+)\r?\n?")
"""Address, IP address, date, media type, in version 2 more fields, and the length of what follows."""


def read_arc(stream: BinaryIO, place: Place) -> Iterator[RawDocument | Dropped]:
    """Yields the documents among the records of an ARC file, and a row for each record that is none.

    As for WARC, except that the byte in `record` counts in the unpacked file. Behind a broken place, reading goes on
    at the next line that is a record's header.
    """
    at = 0
    lost = False
    while line := stream.readline(MAX_LINE_BYTES):
        start, at = at, at + len(line)
        if not line.strip():
            continue
        label = f"{place}@{start}"
        header = _HEADER.fullmatch(line)
        if header is None:
            if not lost:
                detail = f"no ARC record begins at byte {start}"
                text = line[:KEPT_BYTES].decode("utf-8", "replace")
                yield dropped(Source(uri=place.uri, record=label), DropReason.UNREADABLE, detail, text)
            lost = True
            continue
        lost = False
        found, taken = _record(stream, header, label, place)
        at += taken
        yield found


def _record(stream: BinaryIO, header: re.Match[bytes], label: str, place: Place) -> tuple[RawDocument | Dropped, int]:
    """The record behind its header line, and how many bytes of it there were."""
    address, media = header.group(1).decode("utf-8", "replace"), header.group(4).decode("latin-1")
    source = Source(uri=address, record=label, fetched=_date(header.group(3).decode()))
    if not header.group(5).isdigit() or len(header.group(5)) > MAX_LENGTH_DIGITS:
        stated = header.group(5).decode("utf-8", "replace")
        return dropped(source, DropReason.UNREADABLE, f"states the length {shorten(stated)}"), 0
    length = int(header.group(5))
    if length > place.limit + HEADER_BYTES:
        taken = 0
        while taken < length and (piece := stream.read(min(SKIP_BYTES, length - taken))):
            taken += len(piece)
        if taken == length:
            return dropped(source, DropReason.TOO_LARGE, f"more than {place.limit} bytes"), taken
        block = b""
    else:
        block = stream.read(length)
        taken = len(block)
    if taken < length:
        detail = f"{BREAKS_OFF} after {taken} of {length} bytes"
        return dropped(source, DropReason.UNREADABLE, detail, block[:KEPT_BYTES].decode("utf-8", "replace")), taken
    if address.startswith("filedesc://"):
        return dropped(source, DropReason.NOT_A_DOCUMENT, "record of type arc_header"), taken
    return block_document(block, media, source, place), taken


def _date(digits: str) -> str | None:
    """The digits of an ARC date, fourteen of them, in ISO 8601; None where they are no date."""
    try:
        return datetime.strptime(digits[:14].ljust(14, "0"), "%Y%m%d%H%M%S").isoformat() + "Z"
    except ValueError:
        return None
