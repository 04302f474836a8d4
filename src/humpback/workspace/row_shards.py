"""Shards worked on row by row in child processes, so that one row costs itself and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from humpback.records import Dropped
from humpback.workspace.executor import Executor
from humpback.workspace.pool import RowLimits, Workers, one_by_one, within_limits
from humpback.workspace.shards import Shard, is_there, numbered, write_shard
from humpback.workspace.step import StepFolder

log = logging.getLogger(__name__)

T = TypeVar("T")


def map_rows(
    rows: Iterable[T],
    step: StepFolder,
    kind: type,
    work: Callable[[T], Shard],
    give_up: Callable[[T, str], Dropped],
    executor: Executor,
    workers: Workers,
    *,
    rows_per_shard: int,
    bytes_per_shard: int,
    size: Callable[[T], int],
    advance: Callable[[int], None] = lambda rows: None,
) -> None:
    """As `map_shards`, row by row in `workers`: each shard is worked on and written by one of them.

    A shard ends at `rows_per_shard` rows, or when its rows, each of `size` bytes, reach `bytes_per_shard` together.
    `work` and `give_up` must be picklable and depend on their row alone. A row that hangs, or ends its process, is set
    aside by `give_up`, which is told why; its shard is then worked through row by row, so that the others stay.
    """

    def missing() -> Iterator[NumberedRows[T]]:
        shards = _bounded(rows, rows_per_shard, bytes_per_shard, size)
        for index, shard in numbered(shards, step, kind):
            if is_there(step.path, index):
                advance(len(shard))
            else:
                yield NumberedRows(index, shard)

    executor.run_guarded(
        partial(_rows_to_part, step.path, kind, work, give_up, workers.limits),
        missing(),
        lambda shard: advance(len(shard.rows)),
        workers,
        partial(_row_by_row, step.path, kind, work, give_up),
    )


@dataclass(frozen=True, slots=True)
class NumberedRows(Generic[T]):
    """Shard `index` and its rows."""

    index: int
    rows: Sequence[T]

    def __str__(self) -> str:
        return f"shard {self.index}"


def _bounded(rows: Iterable[T], most_rows: int, most_bytes: int, size: Callable[[T], int]) -> Iterator[list[T]]:
    shard: list[T] = []
    held = 0
    for row in rows:
        shard.append(row)
        held += size(row)
        if len(shard) == most_rows or held >= most_bytes:
            yield shard
            shard, held = [], 0
    if shard:
        yield shard


def _rows_to_part(
    folder: Path,
    kind: type,
    work: Callable[[T], Shard],
    give_up: Callable[[T, str], Dropped],
    limits: RowLimits,
    shard: NumberedRows[T],
) -> None:
    parts = [within_limits(work, partial(_dropped, give_up), limits, row) for row in shard.rows]
    write_shard(folder, shard.index, kind, _joined(parts))


def _row_by_row(
    folder: Path,
    kind: type,
    work: Callable[[T], Shard],
    give_up: Callable[[T, str], Dropped],
    workers: Workers,
    shard: NumberedRows[T],
    stop: str,
) -> None:
    log.warning("%s: a row %s; its rows are taken one by one", shard, stop)
    parts = one_by_one(workers, work, shard.rows, partial(_dropped, give_up))
    write_shard(folder, shard.index, kind, _joined(parts))


def _dropped(give_up: Callable[[T, str], Dropped], row: T, why: str) -> Shard:
    return Shard([], [give_up(row, why)])


def _joined(parts: Sequence[Shard]) -> Shard:
    return Shard([row for part in parts for row in part.kept], [row for part in parts for row in part.dropped])
