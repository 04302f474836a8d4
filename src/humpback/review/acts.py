"""What annotators did, one JSON line an act, only ever appended: a file that a crash cannot take back."""

from __future__ import annotations

import getpass
import json
import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from humpback.errors import InputError
from humpback.workspace import disk_errors_explained

log = logging.getLogger(__name__)

REVIEW_FOLDER = "review"
"""Where in a run's folder everything stands that people did."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def annotator_names(given: Sequence[str]) -> list[str]:
    """The names as given; without any, that of the user who runs the command.

    Raises:
        InputError: a name cannot be part of a file's name, or two differ in upper and lower case only.
    """
    names = list(given) or [_user()]
    for name in names:
        if not _NAME.fullmatch(name):
            raise InputError(
                f"--annotator: {name!r} cannot be part of a file's name; use up to 40 letters a to z, digits, dots, "
                "hyphens and underscores, beginning with a letter or digit"
            )
    if len({name.casefold() for name in names}) < len(names):
        raise InputError(f"--annotator: {', '.join(names)}: two names are the same; every annotator needs one")
    return names


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class ActLog:
    """The acts of one annotator, in one file, in the order in which they happened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Iterator[dict[str, Any]]:
        """The acts; a line that is none, such as the half one that a power cut leaves, is passed over and logged."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    act = json.loads(line)
                except ValueError:
                    act = None
                if isinstance(act, dict):
                    yield act
                else:
                    log.warning("%s: line %d is not whole and is left out", self.path, number)

    def append(self, act: Mapping[str, Any]) -> None:
        """Writes the act and returns when the disk has it.

        Raises:
            WorkspaceError: the disk is full or the file cannot be written.
        """
        line = json.dumps(act, ensure_ascii=False).encode("utf-8") + b"\n"
        with disk_errors_explained(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a+b") as file:
                if file.tell() and not _ends_with_newline(file.fileno(), file.tell()):
                    line = b"\n" + line  # what a crash cut short must not swallow this act
                file.write(line)
                file.flush()
                os.fsync(file.fileno())


def logs_in(folder: Path, prefix: str) -> dict[str, ActLog]:
    """The logs in a folder by their annotators' names, in the order of these."""
    paths = sorted(folder.glob(f"{prefix}-*.jsonl"))
    return {path.stem.removeprefix(f"{prefix}-"): ActLog(path) for path in paths}


def _ends_with_newline(descriptor: int, size: int) -> bool:
    return os.pread(descriptor, 1, size - 1) == b"\n"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise InputError("this system has no name for the user; give yours with --annotator NAME") from None
