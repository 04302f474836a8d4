"""Files at addresses that fsspec opens: found, told apart, and read to their end though a connection may break."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import io
import logging
import time
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from humpback.errors import InputError, MissingDependencyError
from humpback.inputs import retries
from humpback.inputs.retries import WEB, may_pass, persistently, reason, unreachable
from humpback.inputs.streams import BLOCK_BYTES, StreamError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

log = logging.getLogger(__name__)

SILENCE = 60.0
"""Seconds for which a web server may say nothing (ours). The whole of a file may take any time."""

BUCKETS = ("s3://", "s3a://", "gs://", "gcs://")
_STAMPS = ("ETag", "etag", "generation", "Content-MD5", "Digest")
_TIMES = ("Last-Modified", "LastModified", "mtime")
"""What hosts say of a file that changes when the file does; the first are had by listing a folder, too."""


def remote_files(url: str, option: str) -> list[str]:
    """The URLs of the files that `url` names: itself, what it matches as a pattern, or what lies in the folder.

    Raises:
        InputError: nothing is there, or the file system cannot be asked; `option` is named in the message.
        MissingDependencyError: the file system needs a package that is not installed.
    """
    files, path = file_system(url, option)
    if url.startswith(WEB):
        return [url]  # there are no folders to list, and `?` begins a query
    names = persistently(lambda: _names(files, path), url, option)
    shown = sorted((name for name in names if not _hidden(name, path)), key=lambda name: name.split("/"))
    if not shown:
        raise _nothing(files, path, url, option)
    return [_full(url, files, name) for name in shown]


def remote_digest(url: str, option: str) -> bytes:
    """Bytes that change when the file does, as far as its host says: size, checksum, time; raises as `open_remote`."""
    files, path = file_system(url, option)
    version = _version(files, path, url, option)
    if len(version) == 1 and not url.startswith(WEB):  # there it would be the address alone
        version["ukey"] = str(persistently(lambda: files.ukey(path), url, option))
    return hashlib.blake2b(repr((url, version)).encode(), digest_size=16).digest()


def open_remote(url: str, option: str) -> BinaryIO:
    """The file's bytes. Where a connection breaks, reading goes on in a new one, at the byte where it was.

    Raises:
        InputError: it is not there or cannot be opened. Reading raises StreamError where it breaks off in spite of
            all; `raise_if_lost` then says so, too.
        MissingDependencyError: the file system needs a package that is not installed.
    """
    return cast("BinaryIO", io.BufferedReader(_Remote(url, option), BLOCK_BYTES))


def raise_if_lost(stream: BinaryIO) -> None:
    """Passes unless the stream is of `open_remote` and broke off for good.

    What was read up to there is no whole file, whatever a reader made of it: other than a broken file, it will be read
    when the connection is back.

    Raises:
        InputError: it did.
    """
    raw = getattr(stream, "raw", None)
    if isinstance(raw, _Remote) and raw.lost is not None:
        raise raw.lost


class _Remote(io.RawIOBase):
    """A file at a URL that is opened again where reading it fails."""

    def __init__(self, url: str, option: str) -> None:
        self.lost: InputError | None = None
        self._url = url
        self._option = option
        self._files, self._path = file_system(url, option)
        self._at = 0
        self._ended = False
        self._ranges = True  # whether the server hands out any part of the file
        self._version = _version(self._files, self._path, url, option)
        self._stream: Any = persistently(self._open, url, option)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._ranges

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if not self._ranges:
            raise io.UnsupportedOperation("seek")
        self._at = self._connected().seek(offset, whence)
        self._ended = False
        return self._at

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        if self.lost is not None:
            raise StreamError(str(self.lost))
        if self._ended:
            return 0
        for wait in (*retries.WAITS, None):
            try:
                data = self._connected().read(len(buffer))
            except InputError as error:  # of opening it again
                raise self._given_up(error) from error
            except Exception as error:  # each file system has errors of its own
                self._disconnect()
                if wait is None or not may_pass(error):
                    raise self._given_up(self._broken_off(error)) from error
                log.warning("%s: %s after %d bytes; again in %s s", self._url, reason(error), self._at, wait)
                time.sleep(wait)
            else:
                buffer[: len(data)] = data
                self._at += len(data)
                self._ended = not data and len(buffer) > 0
                return len(data)
        raise AssertionError

    def close(self) -> None:
        self._disconnect()
        super().close()

    def _connected(self) -> Any:
        """The stream, opened again where it was lost, at the byte to read next."""
        if self._stream is None:
            self._files.invalidate_cache(self._path)
            if _version(self._files, self._path, self._url, self._option) != self._version:
                raise InputError(
                    f"{self._option}: {self._url!r} has changed while it was read. Run the same command again."
                )
            self._stream = self._open()
        return self._stream

    def _disconnect(self) -> None:
        if self._stream is not None:
            with contextlib.suppress(Exception):  # it may be broken
                self._stream.close()
        self._stream = None

    def _open(self) -> Any:
        web = self._url.startswith(WEB)
        stream = self._files.open(self._path, "rb", **({"block_size": 0} if web and not self._ranges else {}))
        if self._ranges and not (_gives_ranges(stream) if web else stream.seekable()):
            stream.close()
            self._ranges = False
            return self._open()
        if self._ranges:
            stream.seek(self._at)
        else:
            left = self._at
            while left and (data := stream.read(min(left, BLOCK_BYTES))):
                left -= len(data)
        return stream

    def _broken_off(self, error: Exception) -> InputError:
        return InputError(
            f"{self._option}: {self._url!r} breaks off after {self._at:,} bytes ({reason(error)}), however often it "
            "is tried. Run the same command again, which goes on where it stopped, or take the address out."
        )

    def _given_up(self, error: InputError) -> StreamError:
        self.lost = error
        return StreamError(str(error))


def _version(files: AbstractFileSystem, path: str, url: str, option: str) -> dict[str, str]:
    """What the host says of the file's size and content, or else of its time; raises as `open_remote`."""
    info = persistently(lambda: files.info(path), url, option)
    told = {name: str(info[name]) for name in _STAMPS if info.get(name)}
    told = told or {name: str(info[name]) for name in _TIMES if info.get(name)}
    return {"size": str(info.get("size")), **told}


