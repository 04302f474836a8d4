"""Rows of CSV and TSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

from humpback.errors import InputError
from humpback.tables.rows import BrokenRow, Row, has_lone_surrogate, too_large_row

DELIMITERS = ",;\t|"
"""What separates fields; the first is meant where none is found."""

FIELD_CHARS = 2**31 - 1
"""Longest field where no limit is given: the longest that the `csv` module takes everywhere."""


def csv_rows(
    stream: BinaryIO, name: str, delimiter: str | None, max_row_bytes: int | None
) -> Iterator[Row | BrokenRow]:
    """Yields the rows after the header; a `delimiter` of None takes the one that the header holds most often.

    Raises:
        InputError: the header is not UTF-8, or a quotation mark is never closed.
    """
    lines = _Lines(stream, max_row_bytes)
    csv.field_size_limit(max_row_bytes or FIELD_CHARS)
    reader = csv.reader(lines, delimiter=delimiter or delimiter_of(lines.first), strict=True)
    header: list[str] | None = None
    while True:
        lines.start_row()
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "end of data" in str(error):
                raise InputError(
                    f"{name}: the quotation mark opened in the row of line {line} is never closed. Close it."
                ) from error
            if max_row_bytes and "field limit" in str(error):
                yield too_large_row(line, max_row_bytes, _mended(lines.row()))
            else:
                yield BrokenRow(line, f"not valid CSV ({error})", _mended(lines.row()))
            continue
        if max_row_bytes and lines.too_long:
            yield too_large_row(line, max_row_bytes, _mended(lines.row()))
        elif header is None:
            header = _header(name, fields)
        elif fields:
            yield _row(line, header, fields, lines.row())


def delimiter_of(header: str) -> str:
    """The separator that the header line holds most often; a comma when it holds none."""
    return max(DELIMITERS, key=header.count)


class _Lines:
    """The stream's lines, of which no more than the limit is held; keeps those of the row being read."""

    def __init__(self, stream: BinaryIO, limit: int | None) -> None:
        self._text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
        self._limit = limit
        self._row: list[str] = []
        self.too_long = False
        self.first = self._read()
        self._pending: str | None = self.first

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._read() if self._pending is None else self._pending
        self._pending = None
        if not line:
            raise StopIteration
        self._row.append(line)
        return line

    def start_row(self) -> None:
        self._row.clear()
        if self._pending is None:
            self.too_long = False

    def row(self) -> str:
        return "".join(self._row)

    def _read(self) -> str:
        line = self._text.readline(-1 if self._limit is None else self._limit)
        if self._limit is not None and len(line) >= self._limit and not line.endswith("\n"):
            self.too_long = True
            while (rest := self._text.readline(1 << 16)) and not rest.endswith("\n"):
                pass
        return line


def _mended(text: str) -> str:
    """Text read with surrogates in place of bytes that are not UTF-8, with U+FFFD there instead."""
    return text.rstrip("\r\n").encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _header(name: str, fields: list[str]) -> list[str]:
    if any(has_lone_surrogate(field) for field in fields):
        raise InputError(f"{name}: the header line is not UTF-8. Save the file as UTF-8.")
    return fields


def _row(line: int, header: list[str], fields: list[str], raw: str) -> Row | BrokenRow:
    if has_lone_surrogate(raw):
        return BrokenRow(line, "not UTF-8", _mended(raw))
    if len(fields) != len(header):
        return BrokenRow(line, f"has {len(fields)} fields where the header has {len(header)}", _mended(raw))
    return Row(line, dict(zip(header, fields, strict=True)))
