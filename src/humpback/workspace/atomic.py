"""Files that are there whole or not at all, even when the process or the machine stops in the middle."""

from __future__ import annotations

import errno
import json
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from humpback.errors import WorkspaceError
from humpback.workspace.sums import flush, note_sum

TEMPORARY_SUFFIX = ".tmp"  # of files that are being written; one that is left behind is half a file


def write_bytes(path: Path, data: bytes) -> None:
    """Writes `data` to `path`, replacing what was there at one instant.

    Raises:
        WorkspaceError: the disk is full or the folder cannot be written.
    """

    def write(temporary: Path) -> None:
        temporary.write_bytes(data)

    write_with(path, write)


def write_text(path: Path, text: str) -> None:
    """As `write_bytes`, for UTF-8 text."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """As `write_bytes`, for JSON with a stable layout."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_with(path: Path, write: Callable[[Path], object], *, by_several: bool = False) -> None:
    """Lets `write` fill a temporary file beside `path`, flushes it to disk, and moves it into place.

    In the folder of a step that is being made, its checksum is noted first. `by_several` says that others, on other
    machines too, may write the same file at the same time; the last one stays.
    """
    own = f".{uuid.uuid4().hex}" if by_several else ""
    temporary = path.with_name(f".{path.name}{own}{TEMPORARY_SUFFIX}")
    with disk_errors_explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        flush(temporary)
        note_sum(path, temporary)
        temporary.replace(path)
        flush(path.parent)


@contextmanager
def disk_errors_explained(path: Path) -> Iterator[None]:
    """Turns the operating system's errors about a full or unwritable disk into messages with a remedy."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            full, remedy = _what_is_full(path)
            raise WorkspaceError(
                f"{path}: {full}; {remedy} and run the same command again; what is finished is kept"
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR, errno.EEXIST):
            raise WorkspaceError(
                f"{path}: cannot be written ({os.strerror(error.errno)}); choose another `runs_dir`"
            ) from error
        raise


def _what_is_full(path: Path) -> tuple[str, str]:
    """What there is no more of, and what to do about it: bytes, or the numbers that a file system gives its files."""
    there = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    disk = os.statvfs(there)
    if disk.f_files and not disk.f_favail:
        return "the disk takes no more files (it is out of inodes)", "remove some files"
    return "the disk is full", "free some space"