def _gives_ranges(stream: Any) -> bool:
    """Whether a web server hands out any part of a file; if not, reading in blocks fails at the second one."""
    size = getattr(stream, "size", None)
    if size is None:
        return False
    if size > stream.blocksize:
        try:
            stream.seek(size - 1)
            stream.read(1)
        except ValueError:
            return False
    return True


def _names(files: AbstractFileSystem, path: str) -> list[str]:
    files.invalidate_cache()  # else what was not there before would still not be
    if glob.has_magic(path):
        return [name for name in files.glob(path) if not files.isdir(name)]
    if files.isdir(path):
        return list(files.find(path))
    return [path] if files.exists(path) else []


def _nothing(files: AbstractFileSystem, path: str, url: str, option: str) -> InputError:
    bucket = path.partition("/")[0]
    if url.startswith(BUCKETS) and not persistently(lambda: files.exists(bucket), url, option):
        return InputError(
            f"{option}: {url!r}: there is no bucket {bucket!r}, or none that you may see. Check its name."
        )
    return InputError(f"{option}: nothing is found at {url!r}. Check the address.")


def _hidden(name: str, given: str) -> bool:
    """Whether a part of `name` that the user did not write out begins with a dot."""
    below = name[len(given) :] if name.startswith(given) else name.rsplit("/", 1)[-1]
    return any(part.startswith(".") for part in below.split("/"))


def _full(url: str, files: AbstractFileSystem, name: str) -> str:
    """The URL of one file; in a chained URL only the first link changes."""
    first, chained, rest = url.partition("::")
    scheme = first.partition("://")[0]
    return f"{scheme}://{name}{chained}{rest}" if chained else str(files.unstrip_protocol(name))


def file_system(url: str, option: str) -> tuple[Any, str]:
    """The file system that `url` names, and its path there.

    Raises:
        InputError: the file system cannot be set up; `option` is named in the message.
        MissingDependencyError: it needs a package that is not installed.
    """
    from fsspec.core import url_to_fs

    try:
        files, path = url_to_fs(url, **_settings(url))
    except ImportError as error:
        raise MissingDependencyError(
            f"{url}: this kind of address needs a package that is not installed: {error}. For s3://, gs:// and "
            'https:// install `pip install "humpback[remote]"`.'
        ) from None
    except Exception as error:  # each file system has errors of its own
        raise unreachable(url, option, error) from error
    return files, str(path)


def _settings(url: str) -> dict[str, Any]:
    if not url.startswith(WEB):
        return {}
    import aiohttp

    return {"client_kwargs": {"timeout": aiohttp.ClientTimeout(total=None, sock_connect=SILENCE, sock_read=SILENCE)}}
