"""A worker on a machine that does not see the run's folder: it reads and writes the folder's copy in the store.

Work and items travel as bytes. Where they are unpacked, each path below the run's folder becomes one below a folder of
the machine: what the store has of it is fetched then, and what is written there is put into the store.
"""

from __future__ import annotations

import io
import os
import pickle
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import Any

from humpback.errors import WorkspaceError
from humpback.workspace import cache_folder, fingerprint
from humpback.workspace.store import Kept, StoreFiles, get_whole, kept_at
from humpback.workspace.sums import file_sum

WORKER_FOLDER = "HUMPBACK_WORKER_FOLDER"
"""Set on a machine of the cluster: its workers do not look for the run's folder and keep what they need there."""

Written = dict[str, str]
"""The checksums of files that a worker has put into the store, by their names below the run's folder."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Work or an item as bytes."""

    data: bytes

    @classmethod
    def of(cls, value: object) -> Packed:
        """Packs it as Ray does, with classes that only the command knows."""
        from ray import cloudpickle

        return cls(cloudpickle.dumps(value))

    def value(self, here: Callable[[PurePath], Path] = Path) -> Any:
        """What was packed, with each path made one of this machine."""
        return _Unpickler(io.BytesIO(self.data), here).load()


class Elsewhere:
    """This process's part of the copy at `url` of the run's folder, which is `folder` where the command runs.

    Paths that are relative begin at `directory` there. What was fetched stays for the other workers of the machine.
    """

    def __init__(self, url: str, folder: Path, directory: Path) -> None:
        self._files = StoreFiles(url)
        self._folder = folder
        self._directory = directory
        given = os.environ.get(WORKER_FOLDER)
        base = (Path(given) if given else cache_folder() / "runs") / fingerprint(url)
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        if base.stat().st_uid not in (os.getuid(), 0):
            raise WorkspaceError(
                f"{base}: another user of this machine has made it, and could have put a model there; set "
                f"{WORKER_FOLDER} to a folder of your own"
            )
        self._fetched = base / "fetched"
        self._written = Path(tempfile.mkdtemp(prefix="written-", dir=base))
        self._steps: dict[str, Kept | None] = {}
        self._whole: set[str] = set()

    def unpack(self, packed: Packed, *, is_new: bool) -> Any:
        """What was packed, with paths of this machine; `is_new` says that steps may have changed since.

        Raises:
            WorkspaceError: the store cannot be read, or has not what it says.
        """
        if is_new:
            self._steps.clear()
        return packed.value(self._here)

    def put(self) -> Written:
        """Puts into the store what was written since the last time, and forgets it."""
        found: Written = {}
        for file in sorted(file for file in self._written.rglob("*") if file.is_file()):
            name = str(file.relative_to(self._written))
            self._files.put(name, file)
            found[name] = file_sum(file)
            file.unlink()
        return found

    def close(self) -> None:
        """Removes what was written and not put."""
        shutil.rmtree(self._written, ignore_errors=True)

    def _here(self, path: PurePath) -> Path:
        """Where a path of the command's stands here; fetches what is there if it was made before this work."""
        there = Path(os.path.normpath(self._directory / path))
        if not there.is_relative_to(self._folder):
            return Path(path)
        name = there.relative_to(self._folder)
        for step in reversed((name, *name.parents)[:-1]):
            kept = self._kept(str(step))
            if kept is None:
                continue
            below = str(name.relative_to(step))
            wanted = [one for one in kept.sums if one == below or (kept.is_finished and _is_below(one, below))]
            if not wanted and not kept.is_finished:
                break  # it is being made
            for one in wanted:
                self._fetch(f"{step}/{one}", kept.sums[one])
            return self._fetched / name
        return self._written / name

    def _kept(self, step: str) -> Kept | None:
        if step not in self._steps:
            self._steps[step] = kept_at(self._files, step)
        return self._steps[step]

    def _fetch(self, name: str, digest: str) -> None:
        if name in self._whole:
            return
        file = self._fetched / name
        if not (file.is_file() and file_sum(file) == digest) and not get_whole(self._files, name, digest, file):
            raise WorkspaceError(
                f"{self._files.url}/{name}: is not what was written; run the same command again, which copies it anew"
            )
        self._whole.add(name)


def _is_below(name: str, folder: str) -> bool:
    return folder == "." or name.startswith(f"{folder}/")


class _Unpickler(pickle.Unpickler):
    """Makes each path that is unpacked one of this machine."""

    def __init__(self, stream: io.BytesIO, here: Callable[[PurePath], Path]) -> None:
        super().__init__(stream)
        self._here = here

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        if isinstance(found, type) and issubclass(found, PurePath):
            return partial(_mapped, self._here)
        return found


def _mapped(here: Callable[[PurePath], Path], *parts: str) -> Path:
    return here(PurePath(*parts))
