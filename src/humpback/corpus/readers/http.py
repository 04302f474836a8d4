"""HTTP responses as crawls keep them: status, what the headers state, and the body as the server meant it."""

from __future__ import annotations

import io
import re
import zlib
from dataclasses import dataclass

_STATUS = re.compile(rb"HTTP/\d(?:\.\d)?\s+(\d{3})")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:+-]+)", re.IGNORECASE)
_BLANK_LINE = re.compile(rb"\n\r*\n")
_CHUNK = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]{0,200})?\r?\n")


@dataclass(frozen=True, slots=True)
class Response:
    """A response's status (None where there is none) and body, and its headers by lower-case names."""

    status: int | None
    headers: dict[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The stated media type in lower case; empty where none is stated."""
        return media_type(self.headers.get("content-type", ""))

    @property
    def charset(self) -> str | None:
        """The stated encoding."""
        return charset(self.headers.get("content-type", ""))


def media_type(content_type: str) -> str:
    """The media type of a Content-Type header's value, in lower case."""
    return content_type.partition(";")[0].partition(",")[0].strip().lower()


def charset(content_type: str) -> str | None:
    """The encoding that a Content-Type header's value states."""
    found = _CHARSET.search(content_type)
    return found.group(1) if found else None


def parse_response(block: bytes, max_bytes: int) -> Response:
    """The response in `block`, its body without chunks and unpacked up to `max_bytes` and one byte more.

    Raises:
        ValueError: the body cannot be unpacked.
    """
    blank = _BLANK_LINE.search(block)
    end, body = blank.span() if blank else (len(block), len(block))
    status = _STATUS.match(block)
    headers: dict[str, str] = {}
    for line in block[:end].split(b"\n")[1:]:
        name, colon, value = line.partition(b":")
        if colon:
            headers[name.decode("latin-1").strip().lower()] = value.decode("utf-8", "replace").strip()
    data = block[body:]
    if "chunked" in headers.get("transfer-encoding", "").lower():
        data = _without_chunks(data)
    for coding in reversed(headers.get("content-encoding", "").lower().split(",")):
        data = _unpacked(data, coding.strip(), max_bytes)
    return Response(int(status.group(1)) if status else None, headers, data)


def _without_chunks(data: bytes) -> bytes:
    """The body without its chunks' sizes; as it is where it has none, as many crawlers take them out already."""
    pieces = []
    at = 0
    while (size := _CHUNK.match(data, at)) is not None:
        length = int(size.group(1), 16)
        if length == 0:
            break
        pieces.append(data[size.end() : size.end() + length])
        at = size.end() + length
        at += 2 if data.startswith(b"\r\n", at) else data.startswith(b"\n", at)
    if not pieces:
        return data if at == 0 and _CHUNK.match(data) is None else b""
    return b"".join(pieces) if size is not None or at >= len(data) else b"".join(pieces) + data[at:]


def _unpacked(data: bytes, coding: str, max_bytes: int) -> bytes:
    """`data` without one content coding; as it is where it plainly never had it."""
    try:
        if coding in {"gzip", "x-gzip"}:
            return _inflated(data, 31, max_bytes) if data.startswith(b"\x1f\x8b") else data
        if coding == "deflate":
            return _inflated(data, 15 if data[:1] == b"\x78" else -15, max_bytes)
        if coding == "br":
            from fastwarc.stream_io import BrotliReader

            with BrotliReader(io.BytesIO(data)) as reader:
                return _read(reader, max_bytes + 1)
        if coding == "zstd":
            import zstandard

            return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)).read(max_bytes + 1)
    except Exception as error:  # each library has errors of its own
        if not data or re.search(rb"[\x00-\x08\x0e-\x1a]", data[:1000]) is None:
            return data  # the crawler unpacked it
        raise ValueError(f"its content coding {coding} is broken ({error})") from error
    return data


def _inflated(data: bytes, window: int, max_bytes: int) -> bytes:
    return zlib.decompressobj(window).decompress(data, max_bytes + 1)


def _read(reader: object, size: int) -> bytes:
    pieces = []
    while size > 0 and (piece := reader.read(size)):  # type: ignore[attr-defined]
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
