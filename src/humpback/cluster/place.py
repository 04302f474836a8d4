"""What is started on several machines at once, and what each of them is told."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

Poll = Callable[[], int | None]
"""The exit status of what runs, or None as long as it does."""


class MachineLostError(Exception):
    """A machine went in the middle. What its processes had not written is gone; others may take its place."""


@dataclass(frozen=True, slots=True)
class Place:
    """One of several machines, the first of which all others call at an address."""

    rank: int = 0
    machines: int = 1
    address: str = "127.0.0.1"
    port: int = 0


class Shared(Protocol):
    """What runs on each of the machines; picklable."""

    def open(self, place: Place) -> AbstractContextManager[Poll]:
        """Starts it on this machine; what is left of it ends with the block."""
