"""The folder of one run: its version, its lock, its resolved configuration, its log of metrics."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from humpback.config import Config, config_as_yaml, load_config
from humpback.errors import WorkspaceError
from humpback.version import WORKSPACE_VERSION, __version__
from humpback.workspace.atomic import TEMPORARY_SUFFIX, disk_errors_explained, write_bytes, write_json, write_text
from humpback.workspace.step import StepFolder
from humpback.workspace.sums import MANIFEST_FILE

log = logging.getLogger(__name__)

CHECKED_FILE = ".checked.json"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # of Linux: another one after each start of the machine
CONFIG_FILE = "humpback.yaml"
VERSION_FILE = "run.json"
METRICS_FILE = "metrics.jsonl"
TAKEDOWN_FILE = "takedown.json"  # the sites whose texts were taken out
# What a start that was killed before it wrote VERSION_FILE leaves.
_BEFORE_VERSION = frozenset({".lock", f".{VERSION_FILE}{TEMPORARY_SUFFIX}"})


class RunFolder:
    """A run's folder on disk. Opening it changes nothing; `create` makes it, `locked` guards it."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def step(self, name: str) -> StepFolder:
        """The folder of the step called `name`, e.g. `candidates` or `models/m1`."""
        return StepFolder(self.path / name, name)

    def create(self, config: Config) -> None:
        """Makes the folder, or checks that the one there is of this version and undamaged; writes the configuration.

        Raises:
            WorkspaceError: the folder was made by another version, holds something else, or cannot be written.
        """
        self.check_version()
        if not (self.path / VERSION_FILE).exists():
            write_json(self.path / VERSION_FILE, {"workspace_version": WORKSPACE_VERSION, "humpback": __version__})
        text = config_as_yaml(config)
        file = self.path / CONFIG_FILE
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            write_text(file, text)
        self.check_files()

    def check_version(self) -> None:
        """Passes when the folder is absent, empty, or of this version.

        Raises:
            WorkspaceError: it is none of these.
        """
        file = self.path / VERSION_FILE
        if file.exists():
            try:
                found = json.loads(file.read_text(encoding="utf-8"))["workspace_version"]
            except (ValueError, KeyError, TypeError):
                raise WorkspaceError(f"{file}: is damaged; use another `name`, or remove the folder") from None
            if found != WORKSPACE_VERSION:
                raise WorkspaceError(
                    f"{self.path}: was made with another version of Humpback (folder layout {found}; this is "
                    f"{__version__}, layout {WORKSPACE_VERSION}); use another `name`, or that version"
                )
        elif self.path.is_dir() and any(child.name not in _BEFORE_VERSION for child in self.path.iterdir()):
            raise WorkspaceError(
                f"{self.path}: is not empty and not a run's folder (no {VERSION_FILE}); use another `name`"
            )
        elif self.path.exists() and not self.path.is_dir():
            raise WorkspaceError(f"{self.path}: is a file; use another `name` or `runs_dir`")

    def config(self) -> Config:
        """The resolved configuration of the last start.

        Raises:
            WorkspaceError: the folder is no run of this version.
        """
        if not (self.path / VERSION_FILE).exists():
            raise WorkspaceError(f"{self.path}: is no run's folder (no {VERSION_FILE} in it)")
        self.check_version()
        return load_config(self.path / CONFIG_FILE)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the run for this process; the system lets go of it however the process ends.

        Raises:
            WorkspaceError: another process holds it.
        """
        with disk_errors_explained(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            file = (self.path / ".lock").open("a+", encoding="utf-8")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                holder = file.read().strip() or "another process"
                raise WorkspaceError(
                    f"{self.path}: is in use by {holder}; wait for it, or use another `name`"
                ) from None
            file.truncate(0)
            file.write(f"process {os.getpid()} on {os.uname().nodename}")
            file.flush()
            yield

    def is_locked(self) -> bool:
        """Whether a process holds the run; looking changes nothing."""
        try:
            with (self.path / ".lock").open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # no process ever did, or nobody may look
            return False
        return False

    def check_files(self, *, always: bool = False) -> dict[str, list[str]]:
        """Compares the files of all finished steps with their checksums; those that differ, by step.

        A step with damaged files counts as not finished from then on. Since only a stop of the machine or a copy that
        went wrong does damage, files are read once for each start of the machine and each place of the folder, or
        `always`. The folder must be locked.
        """
        seen = self.place()
        file = self.path / CHECKED_FILE
        if not always and seen and file.exists() and file.read_bytes() == _json_bytes(seen):
            return {}
        found = {}
        for manifest in sorted(self.path.rglob(MANIFEST_FILE)):
            name = str(manifest.parent.relative_to(self.path))
            damaged = self.step(name).damaged()
            if damaged:
                self.step(name).distrust()
                found[name] = damaged
                log.warning("%s: not what was written: %s; it is made again", manifest.parent, ", ".join(damaged))
        write_bytes(file, _json_bytes(seen))
        return found

    def place(self) -> dict[str, object]:
        """What names this folder on this machine until its next start; empty where the system does not say."""
        boot = _boot()
        found = self.path.stat()
        return {"boot": boot, "device": found.st_dev, "inode": found.st_ino} if boot else {}

    def log_metrics(self, name: str, /, **values: Any) -> None:
        """Adds a line about the step called `name` to `metrics.jsonl`."""
        line = json.dumps({"time": round(time.time(), 3), "name": name, **values}, ensure_ascii=False)
        with (
            disk_errors_explained(self.path),
            (self.path / METRICS_FILE).open("a", encoding="utf-8") as file,
        ):
            file.write(line + "\n")


def _boot() -> str:
    """What names this start of the machine; nothing where the system does not say."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _json_bytes(value: object) -> bytes:
    return json.dumps(value).encode()
