"""Rows on disk, and work that goes shard by shard so that it can stop anywhere and go on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from humpback.records import Dropped, arrow_schema, from_row, to_row
from humpback.workspace.atomic import write_with
from humpback.workspace.step import StepFolder

R = TypeVar("R")
T = TypeVar("T")

_ROWS_AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class Shard:
    """What one shard's work returns: the rows that stay, and those set aside with their reasons."""

    kept: Sequence[object]
    dropped: Sequence[Dropped] = ()


def write_rows(path: Path, rows: Sequence[object], kind: type) -> None:
    """Writes records of type `kind` as one Parquet file, whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist([to_row(row) for row in rows], schema=arrow_schema(kind))
    write_with(path, lambda temporary: pq.write_table(table, temporary, compression="zstd"))


def read_rows(folder: Path, kind: type[R]) -> Iterator[R]:
    """The records of type `kind` in a step's folder, in order, a block at a time."""
    yield from _read(_parts(folder), kind)


def dropped_rows(folder: Path) -> Iterator[Dropped]:
    """The rows that a step set aside, in order."""
    yield from _read(_parts(folder / "dropped"), Dropped)


def row_count(folder: Path) -> int:
    """The number of rows in a step's folder, from the files' footers."""
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(part).num_rows for part in _parts(folder))


def part_path(folder: Path, index: int) -> Path:
    """Where shard `index` stands."""
    return folder / f"part-{index:05d}.parquet"


def map_shards(
    rows: Iterable[T],
    step: StepFolder,
    kind: type,
    work: Callable[[list[T]], Shard],
    *,
    rows_per_shard: int,
    advance: Callable[[int], None] = lambda rows: None,
) -> None:
    """Runs `work` on consecutive shards of `rows` and writes each result; finished shards are not run again.

    `work` must depend on its rows alone, so that a shard is the same whichever process makes it and however often
    the run was stopped before. The dropped rows of a shard are written first: a shard that is there is complete.
    """
    source = iter(rows)
    for index in itertools.count():
        shard = list(itertools.islice(source, rows_per_shard))
        if not shard:
            if index == 0:
                write_rows(part_path(step.path, 0), [], kind)
            return
        path = part_path(step.path, index)
        if not path.exists():
            result = work(shard)
            write_rows(part_path(step.path / "dropped", index), result.dropped, Dropped)
            write_rows(path, result.kept, kind)
        advance(len(shard))


def _parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*.parquet"))


def _read(parts: Iterable[Path], kind: type[R]) -> Iterator[R]:
    import pyarrow.parquet as pq

    for part in parts:
        with pq.ParquetFile(part) as file:
            for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
                for row in batch.to_pylist():
                    yield from_row(kind, row)
