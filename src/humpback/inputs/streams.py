"""Streams of bytes: compressed ones unpacked on the fly, and streams that cannot seek made to."""

from __future__ import annotations

import io
import tempfile
from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from zstandard import ZstdDecompressionObj, ZstdDecompressor

HEAD_BYTES = 8192
"""Bytes that are looked at to tell what a stream holds (ours: Unix `file` and browsers look at less)."""

BLOCK_BYTES = 1 << 16
"""Bytes handed on at once (ours: the size of a pipe)."""

SPOOL_MEMORY_BYTES = 16 << 20
"""A spooled stream lies in memory up to here, beyond it in a temporary file (ours)."""

MAX_SPOOL_BYTES = 4 << 30
"""Largest stream that is spooled (ours: what cannot be read as it flows must not fill the disk)."""

MAX_EXPANSION = 250
"""Largest ratio of unpacked to packed bytes (ours: text shrinks 3 to 10 times, repetitive tables 100 times, and
only filler more)."""

FREE_BYTES = 1 << 30
"""Unpacked bytes up to which any ratio is allowed (ours: seconds of work)."""

MAX_WINDOW_BYTES = 1 << 31
"""Largest window of zstd (its own limit for `--long=31`, with which large collections are published)."""

ZSTD_STEP_BYTES = 2048
"""Packed bytes given to zstd at once (ours: four of them may stand for 128 KiB, so this bounds memory by 64 MiB)."""


class StreamError(OSError):
    """A stream breaks off, or its bytes are not what they claim to be; the message says so in words."""


class ExpansionError(StreamError):
    """A stream unpacks to more than anything real does."""


class Compression(StrEnum):
    """How one stream of bytes is packed."""

    GZIP = "gzip"
    BZIP2 = "bzip2"
    XZ = "xz"
    ZSTD = "zstd"
    LZ4 = "lz4"


_MAGIC = {
    b"\x1f\x8b\x08": Compression.GZIP,
    b"BZh": Compression.BZIP2,
    b"\xfd7zXZ\x00": Compression.XZ,
    b"\x28\xb5\x2f\xfd": Compression.ZSTD,
    b"\x04\x22\x4d\x18": Compression.LZ4,
}


def compression_of(head: bytes) -> Compression | None:
    """How a stream that begins with `head` is packed, by its magic number; None where it is not."""
    if head[:3] == b"BZh" and not (head[3:4].isdigit() and head[4:10] in {b"1AY&SY", b"\x17\x72\x45\x38\x50\x90"}):
        return None  # text may begin with these letters
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)


def peeked(stream: BinaryIO, size: int = HEAD_BYTES) -> tuple[bytes, BinaryIO]:
    """The first `size` bytes (fewer where there are fewer), and the stream from its beginning again."""
    head = _read(stream, size)
    if stream.seekable():
        stream.seek(-len(head), io.SEEK_CUR)
        return head, stream
    return head, rewound(head, stream)


def rewound(head: bytes, stream: BinaryIO) -> BinaryIO:
    """The stream that gives `head` again before what is left of `stream`; it cannot seek."""
    return _buffered(_Rewound(head, stream))


def decompressed(stream: BinaryIO, kind: Compression) -> BinaryIO:
    """The unpacked bytes of `stream`, all its members or frames one after the other; it cannot seek.

    Reading it raises StreamError where the packed bytes are broken or break off, and ExpansionError beyond
    `MAX_EXPANSION`.
    """
    return _buffered(_Decompressed(stream, kind))


def guarded(stream: BinaryIO, *, seekable: bool, owner: object = None) -> BinaryIO:
    """The same bytes, where every error in reading them is an OSError that says what is wrong.

    `owner` lives as long as the stream does; some libraries close what they opened when they go.
    """
    return _buffered(_Guarded(stream, seekable, owner))


def spooled(stream: BinaryIO) -> BinaryIO:
    """The same bytes in a stream that can seek: `stream` itself where it can, else a copy in a temporary file.

    Raises:
        ExpansionError: it is longer than `MAX_SPOOL_BYTES`.
    """
    if stream.seekable():
        return stream
    copy = tempfile.SpooledTemporaryFile(max_size=SPOOL_MEMORY_BYTES)  # noqa: SIM115 - lives as long as its reader
    size = 0
    while block := stream.read(BLOCK_BYTES):
        size += len(block)
        if size > MAX_SPOOL_BYTES:
            copy.close()
            raise ExpansionError(f"more than {MAX_SPOOL_BYTES >> 30} GiB that cannot be read as a stream")
        copy.write(block)
    copy.seek(0)
    return cast("BinaryIO", copy)


