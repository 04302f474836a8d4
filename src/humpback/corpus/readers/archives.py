"""The members of zip and tar archives, as streams: nothing is unpacked to disk under a member's name."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Iterator
from typing import BinaryIO, Self, cast

from humpback.corpus.readers.found import Place, broken, dropped
from humpback.inputs import StreamError, guarded
from humpback.records import Dropped, DropReason

MAX_NAME_BYTES = 1 << 20
"""Longest name or extended header in a tar (ours: paths have thousands of characters at most); tarfile would hold
one of any length."""

_NAME_TYPES = frozenset(
    {tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE}
)
_KINDS = {
    tarfile.SYMTYPE: "a link",
    tarfile.LNKTYPE: "a link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
}


def open_zip(stream: BinaryIO) -> zipfile.ZipFile:
    """The archive, of which no more than the list of its members is held.

    Raises:
        StreamError: it has no such list, or a broken one.
    """
    try:
        return zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError) as error:
        raise StreamError(f"a broken zip archive ({error})") from error


def zip_members(archive: zipfile.ZipFile, place: Place) -> Iterator[tuple[Place, BinaryIO] | Dropped]:
    """Yields the archive's files in the order of their names, those that cannot be opened as dropped rows."""
    for info in sorted(archive.infolist(), key=lambda one: (one.filename, one.header_offset)):
        if info.is_dir():
            continue
        inside = place.member(_clean(info.filename))
        if info.flag_bits & 1:
            yield dropped(inside.source(), DropReason.UNREADABLE, "encrypted")
            continue
        try:
            member = archive.open(info)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OSError, EOFError) as error:
            yield broken(inside, error)
            continue
        with member:
            # Going back in a packed member means unpacking it again from its start, so it counts as unable to.
            stored = info.compress_type == zipfile.ZIP_STORED
            yield inside, guarded(cast("BinaryIO", member), seekable=stored and member.seekable())


def tar_members(stream: BinaryIO, place: Place) -> Iterator[tuple[Place, BinaryIO] | Dropped]:
    """Yields the archive's files in the order in which they are stored, since a packed tar can be read in no other;
    links and devices as dropped rows.

    Raises:
        StreamError: the archive is broken or breaks off.
    """
    problems: list[str] = []
    try:
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=_noting(problems)) as archive:
            for info in archive:
                archive.members = []  # type: ignore[attr-defined] # tarfile would hold them all
                if info.isdir():
                    continue
                inside = place.member(_clean(info.name))
                member = archive.extractfile(info) if info.isreg() else None
                if member is None:
                    yield dropped(inside.source(), DropReason.NOT_A_DOCUMENT, _KINDS.get(info.type, "no file"))
                else:
                    yield inside, guarded(cast("BinaryIO", member), seekable=False)
    except (tarfile.TarError, ValueError, EOFError, OverflowError, RecursionError) as error:
        raise StreamError(f"a broken tar archive ({error})") from error
    if problems:
        raise StreamError(f"a broken tar archive ({problems[0]})")


def _noting(problems: list[str]) -> type[tarfile.TarInfo]:
    """A header that notes what is wrong with it, since tarfile takes a broken one for the archive's end."""

    class Noting(tarfile.TarInfo):
        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str | None, errors: str) -> Self:
            try:
                found = super().frombuf(buf, encoding, errors)  # type: ignore[arg-type] # it takes None
            except tarfile.HeaderError as error:
                if len(buf) and any(buf):
                    problems.append(str(error))
                raise
            if found.type in _NAME_TYPES and found.size > MAX_NAME_BYTES:
                raise tarfile.ReadError(f"a name of {found.size} bytes")
            return found

    return Noting


def _clean(name: str) -> str:
    """A member's name as text that can be written as UTF-8."""
    return name.encode("utf-8", "replace").decode("utf-8")
