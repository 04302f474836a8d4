"""Rows of a file the user named: JSONL, JSON, CSV, TSV or Parquet, recognised by content.

A row that cannot be read is handed on as a `BrokenRow`, so that the caller can set it aside and count it; a
file with too many of them is refused.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from humpback.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

TABLE_SUFFIXES = frozenset({".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet"})
"""Names under which rows are looked for in folders; a file named outright may be called anything."""

SHOWN_CHARS = 80
"""Longest piece of a file that a message repeats (ours: one line of a terminal)."""

BATCH_ROWS = 256
"""Parquet rows decoded at once (ours: a few MB of ordinary documents)."""

SNIFFED_LINES = 20
"""Lines looked at to tell JSONL from one JSON value (ours: one broken line among them must not mislead)."""

ROW_LISTS = frozenset({"messages", "conversations", "conversation", "instances", "replies"})
"""Lists of objects that belong to one row, and so do not make a single line of JSONL a container of rows."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `line` is its first line in JSONL and CSV, its position in JSON and Parquet; both from 1."""

    line: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that could not be read: where it stands (as in `Row`), what is wrong with it, and what stands
    there."""

    line: int
    detail: str
    text: str


def read_rows(path: Path, max_broken_fraction: float) -> Iterator[Row | BrokenRow]:
    """Yields the rows of `path` in order; JSONL, CSV and Parquet are streamed.

    Raises:
        InputError: the file is missing, empty, compressed, a folder, may not be read, or is of no known form;
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


def too_many_broken(path: Path, first: BrokenRow, broken: int, rows: int, allowed: float) -> InputError:
    """The error for a file of `rows` rows of which `broken` could not be read, more than the share
    `allowed`."""
    return InputError(
        f"{path}: {broken} of {rows} rows cannot be read, more than the {allowed:.4g} that are allowed. "
        f"The first is line {first.line}: {first.detail}: {shorten(first.text)}. "
        f"Mend the line(s), or raise ingest.max_broken_fraction."
    )


def unreadable_file(path: Path, error: OSError) -> InputError:
    """The error for a file that the system refuses to open or read, with what to do about it."""
    if isinstance(error, FileNotFoundError):
        return InputError(f"{path}: no such file. Check the path.")
    if isinstance(error, IsADirectoryError):
        return InputError(
            f"{path}: this is a folder, not a file. Name a file in it, or use a glob such as {path}/*.jsonl."
        )
    if isinstance(error, PermissionError):
        return InputError(f"{path}: no permission to read it. Make it readable for this user (chmod u+r).")
    return InputError(f"{path}: cannot be read ({error.strerror or error}). Check the file and the disk it is on.")


def shorten(text: str, limit: int = SHOWN_CHARS) -> str:
    """`text` on one line in quotation marks, at most `limit` characters of it."""
    piece = repr(text[: limit + 1])[1:-1]
    return f'"{piece}"' if len(piece) <= limit else f'"{piece[:limit]}…"'


