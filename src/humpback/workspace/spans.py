"""Shards that any process with the run's folder can work on: it is told where their rows stand, and reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from humpback.records import from_row
from humpback.workspace.executor import Executor
from humpback.workspace.shards import Shard, is_there, part_files, part_path, write_rows, write_shard
from humpback.workspace.step import StepFolder

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")

Reader = Callable[[int, int], list[T]]
"""Reads so many rows from the given one on."""


class Rows(Protocol[T]):
    """Rows that are read in pieces, wherever a piece is worked on. Picklable."""

    def __len__(self) -> int: ...

    def reader(self) -> Reader[T]:
        """What reads them."""


@dataclass(frozen=True, slots=True)
class HeldRows(Generic[T]):
    """A few rows that stand in memory and travel along."""

    rows: Sequence[T]

    def __len__(self) -> int:
        return len(self.rows)

    def reader(self) -> Reader[T]:
        return lambda first, count: list(self.rows[first : first + count])


@dataclass(frozen=True, slots=True)
class StoredRows(Generic[T]):
    """The rows of a step's folder. `ends` are the numbers of rows up to the end of each of its `parts`."""

    parts: Sequence[Path]
    ends: Sequence[int]
    kind: type[T]

    @classmethod
    def of(cls, folder: Path, kind: type[T]) -> StoredRows[T]:
        """The records of type `kind` in `folder`, counted by the files' footers."""
        import pyarrow.parquet as pq

        parts = part_files(folder)
        return cls(parts, list(accumulate(pq.read_metadata(part).num_rows for part in parts)), kind)

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    def reader(self) -> Reader[T]:
        return _StoredReader(self).read


class _StoredReader(Generic[T]):
    """Keeps the file that was read last, since neighbouring shards mostly stand in one."""

    def __init__(self, rows: StoredRows[T]) -> None:
        self._rows = rows
        self._file: tuple[Path, pa.Table] | None = None

    def read(self, first: int, count: int) -> list[T]:
        from bisect import bisect_right

        found: list[T] = []
        while count:
            number = bisect_right(self._rows.ends, first)
            start = self._rows.ends[number - 1] if number else 0
            here = min(count, self._rows.ends[number] - first)
            table = self._table(self._rows.parts[number]).slice(first - start, here)
            found += [from_row(self._rows.kind, row) for row in table.to_pylist()]
            first, count = first + here, count - here
        return found

    def _table(self, part: Path) -> pa.Table:
        import pyarrow.parquet as pq

        if self._file is None or self._file[0] != part:
            with pq.ParquetFile(part) as file:
                self._file = part, file.read()
        return self._file[1]


class ShardWork(Protocol[T]):
    """A function of a shard's rows that is opened where it runs: on an engine, on a list of words. Picklable."""

    def open(self) -> AbstractContextManager[Callable[[list[T]], Shard]]:
        """The function, until the end of the block. It must depend on its rows alone."""


@dataclass(frozen=True, slots=True)
class Span:
    """Shard `index`: `count` rows from number `first` on."""

    index: int
    first: int
    count: int

    def __str__(self) -> str:
        return f"shard {self.index}"


@dataclass(frozen=True, slots=True)
class WrittenShards(Generic[T]):
    """Reads a shard's rows, works on them, and writes what comes out."""

    rows: Rows[T]
    folder: Path
    kind: type
    work: ShardWork[T]

    @contextmanager
    def open(self) -> Iterator[Callable[[Span], None]]:
        with self.work.open() as function:
            yield partial(self._write, function, self.rows.reader())

    def _write(self, function: Callable[[list[T]], Shard], read: Reader[T], span: Span) -> None:
        write_shard(self.folder, span.index, self.kind, function(read(span.first, span.count)))


def run_shards(
    rows: Rows[T],
    step: StepFolder,
    kind: type,
    work: ShardWork[T],
    executor: Executor,
    *,
    rows_per_shard: int,
    advance: Callable[[int], None] = lambda rows: None,
) -> None:
    """As `map_shards`, with work that is opened where `executor` brings it; only if a shard is missing."""
    if not len(rows):
        write_rows(part_path(step.path, 0), [], kind)

    def missing() -> Iterator[Span]:
        for index, first in enumerate(range(0, len(rows), rows_per_shard)):
            span = Span(index, first, min(rows_per_shard, len(rows) - first))
            if is_there(step.path, index):
                advance(span.count)
            else:
                yield span

    executor.run(WrittenShards(rows, step.path, kind, work), missing(), lambda span: advance(span.count))
