"""One step's folder: done means done for one fingerprint, and half done can go on under the same one."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from humpback.workspace.atomic import TEMPORARY_SUFFIX, disk_errors_explained, write_json, write_text
from humpback.workspace.sums import (
    MANIFEST_FILE,
    STARTED_FILE,
    file_sum,
    noted_sums,
    settled_sums,
    started_text,
)

WORK_FOLDER = ".work"
CHECKPOINTS = "checkpoint-*"  # folders of a training, which marks those that are complete itself


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a finished step says of itself.

    `rows` are the kept ones, `dropped` counts the others by reason, `facts` are figures of the step's own,
    `seconds` the wall time of the last uninterrupted stretch, `files` the size of each output in bytes, `sums` its
    checksum; folders made before there were checksums have none.
    """

    step: str
    fingerprint: str
    depends_on: dict[str, Any]
    rows: int
    dropped: dict[str, int]
    seconds: float
    facts: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    hardware: str = ""
    files: dict[str, int] = field(default_factory=dict)
    sums: dict[str, str] = field(default_factory=dict)


class StepFolder:
    """The folder of one step's output."""

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.name = name

    def manifest(self) -> Manifest | None:
        """What is finished here, or None. A folder whose files are missing or of another size is not finished."""
        try:
            manifest = Manifest(**json.loads((self.path / MANIFEST_FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        for name, size in manifest.files.items():
            file = self.path / name
            if not file.is_file() or file.stat().st_size != size:
                return None
        return manifest

    def damaged(self) -> list[str]:
        """The files of a finished output that do not hold what was written. Reads every byte."""
        manifest = self.manifest()
        sums = {} if manifest is None else manifest.sums
        return [name for name, digest in sums.items() if file_sum(self.path / name) != digest]

    def distrust(self) -> None:
        """Declares the output not finished, so that it is made again."""
        with disk_errors_explained(self.path):
            (self.path / MANIFEST_FILE).unlink(missing_ok=True)

    def is_finished(self, fingerprint: str) -> bool:
        """Whether the finished output is the one that `fingerprint` names."""
        manifest = self.manifest()
        return manifest is not None and manifest.fingerprint == fingerprint

    def is_started(self, fingerprint: str) -> bool:
        """Whether a part of the output that `fingerprint` names is here."""
        try:
            with (self.path / STARTED_FILE).open(encoding="utf-8") as file:
                started = json.loads(file.readline())
        except (OSError, ValueError):
            return False
        return bool(started == {"fingerprint": fingerprint})

    def begin(self, fingerprint: str) -> None:
        """Makes the folder ready: keeps what a stopped attempt at the same output left whole, removes all else.

        An output that was declared finished and is begun again is damaged, and nothing of it is kept.
        """
        if not self.is_started(fingerprint) or (self.path / MANIFEST_FILE).exists():
            self.discard()
            write_text(self.path / STARTED_FILE, started_text(fingerprint))
        else:
            write_text(self.path / STARTED_FILE, started_text(fingerprint, self._remove_torn()))
        self._remove_half_written()

    def discard(self) -> None:
        """Removes all that is here."""
        with disk_errors_explained(self.path):
            # First, so that what a stopped removal leaves is not taken for a start.
            (self.path / STARTED_FILE).unlink(missing_ok=True)
            shutil.rmtree(self.path, ignore_errors=True)
            self.path.mkdir(parents=True, exist_ok=True)

    def work(self, name: str) -> StepFolder:
        """A folder for what is computed on the way; it goes when the output is finished, not before."""
        return StepFolder(self.path / WORK_FOLDER / name, self.name)

    def finish(self, manifest: Manifest) -> None:
        """Declares the output finished; from here on `is_finished` says so."""
        self._remove_half_written()
        with disk_errors_explained(self.path):
            files = self._files({name: sums[-1] for name, sums in noted_sums(self.path).items()})
        write_json(self.path / MANIFEST_FILE, asdict(manifest) | files)
        self.tidy()

    def tidy(self) -> None:
        """Removes what a finished output needs no more; a process that is killed right after `finish` leaves it."""
        (self.path / STARTED_FILE).unlink(missing_ok=True)
        shutil.rmtree(self.path / WORK_FOLDER, ignore_errors=True)

    def amend(self, **values: Any) -> None:
        """Changes what the manifest of a finished step says, and takes its files as they are now."""
        file = self.path / MANIFEST_FILE
        if file.exists():
            said = json.loads(file.read_text(encoding="utf-8"))
            write_json(file, said | values | self._files({}))

    def _remove_torn(self) -> dict[str, str]:
        """Removes files that are not what was noted of them, or of which nothing is; the checksums of those that stay.

        What a library wrote into a working folder in its own way, and checkpoints of which nothing was noted, stay.
        """
        noted = noted_sums(self.path)
        whole: dict[str, str] = {}
        for file in sorted(file for file in self.path.rglob("*") if file.is_file()):
            name = str(file.relative_to(self.path))
            checkpoint = next((folder for folder in file.parents if folder.match(CHECKPOINTS)), None)
            if name in noted:
                digest = file_sum(file) if file.exists() else ""  # a torn checkpoint is gone by now
                if digest in noted[name]:
                    whole[name] = digest
                elif checkpoint is None:
                    file.unlink(missing_ok=True)
                else:
                    shutil.rmtree(checkpoint, ignore_errors=True)
            elif file.name != STARTED_FILE and not checkpoint and (not self._is_work(file) or file.match("part-*")):
                file.unlink(missing_ok=True)
        return {name: digest for name, digest in whole.items() if (self.path / name).exists()}

    def _remove_half_written(self) -> None:
        for half_written in self.path.rglob(f".*{TEMPORARY_SUFFIX}"):
            half_written.unlink(missing_ok=True)

    def _is_work(self, file: Path) -> bool:
        return file.is_relative_to(self.path / WORK_FOLDER)

    def _files(self, known: dict[str, str]) -> dict[str, dict[str, Any]]:
        """Sizes and checksums of the outputs; those that are not `known` are read."""
        sizes = {
            str(file.relative_to(self.path)): file.stat().st_size
            for file in sorted(self.path.rglob("*"))
            if file.is_file() and file.name not in (STARTED_FILE, MANIFEST_FILE) and not self._is_work(file)
        }
        return {"files": sizes, "sums": settled_sums(self.path, sizes, known)}
