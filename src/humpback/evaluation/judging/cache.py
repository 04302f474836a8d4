"""Answers that were once had, by what was asked: one JSON line each, added as soon as it is there."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from humpback.errors import InputError


class Cache:
    """Texts by key, in a file that only grows. A last line that was not written whole counts as absent."""

    def __init__(self, file: Path) -> None:
        """Reads what is there.

        Raises:
            InputError: nothing can be written there.
        """
        self.file = file
        self._found: dict[str, str] = {}
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
            lines = file.read_bytes().splitlines()
        except OSError as error:
            raise InputError(f"{file}: cannot be written ({error.strerror}); choose another --out") from None
        for line in lines:
            try:
                entry = json.loads(line)
                self._found[entry["key"]] = entry["value"]
            except (ValueError, KeyError, TypeError):
                continue

    def __contains__(self, key: str) -> bool:
        return key in self._found

    def __getitem__(self, key: str) -> str:
        return self._found[key]

    def __len__(self) -> int:
        return len(self._found)

    def add(self, values: Mapping[str, str]) -> None:
        """Keeps some values, on disk when this returns.

        Raises:
            InputError: the file cannot be written.
        """
        lines = "".join(json.dumps({"key": key, "value": value}) + "\n" for key, value in values.items())
        try:
            with self.file.open("a+b") as file:
                if file.tell() and not self._ends_whole():
                    lines = "\n" + lines
                file.write(lines.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise InputError(
                f"{self.file}: cannot be written ({error.strerror}); what it holds is kept, and the same command goes "
                "on from there"
            ) from error
        self._found.update(values)

    def _ends_whole(self) -> bool:
        with self.file.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
