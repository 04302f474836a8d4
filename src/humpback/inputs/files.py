"""Which files the user's words mean: files, folders, globs and URLs, always in the same order."""

from __future__ import annotations

import glob
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from humpback.errors import InputError
from humpback.inputs.links import before_magic, inside
from humpback.inputs.remote import open_remote, remote_digest, remote_files

BLOCK_BYTES = 1 << 20
"""Bytes of a file held at once while it is digested (ours: 1 MiB)."""

WHOLE_DIGEST_BYTES = 64 << 20
"""Files up to here are digested whole (ours: a second's work for some ten of them); larger ones by their size,
time of change, first and last block, since a crawl of terabytes cannot be read twice."""

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|[A-Za-z0-9+.-]+::")

_DATASET_FILES = frozenset({"state.json", "dataset_info.json"})
"""What `datasets` writes beside the rows of a saved dataset (`Dataset.save_to_disk`)."""

_DATASET_DICT = "dataset_dict.json"


@dataclass(frozen=True, slots=True)
class File:
    """A file that an input names: on this machine where it has a `path`, else a URL that fsspec opens.

    `name` is what provenance calls it: the path as the user gave it, or the URL.
    """

    name: str
    path: Path | None = None

    def open(self) -> BinaryIO:
        """The file's bytes from their beginning; raises OSError, and for URLs what `open_remote` does."""
        if self.path is not None:
            return self.path.open("rb")
        return open_remote(self.name, "corpus")


def expand(inputs: Sequence[str], option: str, suffixes: frozenset[str] | None) -> list[Path]:
    """The files that `inputs` name, in the order of the inputs, sorted within each, each file once.

    A file named outright is taken whatever its name; from folders (recursively) and globs (`**` goes into
    folders) only files with one of `suffixes` (lower case, with their dot; None takes all) are taken, and hidden
    ones and links that lead out of the folder are left out: somebody else's folder may hold links to your private
    files. Of a saved Hugging Face dataset only the files with its rows are.

    Raises:
        InputError: an input matches nothing; `option` is the configuration key that the message names.
    """
    found: dict[str, Path] = {}
    for value in inputs:
        matched = _without_settings(list(_matches(value, option, suffixes)))
        if not matched:
            raise _nothing(value, option, suffixes)
        for path in matched:
            found.setdefault(os.path.realpath(path), path)
    return list(found.values())


def locate(inputs: Sequence[str], option: str) -> list[File]:
    """The files that `inputs` name, whatever they are called, as `expand` finds them; inputs may also be URLs of any
    file system that fsspec knows, chained ones (`zip://*::s3://…`) too.

    Raises:
        InputError: an input matches nothing, or a file system cannot be asked.
        MissingDependencyError: a URL's file system needs a package that is not installed.
    """
    found: dict[str, File] = {}
    for value in inputs:
        if _URL.match(value):
            by_path = {Path(name): name for name in remote_files(value, option)}
            files = {by_path[path]: File(by_path[path]) for path in _without_settings(list(by_path))}
        else:
            files = {os.path.realpath(path): File(name_of(path), path) for path in expand([value], option, None)}
        for key, file in files.items():
            found.setdefault(key, file)
    return list(found.values())