def has_lone_surrogate(text: str) -> bool:
    """Whether `text` holds half a character (a lone UTF-16 surrogate), which no UTF-8 file can hold."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _rows(path: Path) -> Iterator[Row | BrokenRow]:
    with path.open("rb") as file:
        head = file.read(4096)
        file.seek(0)
        if head.startswith(b"PAR1"):
            yield from _parquet(path)
            return
        _refuse_foreign(path, head)
        if path.suffix.lower() in {".csv", ".tsv"}:
            yield from _csv(path, file)
        elif _is_jsonl(path, file):
            yield from _jsonl(file)
        else:
            yield from _json(path, file)


def _refuse_foreign(path: Path, head: bytes) -> None:
    """Raises InputError for files that are recognisably something else, each with its own remedy."""
    if not head:
        raise InputError(f"{path}: the file is empty. Give a file with at least one row.")
    if head.startswith((b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")):
        raise InputError(f"{path}: the file is compressed. Unpack it first.")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{path}: the file is in UTF-16. Save it as UTF-8.")


def _is_jsonl(path: Path, file: IO[bytes]) -> bool:
    """Whether at least half of the first lines are JSON objects of their own; leaves `file` at its start.

    One line that is an object with a list of rows under its only key is not JSONL. Raises InputError when
    neither JSONL nor JSON can be meant.
    """
    objects = lines = 0
    only: dict[str, Any] = {}
    for line in file:
        if not line.strip(b"\xef\xbb\xbf \t\r\n"):
            continue
        lines += 1
        parsed = _object(line)
        if isinstance(parsed, dict):
            objects, only = objects + 1, parsed
        if lines == SNIFFED_LINES:
            break
    file.seek(0)
    if lines == 1 and objects == 1:
        return not (len(only) == 1 and _row_list(only) is not None)
    if objects * 2 >= max(lines, 1) or path.suffix.lower() in {".jsonl", ".ndjson"}:
        return True
    if file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in {b"[", b"{"}:
        raise InputError(
            f"{path}: neither JSONL, JSON nor Parquet (nor CSV, whose name ends in .csv or .tsv). "
            "Convert the file to one of these."
        )
    file.seek(0)
    return False


def _object(line: bytes) -> dict[str, Any] | str:
    """The JSON object on `line`, or what is wrong with it."""
    try:
        text = line.decode("utf-8-sig")
        value = json.loads(text)
    except UnicodeDecodeError as error:
        return f"not UTF-8 (byte {error.start + 1} of the line)"
    except json.JSONDecodeError as error:
        return f"not valid JSON ({error.msg} at character {error.colno})"
    except RecursionError:
        return "not valid JSON (nested too deeply)"
    except ValueError:
        return "not valid JSON (a number is too long)"
    return _checked(value, text)


def _checked(value: object, text: str) -> dict[str, Any] | str:
    if not isinstance(value, dict):
        return f"not a JSON object but {_kind(value)}"
    if re.search(r"\\u[dD][89a-fA-F]", text) and has_lone_surrogate(json.dumps(value, ensure_ascii=False)):
        return "holds half a character (a lone UTF-16 surrogate)"
    return value


def _kind(value: object) -> str:
    names = {list: "a list", str: "a string", int: "a number", float: "a number", bool: "true or false"}
    return names.get(type(value), "null" if value is None else "an object")


def _jsonl(file: IO[bytes]) -> Iterator[Row | BrokenRow]:
    for number, line in enumerate(file, start=1):
        if not line.strip(b"\xef\xbb\xbf \t\r\n"):
            continue
        parsed = _object(line)
        if isinstance(parsed, str):
            yield BrokenRow(number, parsed, line.decode("utf-8", "replace").rstrip("\r\n"))
        else:
            yield Row(number, parsed)


def _json(path: Path, file: IO[bytes]) -> Iterator[Row | BrokenRow]:
    try:
        value = json.loads(file.read().decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}: not valid JSON: {error.msg} at line {error.lineno}, character {error.colno}. Mend it there."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}. Save the file as UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON: nested too deeply, or with too long a number. Mend it.") from error
    for number, item in enumerate(_items(path, value), start=1):
        text = json.dumps(item) if not isinstance(item, dict) or _lone(item) else ""
        checked = _checked(item, text)
        yield BrokenRow(number, checked, text) if isinstance(checked, str) else Row(number, checked)


def _lone(item: dict[str, Any]) -> bool:
    return has_lone_surrogate(json.dumps(item, ensure_ascii=False))


def _items(path: Path, value: object) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        rows = _row_list(value)
        return [value] if rows is None else rows
    raise InputError(f"{path}: the JSON is {_kind(value)}. It must be a list of objects, or hold one.")


def _row_list(value: dict[str, Any]) -> list[Any] | None:
    """The one list of objects in a JSON object, or None when there is none, or more than one."""
    lists = [
        items
        for name, items in value.items()
        if isinstance(items, list) and items and isinstance(items[0], dict) and name.lower() not in ROW_LISTS
    ]
    return lists[0] if len(lists) == 1 else None


def _csv(path: Path, file: IO[bytes]) -> Iterator[Row | BrokenRow]:
    csv.field_size_limit(2**31 - 1)
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    delimiter = "\t" if path.suffix.lower() == ".tsv" else _delimiter(text.readline())
    text.seek(0)
    raw: list[str] = []

    def lines() -> Iterator[str]:
        for one in text:
            raw.append(one)
            yield one

    reader = csv.reader(lines(), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        raw.clear()
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "end of data" in str(error):
                raise InputError(
                    f"{path}: the quotation mark opened in the row of line {line} is never closed. Close it."
                ) from error
            yield BrokenRow(line, f"not valid CSV ({error})", _mended("".join(raw)))
            continue
        if header is None:
            header = _header(path, fields)
        elif fields:
            yield _csv_row(line, header, fields, "".join(raw))


def _mended(text: str) -> str:
    """Text read with surrogates in place of bytes that are not UTF-8, with U+FFFD there instead."""
    return text.rstrip("\r\n").encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _delimiter(header: str) -> str:
    """The separator that the header line holds most often; a comma when it holds none."""
    return max(",;\t|", key=header.count)


def _header(path: Path, fields: list[str]) -> list[str]:
    if any(has_lone_surrogate(field) for field in fields):
        raise InputError(f"{path}: the header line is not UTF-8. Save the file as UTF-8.")
    return fields


def _csv_row(line: int, header: list[str], fields: list[str], raw: str) -> Row | BrokenRow:
    if has_lone_surrogate(raw):
        return BrokenRow(line, "not UTF-8", _mended(raw))
    if len(fields) != len(header):
        return BrokenRow(line, f"has {len(fields)} fields where the header has {len(header)}", _mended(raw))
    return Row(line, dict(zip(header, fields, strict=True)))


def _parquet(path: Path) -> Iterator[Row | BrokenRow]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as table:
            for batch in table.iter_batches(batch_size=BATCH_ROWS):
                yield from _batch_rows(batch, number)
                number += batch.num_rows
    except pa.ArrowException as error:
        raise InputError(
            f"{path}: broken Parquet after row {number}: {shorten(str(error))}. Write or copy the file again."
        ) from error


def _batch_rows(batch: pa.RecordBatch, before: int) -> Iterator[Row | BrokenRow]:
    """The rows of one Arrow batch; one at a time when some string in it is not UTF-8."""
    try:
        for index, values in enumerate(batch.to_pylist(), start=before + 1):
            yield Row(index, values)
        return
    except UnicodeDecodeError:
        pass
    for index in range(batch.num_rows):
        try:
            yield Row(before + index + 1, batch.slice(index, 1).to_pylist()[0])
        except UnicodeDecodeError:
            yield BrokenRow(before + index + 1, "not UTF-8", "")
