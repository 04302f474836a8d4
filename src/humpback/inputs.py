"""Which files the user's words mean: files, folders and globs, always in the same order."""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from humpback.errors import InputError
from humpback.tables import unreadable_file

BLOCK_BYTES = 1 << 20
"""Bytes of a file held at once while it is digested (ours: 1 MiB)."""


def expand(inputs: Sequence[str], option: str, suffixes: frozenset[str]) -> list[Path]:
    """The files that `inputs` name, in the order of the inputs, sorted within each, each file once.

    A file named outright is taken whatever its name; from folders (recursively) and globs (`**` goes into
    folders) only files with one of `suffixes` (lower case, with their dot) are taken, and hidden ones are
    left out.

    Raises:
        InputError: an input matches nothing; `option` is the configuration key that the message names.
    """
    found: dict[str, Path] = {}
    for value in inputs:
        matched = list(_matches(value, option, suffixes))
        if not matched:
            raise _nothing(value, option, suffixes)
        for path in matched:
            found.setdefault(os.path.realpath(path), path)
    return list(found.values())


def content_digest(paths: Iterable[Path]) -> str:
    """Thirty-two hexadecimal digits that depend on the names, the order and the bytes of `paths`, read in
    blocks.

    Raises:
        InputError: a file cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    for path in paths:
        name = os.fsencode(path)
        digest.update(len(name).to_bytes(8, "little") + name)
        digest.update(_file_digest(path))
    return digest.hexdigest()


def name_of(path: Path) -> str:
    """The path as the user gave it, as text that can be written as UTF-8 (undecodable bytes become
    U+FFFD)."""
    return os.fsencode(path).decode("utf-8", "replace")


def _file_digest(path: Path) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
    except OSError as error:
        raise unreadable_file(path, error) from error
    return digest.digest()


def _matches(value: str, option: str, suffixes: frozenset[str]) -> Iterator[Path]:
    path = Path(value).expanduser()
    try:
        if path.is_dir():
            yield from _in_folder(path, option, suffixes)
        elif path.exists():
            yield path
        elif glob.has_magic(value):
            yield from _in_glob(str(path), option, suffixes)
    except PermissionError as error:
        raise InputError(
            f"{option}: no permission to look into {error.filename or value}. "
            "Make it readable for this user (chmod u+rx), or leave it out."
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(
            f"{option}: {value[:200]!r} is no usable path ({error.__class__.__name__}). Check it."
        ) from error


def _in_glob(pattern: str, option: str, suffixes: frozenset[str]) -> Iterator[Path]:
    for name in sorted(glob.glob(pattern, recursive=True)):  # noqa: PTH207 - Path.glob takes no absolute pattern
        path = Path(name)
        if path.is_dir():
            if not pattern.endswith("**"):
                yield from _in_folder(path, option, suffixes)
        elif path.suffix.lower() in suffixes:
            yield path


def _in_folder(folder: Path, option: str, suffixes: frozenset[str]) -> Iterator[Path]:
    """Files below `folder`, sorted by path; links to folders are not followed, so that there is no endless
    walk."""

    def fail(error: OSError) -> None:
        raise error

    for root, folders, files in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(root, name)
            if not name.startswith(".") and path.suffix.lower() in suffixes and path.is_file():
                yield path


def _nothing(value: str, option: str, suffixes: frozenset[str]) -> InputError:
    path = Path(value).expanduser()
    kinds = ", ".join(sorted(suffixes))
    if glob.has_magic(value):
        return InputError(f"{option}: no file matches {value!r}. Check the pattern; it must find files named {kinds}.")
    if path.is_dir():
        return InputError(f"{option}: the folder {value!r} holds no file that can be read. Known are {kinds}.")
    return InputError(f"{option}: {value!r} does not exist. Check the path, relative to {Path.cwd()}.")
