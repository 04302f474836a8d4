"""Rows of Parquet and of Arrow's two formats."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from humpback.errors import InputError
from humpback.inputs import StreamError
from humpback.tables.rows import BrokenRow, Row, shorten

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 256
"""Rows turned into Python values at once (ours: a few MB of ordinary documents)."""


def parquet_rows(stream: BinaryIO, name: str) -> Iterator[Row | BrokenRow]:
    """Yields the rows of a Parquet file; the stream must be able to seek."""
    import pyarrow.parquet as pq

    def batches() -> Iterator[pa.RecordBatch]:
        with pq.ParquetFile(stream) as table:
            yield from table.iter_batches(batch_size=BATCH_ROWS)

    return _rows(batches(), name, "Parquet")


def arrow_file_rows(stream: BinaryIO, name: str) -> Iterator[Row | BrokenRow]:
    """Yields the rows of an Arrow file (also called Feather); the stream must be able to seek."""
    import pyarrow as pa

    def batches() -> Iterator[pa.RecordBatch]:
        with pa.ipc.open_file(stream) as table:
            for index in range(table.num_record_batches):
                yield table.get_batch(index)

    return _rows(batches(), name, "Arrow")


def arrow_stream_rows(stream: BinaryIO, name: str) -> Iterator[Row | BrokenRow]:
    """Yields the rows of an Arrow stream, in which `datasets` saves its rows."""
    import pyarrow as pa

    def batches() -> Iterator[pa.RecordBatch]:
        with pa.ipc.open_stream(stream) as table:
            yield from table

    return _rows(batches(), name, "Arrow")


def _rows(batches: Iterator[pa.RecordBatch], name: str, kind: str) -> Iterator[Row | BrokenRow]:
    number = 0
    try:
        for batch in batches:
            for start in range(0, batch.num_rows, BATCH_ROWS):
                piece = batch.slice(start, BATCH_ROWS)
                yield from _batch_rows(piece, number)
                number += piece.num_rows
    except Exception as error:  # broken files surface as errors of many kinds
        if isinstance(error, StreamError) or (isinstance(error, OSError) and error.errno is not None):
            raise  # the stream's or the system's, not the table's
        raise InputError(
            f"{name}: broken {kind} after row {number}: {shorten(str(error))}. Write or copy the file again."
        ) from error


def _batch_rows(batch: pa.RecordBatch, before: int) -> Iterator[Row | BrokenRow]:
    """The rows of one Arrow batch; one at a time when some value in it cannot be had.

    They are checked first: Arrow takes the lengths that a broken file states at their word, wherever in memory they
    lead.
    """
    import pyarrow as pa

    try:
        batch.validate(full=True)
        for index, values in enumerate(batch.to_pylist(), start=before + 1):
            yield Row(index, values)
        return
    except (pa.ArrowException, ValueError, OverflowError):
        pass
    for index in range(batch.num_rows):
        try:
            row = batch.slice(index, 1)
            row.validate(full=True)
            yield Row(before + index + 1, row.to_pylist()[0])
        except (pa.ArrowException, ValueError, OverflowError) as error:  # dates beyond Python's, for one
            detail = "not UTF-8" if "utf8" in str(error).lower() else f"cannot be read ({shorten(str(error))})"
            yield BrokenRow(before + index + 1, detail, "")
