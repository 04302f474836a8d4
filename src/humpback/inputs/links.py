"""Links in folders of documents: those that lead out of the folder are no part of it."""

from __future__ import annotations

import glob
import itertools
import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

log = logging.getLogger(__name__)

_SNAPSHOTS, _CONTENTS = "snapshots", "blobs"
"""Folders of the Hugging Face hub's cache: the files of the first are links to the second."""


def inside(folder: Path, files: Iterable[Path], option: str) -> Iterator[Path]:
    """The files but for those that lead out of `folder`, which are counted in the log; `option` is named there.

    A folder that somebody else made may hold links to the user's private files, which would end up in a dataset.
    """
    roots = [os.path.realpath(root) for root in (folder, *_contents(folder.absolute()))]
    left_out = 0
    for file in files:
        real = os.path.realpath(file)
        if any(os.path.commonpath((root, real)) == root for root in roots):
            yield file
        else:
            left_out += 1
    if left_out:
        log.warning(
            "%s: %s: links that lead out of it are left out, %d of them; name what they lead to, if you want it",
            *(option, folder, left_out),
        )


def before_magic(pattern: Path) -> Path:
    """The folder that a pattern starts from."""
    return Path(*itertools.takewhile(lambda part: not glob.has_magic(part), pattern.parts))


def _contents(folder: Path) -> Iterator[Path]:
    return (place.parent / _CONTENTS for place in (folder, *folder.parents) if place.name == _SNAPSHOTS)
