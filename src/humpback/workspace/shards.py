"""Rows on disk, and work that goes shard by shard so that it can stop anywhere and go on."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from humpback.records import Dropped, from_row, to_table
from humpback.workspace.atomic import write_with
from humpback.workspace.step import StepFolder

if TYPE_CHECKING:
    import pyarrow as pa

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
    import pyarrow.parquet as pq

    table = to_table(rows, kind)
    write_with(path, lambda temporary: pq.write_table(table, temporary, compression="zstd"), by_several=True)


def read_rows(folder: Path, kind: type[R]) -> Iterator[R]:
    """The records of type `kind` in a step's folder, in order, a block at a time."""
    yield from _read(part_files(folder), kind)


def read_part(path: Path, kind: type[R]) -> Iterator[R]:
    """The records of type `kind` in one Parquet file."""
    yield from _read([path], kind)


def dropped_rows(folder: Path) -> Iterator[Dropped]:
    """The rows that a step set aside, in order."""
    yield from _read(part_files(folder / "dropped"), Dropped)


def read_columns(folder: Path, *names: str) -> Iterator[tuple[Any, ...]]:
    """Some columns of a step's rows (or of those it set aside, in its folder `dropped`), row by row, in order."""
    import pyarrow.parquet as pq

    for part in part_files(folder):
        with pq.ParquetFile(part) as file:
            for batch in file.iter_batches(columns=list(names)):
                yield from zip(*(batch.column(name).to_pylist() for name in names), strict=True)


def dropped_counts(folder: Path) -> dict[str, int]:
    """How many rows a step set aside for each reason."""
    counts = Counter(reason for (reason,) in read_columns(folder / "dropped", "reason"))
    return dict(sorted(counts.items()))


def row_count(folder: Path) -> int:
    """The number of rows in a step's folder, from the files' footers."""
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(part).num_rows for part in part_files(folder))


def filter_rows(step: StepFolder, stays: Callable[[Mapping[str, Any]], bool]) -> int:
    """Takes rows out of a step's finished folder, kept and set aside alike, and mends its manifest; how many."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    removed = 0
    for part in sorted(step.path.rglob("part-*.parquet")):
        table = pq.read_table(part)
        marks = [stays(row) for row in _plain_rows(table)]
        if not all(marks):
            removed += marks.count(False)
            left = table.filter(pa.array(marks))
            write_with(part, partial(pq.write_table, left, compression="zstd"))
    step.amend(rows=row_count(step.path), dropped=dropped_counts(step.path))
    return removed


def _plain_rows(table: pa.Table) -> Iterator[Mapping[str, Any]]:
    """The rows with what names them only: ids and sources."""
    names = [name for name in table.schema.names if name in ("id", "candidate_id", "source")]
    yield from table.select(names).to_pylist()


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
    for index, shard in numbered(_batched(rows, rows_per_shard), step, kind):
        if not is_there(step.path, index):
            write_shard(step.path, index, kind, work(shard))
        advance(len(shard))


def is_there(folder: Path, index: int) -> bool:
    """Whether shard `index` is complete: what it kept, and what it set aside."""
    return part_path(folder, index).exists() and part_path(folder / "dropped", index).exists()


def numbered(shards: Iterable[list[T]], step: StepFolder, kind: type) -> Iterator[tuple[int, list[T]]]:
    """The shards with their numbers; where there is none, an empty part is written, so that the step has one."""
    index = -1
    for index, shard in enumerate(shards):
        yield index, shard
    if index < 0:
        write_rows(part_path(step.path, 0), [], kind)


def _batched(rows: Iterable[T], rows_per_shard: int) -> Iterator[list[T]]:
    source = iter(rows)
    while shard := list(itertools.islice(source, rows_per_shard)):
        yield shard


def write_shard(folder: Path, index: int, kind: type, result: Shard) -> None:
    """Writes what came out of shard `index`."""
    write_rows(part_path(folder / "dropped", index), result.dropped, Dropped)
    write_rows(part_path(folder, index), result.kept, kind)


def part_files(folder: Path) -> list[Path]:
    """The files of a step's rows, in order; from number 100,000 on their names are longer."""
    return sorted(folder.glob("part-*.parquet"), key=lambda part: (len(part.name), part.name))


def _read(parts: Iterable[Path], kind: type[R]) -> Iterator[R]:
    import pyarrow.parquet as pq

    for part in parts:
        with pq.ParquetFile(part) as file:
            for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
                for row in batch.to_pylist():
                    yield from_row(kind, row)