def _read(stream: BinaryIO, size: int) -> bytes:
    """`size` bytes even from a stream that hands on fewer at a time; fewer at its end, or where it turns out broken:
    whoever reads on meets the error."""
    read = getattr(stream, "read1", stream.read)
    pieces: list[bytes] = []
    try:
        while size > 0 and (piece := read(size)):
            pieces.append(piece)
            size -= len(piece)
    except StreamError:
        if not pieces:
            raise
    return b"".join(pieces)


def _buffered(raw: io.RawIOBase) -> BinaryIO:
    return cast("BinaryIO", io.BufferedReader(raw, BLOCK_BYTES))


class _Rewound(io.RawIOBase):
    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head = head
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        data = self._head[: len(buffer)] if self._head else self._stream.read(len(buffer))
        self._head = self._head[len(data) :]
        buffer[: len(data)] = data
        return len(data)


class _Guarded(io.RawIOBase):
    def __init__(self, stream: BinaryIO, seekable: bool, owner: object) -> None:
        self._stream = stream
        self._seekable = seekable
        self._owner = owner

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._seekable

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        try:
            data = self._stream.read(len(buffer))
        except OSError:
            raise
        except Exception as error:  # each library has errors of its own
            raise StreamError(f"broken data ({error or error.__class__.__name__})") from error
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if not self._seekable:
            raise io.UnsupportedOperation("seek")
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


class _Counted(io.RawIOBase):
    """A stream that knows how many bytes were taken from it. It never seeks, which some decompressors would."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        data = self._stream.read(len(buffer))
        self.taken += len(data)
        buffer[: len(data)] = data
        return len(data)


class _Decompressed(io.RawIOBase):
    def __init__(self, stream: BinaryIO, kind: Compression) -> None:
        self._kind = kind
        self._packed = _Counted(stream)
        self._unpacked: io.BufferedReader | None = None
        self._given = 0
        self._error: StreamError | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        if self._error is not None:
            raise self._error  # the libraries would say that the stream ends here
        try:
            data = self._read(len(buffer))
        except StreamError as error:
            self._error = error
            raise
        buffer[: len(data)] = data
        return len(data)

    def _read(self, size: int) -> bytes:
        try:
            if self._unpacked is None:
                self._unpacked = _decompressor(self._packed, self._kind)
            data = self._unpacked.read1(size)
        except StreamError:
            raise
        except EOFError as error:
            raise StreamError(f"the {self._kind} data break off after {self._packed.taken} bytes") from error
        except Exception as error:  # each library has errors of its own
            raise StreamError(f"broken {self._kind} data ({error})") from error
        self._given += len(data)
        if self._given > FREE_BYTES and self._given > MAX_EXPANSION * self._packed.taken:
            raise ExpansionError(f"the {self._kind} data unpack to more than {MAX_EXPANSION} times their size")
        return data


def _decompressor(packed: io.RawIOBase, kind: Compression) -> io.BufferedReader:
    """The library's unpacking stream; like a BufferedReader it has `read1`."""
    stream = _buffered(packed)
    if kind is Compression.GZIP:
        import gzip

        return cast("io.BufferedReader", gzip.GzipFile(fileobj=stream, mode="rb"))
    if kind is Compression.BZIP2:
        import bz2

        return cast("io.BufferedReader", bz2.BZ2File(stream))
    if kind is Compression.XZ:
        import lzma

        return cast("io.BufferedReader", lzma.LZMAFile(stream))
    if kind is Compression.LZ4:
        import lz4.frame

        return cast("io.BufferedReader", lz4.frame.LZ4FrameFile(stream))
    return cast("io.BufferedReader", _zstd(stream))


def _zstd(stream: BinaryIO) -> io.RawIOBase:
    import zstandard

    return _ZstdFrames(stream, zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES))


class _ZstdFrames(io.RawIOBase):
    """All frames of a zstd stream; unlike the library's reader it notices that the last one breaks off."""

    def __init__(self, stream: BinaryIO, unpacker: ZstdDecompressor) -> None:
        self._stream = stream
        self._unpacker = unpacker
        self._frame: ZstdDecompressionObj | None = None
        self._packed = b""
        self._unpacked = memoryview(b"")

    def read1(self, size: int) -> bytes:
        while not self._unpacked:
            self._packed = self._packed or self._stream.read(ZSTD_STEP_BYTES)
            if not self._packed:
                if self._frame is not None:
                    raise EOFError
                return b""
            if self._frame is None:
                self._frame = self._unpacker.decompressobj()
            self._unpacked = memoryview(self._frame.decompress(self._packed))
            self._packed = b""
            if self._frame.eof:
                self._packed = self._frame.unused_data
                self._frame = None
        data = bytes(self._unpacked[:size])
        self._unpacked = self._unpacked[size:]
        return data
