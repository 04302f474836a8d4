"""What workers of a cluster did, in figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figures:
    """One piece of work, so far or at its end.

    `work_seconds` are those of all workers together, `seconds` those that passed, `gpus` what all workers reserve,
    `repeated` counts shards that were handed out again. `began` is by the command's monotonic clock, and tells pieces
    of work apart.
    """

    shards: int
    workers: int
    nodes: int
    work_seconds: float
    repeated: int
    seconds: float
    gpus: float
    began: float

    def __str__(self) -> str:
        repeated = f", {self.repeated} handed out again" if self.repeated else ""
        shards, workers, nodes = (
            _count(self.shards, "shard"),
            _count(self.workers, "worker"),
            _count(self.nodes, "node"),
        )
        return f"cluster: {shards} by {workers} on {nodes}, {self.work_seconds:.1f} s of work{repeated}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


Told = Callable[[Figures], None]
"""Hears of a piece of work after each shard of it; the last time when it is done."""
