"""Which form a table has, and its rows."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from humpback.errors import InputError
from humpback.inputs import compression_of, decompressed, spooled, unreadable_file
from humpback.tables.arrows import arrow_file_rows, arrow_stream_rows, parquet_rows
from humpback.tables.delimited import csv_rows
from humpback.tables.jsons import BLANK, json_object, json_rows, jsonl_rows, row_list
from humpback.tables.rows import BrokenRow, Row, too_many_broken

TABLE_SUFFIXES = frozenset({".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".arrow"})
"""Names under which rows are looked for in folders; a file named outright may be called anything."""

COMPRESSION_SUFFIXES = frozenset({".gz", ".bz2", ".xz", ".zst", ".lz4"})
"""What stands behind the suffix of a compressed table's name."""

SNIFFED_LINES = 20
"""Lines looked at to tell JSONL from one JSON value (ours: one broken line among them must not mislead)."""


class TableForm(StrEnum):
    """How a file holds its rows."""

    JSONL = "JSONL"
    JSON = "JSON"
    CSV = "CSV"
    TSV = "TSV"
    PARQUET = "Parquet"
    ARROW_FILE = "Arrow file"
    ARROW_STREAM = "Arrow stream"


def read_rows(path: Path, max_broken_fraction: float) -> Iterator[Row | BrokenRow]:
    """Yields the rows of `path` in order, unpacked where the file is compressed; all are streamed but a JSON object.

    Raises:
        InputError: the file is missing, empty, a folder, may not be read, or is of no known form;
            or, after its last row, more than `max_broken_fraction` of its rows were broken.
    """
    rows = broken = 0
    first: BrokenRow | None = None
    try:
        for row in _rows(path):
            rows += 1
            if isinstance(row, BrokenRow):
                broken += 1
                first = first or row
            yield row
    except OSError as error:
        raise unreadable_file(path, error) from error
    if first is not None and broken > max_broken_fraction * rows:
        raise too_many_broken(path, first, broken, rows, max_broken_fraction)
    if not rows:
        raise InputError(f"{path}: the file holds no row. Give a file with at least one row.")


def table_rows(
    stream: BinaryIO, form: TableForm, name: str, max_row_bytes: int | None = None
) -> Iterator[Row | BrokenRow]:
    """Yields the rows of a table of known form; Parquet and Arrow files need a stream that can seek.

    Rows of text of more than `max_row_bytes` come as broken ones and are never held whole.

    Raises:
        InputError: the table is broken beyond single rows; `name` is what the message calls it.
        OSError: the stream cannot be read.
    """
    match form:
        case TableForm.JSONL:
            return jsonl_rows(stream, max_row_bytes)
        case TableForm.JSON:
            return json_rows(stream, name, max_row_bytes)
        case TableForm.CSV:
            return csv_rows(stream, name, None, max_row_bytes)
        case TableForm.TSV:
            return csv_rows(stream, name, "\t", max_row_bytes)
        case TableForm.PARQUET:
            return parquet_rows(stream, name)
        case TableForm.ARROW_FILE:
            return arrow_file_rows(stream, name)
        case TableForm.ARROW_STREAM:
            return arrow_stream_rows(stream, name)


def binary_form(head: bytes) -> TableForm | None:
    """The form of a table that is not text, by its magic number; None where it has none."""
    if head.startswith(b"PAR1"):
        return TableForm.PARQUET
    if head.startswith(b"ARROW1\x00\x00"):
        return TableForm.ARROW_FILE
    if head.startswith(b"\xff\xff\xff\xff") and head[8:16] == b"\x10\x00\x00\x00\x00\x00\x0a\x00":
        return TableForm.ARROW_STREAM  # the continuation mark, a length, and how every message's table begins
    return None


def _rows(path: Path) -> Iterator[Row | BrokenRow]:
    with path.open("rb") as file:
        compression = compression_of(file.read(16))
        file.seek(0)
        if compression is None:
            yield from table_rows(file, _form(path, path.suffix.lower(), file), str(path))
            return
        suffix = path.suffix.lower()
        if suffix in COMPRESSION_SUFFIXES:
            suffix = Path(path.stem).suffix.lower()
        with spooled(decompressed(file, compression)) as unpacked:
            yield from table_rows(unpacked, _form(path, suffix, unpacked), str(path))


def _form(path: Path, suffix: str, file: BinaryIO) -> TableForm:
    """The form by content, between text ones also by name; leaves `file` at its start."""
    head = file.read(4096)
    file.seek(0)
    binary = binary_form(head)
    if binary is not None:
        return binary
    _refuse_foreign(path, head)
    if suffix in {".csv", ".tsv"}:
        return TableForm.CSV if suffix == ".csv" else TableForm.TSV
    return TableForm.JSONL if _is_jsonl(path, suffix, file) else TableForm.JSON


def _refuse_foreign(path: Path, head: bytes) -> None:
    """Raises InputError for files that are recognisably something else, each with its own remedy."""
    if not head:
        raise InputError(f"{path}: the file is empty. Give a file with at least one row.")
    if head.startswith(b"PK\x03\x04"):
        raise InputError(f"{path}: the file is a zip archive. Unpack it first.")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{path}: the file is in UTF-16. Save it as UTF-8.")


def _is_jsonl(path: Path, suffix: str, file: BinaryIO) -> bool:
    """Whether at least half of the first lines are JSON objects of their own; leaves `file` at its start.

    One line that is an object with a list of rows under its only key is not JSONL. Raises InputError when
    neither JSONL nor JSON can be meant.
    """
    objects = lines = 0
    only: dict[str, Any] = {}
    for line in file:
        if not line.strip(BLANK):
            continue
        lines += 1
        parsed = json_object(line)
        if isinstance(parsed, dict):
            objects, only = objects + 1, parsed
        if lines == SNIFFED_LINES:
            break
    file.seek(0)
    if lines == 1 and objects == 1:
        return not (len(only) == 1 and row_list(only) is not None)
    if objects * 2 >= max(lines, 1) or suffix in {".jsonl", ".ndjson"}:
        return True
    if file.read(4096).lstrip(BLANK)[:1] not in {b"[", b"{"}:
        raise InputError(
            f"{path}: neither JSONL, JSON, Parquet nor Arrow (nor CSV, whose name ends in .csv or .tsv). "
            "Convert the file to one of these."
        )
    file.seek(0)
    return False
