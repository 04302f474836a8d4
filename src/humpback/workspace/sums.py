"""Checksums of a step's files, so that what a power cut tore is found before anything is built on it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

STARTED_FILE = "started.json"
"""Of a step that is being made: its fingerprint, then a line with the checksum of each file; gone when it is done."""
MANIFEST_FILE = "stage.json"

_BLOCK_BYTES = 1 << 20
_DEEPEST = 4  # folders between a step's own and a file of it: `.work/NAME/dropped`, and one to spare


def file_sum(path: Path) -> str:
    """The XXH3 checksum of a file, 32 hexadecimal digits as `xxhsum -H2` prints them.

    It finds damage, not malice; of what finds as much, nothing that we know is faster.
    """
    import xxhash

    digest = xxhash.xxh3_128()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def flush(path: Path) -> None:
    """Waits until what was written to a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def note_sum(path: Path, written: Path) -> None:
    """Notes the checksum of the file `written`, which is to become `path`, where `path` is in a step being made.

    It is noted before the file gets its name: a file of which nothing is known was not written to its end.
    """
    if path.name in (STARTED_FILE, MANIFEST_FILE):
        return
    step = next((folder for folder in path.parents[:_DEEPEST] if (folder / STARTED_FILE).exists()), None)
    if step is None:
        return
    line = _line(str(path.relative_to(step)), file_sum(written))
    # One write of one line at the end, so that processes side by side do not mix theirs.
    descriptor = os.open(step / STARTED_FILE, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def noted_sums(step: Path) -> dict[str, list[str]]:
    """What is noted of the files of a step being made, by name, the latest last; torn lines say nothing."""
    try:
        return parsed_started((step / STARTED_FILE).read_bytes())[1]
    except OSError:
        return {}


def parsed_started(data: bytes) -> tuple[str | None, dict[str, list[str]]]:
    """What the file of a step being made says: the fingerprint, None where it is torn, and `noted_sums`."""
    head, *lines = data.splitlines() or [b""]
    found: dict[str, list[str]] = {}
    for line in lines:
        try:
            name, digest = json.loads(line)
        except (ValueError, TypeError):
            continue
        found.setdefault(str(name), []).append(str(digest))
    try:
        said = json.loads(head)
    except ValueError:
        return None, found
    return (said["fingerprint"] if isinstance(said, dict) and isinstance(said.get("fingerprint"), str) else None), found


def started_text(fingerprint: str, sums: Mapping[str, str] | None = None) -> str:
    """What the file of a step being made says."""
    head = json.dumps({"fingerprint": fingerprint}) + "\n"
    return head + "".join(_line(name, digest) for name, digest in (sums or {}).items())


def settled_sums(folder: Path, names: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    """The checksums of files in `folder`; those that are not `known` are read, and flushed to the disk."""
    sums = {}
    folders = set()
    for name in names:
        if name not in known:
            flush(folder / name)
            folders.add((folder / name).parent)
        sums[name] = known.get(name) or file_sum(folder / name)
    for changed in sorted(folders):
        flush(changed)
    return sums


def _line(name: str, digest: str) -> str:
    return json.dumps([name, digest], ensure_ascii=False) + "\n"