def content_digest(files: Iterable[Path | File]) -> str:
    """Thirty-two hexadecimal digits that depend on the names, the order and the contents of `files`.

    Contents count whole up to 64 MiB a file; beyond it, size, time of the last change, first and last MiB stand for
    them. For URLs it is what the file system says of the file (size, time, checksum: whatever it has).

    Raises:
        InputError: a file cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    for one in files:
        file = one if isinstance(one, File) else File(name_of(one), one)
        name = os.fsencode(file.path) if file.path is not None else file.name.encode("utf-8", "surrogatepass")
        digest.update(len(name).to_bytes(8, "little") + name)
        digest.update(_file_digest(file.path) if file.path is not None else remote_digest(file.name, "corpus"))
    return digest.hexdigest()


def name_of(path: Path) -> str:
    """The path as the user gave it, as text that can be written as UTF-8 (undecodable bytes become U+FFFD)."""
    return os.fsencode(path).decode("utf-8", "replace")


def unreadable_file(path: Path, error: OSError) -> InputError:
    """The error for a file that the system refuses to open or read, with what to do about it."""
    if isinstance(error, FileNotFoundError):
        return InputError(f"{path}: no such file. Check the path.")
    if isinstance(error, IsADirectoryError):
        return InputError(
            f"{path}: this is a folder, not a file. Name a file in it, or use a glob such as {path}/*.jsonl."
        )
    if isinstance(error, PermissionError):
        return InputError(f"{path}: no permission to read it. Make it readable for this user (chmod u+r).")
    return InputError(f"{path}: cannot be read ({error.strerror or error}). Check the file and the disk it is on.")


def _file_digest(path: Path) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    try:
        with path.open("rb") as file:
            state = os.fstat(file.fileno())
            if state.st_size > WHOLE_DIGEST_BYTES:
                digest.update(b"%d %d " % (state.st_size, state.st_mtime_ns) + file.read(BLOCK_BYTES))
                file.seek(-BLOCK_BYTES, os.SEEK_END)
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
    except OSError as error:
        raise unreadable_file(path, error) from error
    return digest.digest()


def _matches(value: str, option: str, suffixes: frozenset[str] | None) -> Iterator[Path]:
    path = Path(value).expanduser()
    try:
        if path.is_dir():
            yield from inside(path, _in_folder(path, option, suffixes), option)
        elif path.exists():
            yield path
        elif glob.has_magic(value):
            yield from inside(before_magic(path), _in_glob(str(path), option, suffixes), option)
    except PermissionError as error:
        raise InputError(
            f"{option}: no permission to look into {error.filename or value}. "
            "Make it readable for this user (chmod u+rx), or leave it out."
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(
            f"{option}: {value[:200]!r} is no usable path ({error.__class__.__name__}). Check it."
        ) from error


def _in_glob(pattern: str, option: str, suffixes: frozenset[str] | None) -> Iterator[Path]:
    for name in sorted(glob.glob(pattern, recursive=True)):  # noqa: PTH207 - Path.glob takes no absolute pattern
        path = Path(name)
        if path.is_dir():
            if not pattern.endswith("**"):
                yield from _in_folder(path, option, suffixes)
        elif suffixes is None or path.suffix.lower() in suffixes:
            yield path


def _in_folder(folder: Path, option: str, suffixes: frozenset[str] | None) -> Iterator[Path]:
    """Files below `folder`, sorted by path; links to folders are not followed, so that there is no endless walk."""

    def fail(error: OSError) -> None:
        raise error

    for root, folders, files in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(root, name)
            wanted = suffixes is None or path.suffix.lower() in suffixes
            if not name.startswith(".") and wanted and path.is_file():
                yield path


def _without_settings(paths: list[Path]) -> list[Path]:
    """The paths without the settings and caches of saved datasets, whose rows stand in files beside them."""
    names: dict[Path, set[str]] = {}
    for path in paths:
        if path.name in _DATASET_FILES:
            names.setdefault(path.parent, set()).add(path.name)
    saved = {folder for folder, found in names.items() if found == _DATASET_FILES}
    if not saved:
        return paths
    parents = {folder.parent for folder in saved}
    return [
        path
        for path in paths
        if not (path.parent in saved and (path.name in _DATASET_FILES or path.name.startswith("cache-")))
        and not (path.name == _DATASET_DICT and path.parent in parents)
    ]


def _nothing(value: str, option: str, suffixes: frozenset[str] | None) -> InputError:
    path = Path(value).expanduser()
    kinds = f" Known are {', '.join(sorted(suffixes))}." if suffixes else ""
    if glob.has_magic(value):
        return InputError(f"{option}: no file matches {value!r}. Check the pattern.{kinds}")
    if path.is_dir():
        return InputError(f"{option}: the folder {value!r} holds no file that can be read.{kinds}")
    return InputError(f"{option}: {value!r} does not exist. Check the path, relative to {Path.cwd()}.")
