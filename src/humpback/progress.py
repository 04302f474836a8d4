"""How long steps tell that they advance. The command line draws bars; the library draws nothing by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Task(Protocol):
    """One running bar."""

    def advance(self, amount: int = 1) -> None:
        """Moves the bar on by `amount` of its units."""

    def note(self, text: str) -> None:
        """Shows a short text beside the bar, e.g. the current loss."""


class Progress(Protocol):
    """Where bars come from."""

    @contextmanager
    def task(self, label: str, total: int | None, unit: str) -> Iterator[Task]:
        """A bar for as long as the block runs; `total` is None where nobody can know it."""
        yield _SilentTask()


class _SilentTask:
    def advance(self, amount: int = 1) -> None:
        pass

    def note(self, text: str) -> None:
        pass


class SilentProgress:
    """Shows nothing: the default of the Python API."""

    @contextmanager
    def task(self, label: str, total: int | None, unit: str) -> Iterator[Task]:
        yield _SilentTask()
