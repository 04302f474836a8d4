"""The files below one folder of a file system that fsspec reaches."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from humpback.errors import InputError, WorkspaceError
from humpback.inputs.remote import BUCKETS, file_system
from humpback.inputs.retries import persistently

T = TypeVar("T")

OPTION = "store"


class StoreFiles:
    """Reads, writes and removes files below `url`, by names relative to it, and touches nothing else.

    Every method raises WorkspaceError where the file system fails for good; what may pass is tried again.
    """

    def __init__(self, url: str) -> None:
        try:
            self._files, path = file_system(url, OPTION)
        except InputError as error:
            raise WorkspaceError(str(error)) from error
        self.url = url.rstrip("/")
        self.is_patient = True  # whether what fails in a way that may pass is tried again at once, with a warning
        self._root = path.rstrip("/")
        self._has_folders = not url.startswith(BUCKETS)  # making one in a bucket may make the bucket

    def require(self) -> None:
        """Passes where the bucket, if any, is there and may be read.

        Raises:
            WorkspaceError: it is not.
        """
        bucket = self._root.partition("/")[0]
        if self.names() or self._has_folders:
            return
        if not self._ask(lambda: self._files.exists(bucket), "read"):
            raise WorkspaceError(
                f"{OPTION}: {self.url!r}: there is no bucket {bucket!r}, or none that you may see. Check its name."
            )

    def names(self, below: str = "") -> set[str]:
        """The names of all files in the folder `below`; those that lead elsewhere are nobody's."""
        folder = self._path(below) if below else self._root

        def find() -> list[str]:
            self._files.invalidate_cache()  # else what others have written since would not be there
            try:
                return list(self._files.find(folder))
            except FileNotFoundError:
                return []

        start = len(self._root) + 1
        return {name for name in (path[start:] for path in self._ask(find, "read")) if is_inside(name)}

    def read(self, name: str) -> bytes | None:
        """What a file holds; None where it is not there."""
        path = self._path(name)

        def read() -> bytes | None:
            try:
                return bytes(self._files.cat_file(path))
            except FileNotFoundError:
                return None

        return self._ask(read, "read")

    def write(self, name: str, data: bytes) -> None:
        """Writes a small file."""
        path = self._path(name)
        self._make_folder(path)
        self._ask(lambda: self._files.pipe_file(path, data), "written")

    def put(self, name: str, file: Path) -> None:
        """Copies a local file there."""
        path = self._path(name)
        self._make_folder(path)
        self._ask(lambda: self._files.put_file(str(file), path), "written")

    def get(self, name: str, file: Path) -> bool:
        """Copies a file to a local one; whether it is there."""
        path = self._path(name)

        def get() -> bool:
            try:
                self._files.get_file(path, str(file))
            except FileNotFoundError:
                return False
            return True

        return self._ask(get, "read")

    def remove(self, names: Iterable[str]) -> None:
        """Removes files, in order; those that are not there are no matter."""
        for name in names:
            path = self._path(name)

            def remove(path: str = path) -> None:
                with contextlib.suppress(FileNotFoundError):
                    self._files.rm_file(path)

            self._ask(remove, "written")

    def _make_folder(self, path: str) -> None:
        if self._has_folders:
            parent = path.rpartition("/")[0]
            self._ask(lambda: self._files.makedirs(parent, exist_ok=True), "written")

    def require_inside(self, names: Iterable[str]) -> None:
        """Passes where all names, as the store tells them, stay in it.

        Raises:
            WorkspaceError: one does not.
        """
        for name in names:
            self._path(name)

    def _path(self, name: str) -> str:
        if not is_inside(name):
            raise WorkspaceError(
                f"{OPTION}: {self.url!r} names a file {name[:200]!r}, which lies outside of it: this is no copy that "
                "Humpback made. Use another `name`"
            )
        return f"{self._root}/{name}"

    def _ask(self, ask: Callable[[], T], verb: str) -> T:
        try:
            return persistently(ask, self.url, OPTION, verb, waits=None if self.is_patient else ())
        except InputError as error:
            raise WorkspaceError(str(error)) from error


def is_inside(name: str) -> bool:
    """Whether a relative name stays in the folder that it is relative to."""
    parts = name.split("/")
    return not any(part in ("", ".", "..") or "\0" in part for part in parts)
