"""Documents in the rows of tables, whatever their columns are called."""

from __future__ import annotations

import itertools
import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, BinaryIO

from humpback.corpus.raw import Form, RawDocument
from humpback.corpus.readers.found import KEPT_BYTES, Place, broken, dropped
from humpback.corpus.readers.sniff import looks_like_fragment, looks_like_markdown, looks_like_page
from humpback.errors import InputError
from humpback.inputs.streams import HEAD_BYTES
from humpback.records import Dropped, DropReason, Source
from humpback.tables import BrokenRow, Row, TableForm, table_rows, too_many_broken

log = logging.getLogger(__name__)

TEXT_COLUMNS = (
    "text",
    "content",
    "raw_content",
    "body",
    "markdown",
    "article",
    "document",
    "page_content",
    "passage",
    "page_text",
    "extracted_text",
    "plain_text",
    "contents",
    "html",
    "raw_html",
)
"""Names under which published collections keep their texts, the most common first."""

ADDRESS_COLUMNS = ("url", "uri", "source_url", "page_url", "target_uri", "warc_target_uri", "link", "source")
VAGUE_COLUMNS = frozenset({"link", "source"})
TITLE_COLUMNS = ("title", "page_title", "headline")
LICENCE_COLUMNS = ("license", "licence", "license_id", "license_url")
DATE_COLUMNS = (
    "date",
    "fetch_date",
    "fetched",
    "fetch_time",
    "crawl_date",
    "warc_date",
    "date_download",
    "timestamp",
    "crawl_timestamp",
    "retrieved",
)
NESTED_COLUMNS = ("metadata", "meta")
"""Columns that hold others, as datatrove and RedPajama write them."""

FIRST_ROWS = 100
"""Rows looked at to find the column with the texts where none has a known name."""

FIRST_CHARS = 50_000_000
"""Characters of them after which it is enough (ours: bounds memory)."""

MAX_NESTED_CHARS = 100_000
"""Longest JSON in a cell that is searched for an address (ours)."""

_ISO_DATE = re.compile(r"\d{4}-\d\d")


def read_table(stream: BinaryIO, form: TableForm, place: Place) -> Iterator[RawDocument | Dropped]:
    """Yields the documents of a table, its rows; a table that is broken as a whole ends in a dropped row.

    Raises:
        InputError: the table has more broken rows than `max_broken_fraction` allows, or lacks `text_column`.
    """
    rows = _Counted(_unbroken(stream, form, place), place)
    yield from row_documents(rows, place)
    rows.check()


def row_documents(rows: Iterable[Row | BrokenRow | Dropped], place: Place) -> Iterator[RawDocument | Dropped]:
    """Yields the rows' texts as documents; raises InputError where `text_column` is named and no row has it."""
    rows = iter(rows)
    first = list(_first_rows(rows, place.config.text_column))
    while first and not any(isinstance(row, Row) for row in first):  # nothing but broken ones so far
        yield from (_set_aside(row, place) for row in first if not isinstance(row, Row))
        first = list(_first_rows(rows, place.config.text_column))
    samples = [row.values for row in first if isinstance(row, Row)]
    column = _text_column(samples, place)
    if column is None:
        yield from (_set_aside(row, place) for row in first if not isinstance(row, Row))
        if samples:
            detail = f"a table without texts (columns: {_shown(samples)})"
            yield dropped(place.source(), DropReason.NOT_A_DOCUMENT, detail)
        return
    for row in itertools.chain(first, rows):
        yield _document(row, column, place) if isinstance(row, Row) else _set_aside(row, place)


class _Counted:
    """The rows of a table, counted as they pass."""

    def __init__(self, rows: Iterator[Row | BrokenRow | Dropped], place: Place) -> None:
        self._rows = rows
        self._place = place
        self._total = self._broken = 0
        self._first: BrokenRow | None = None

    def __iter__(self) -> Iterator[Row | BrokenRow | Dropped]:
        for row in self._rows:
            self._total += 1
            if isinstance(row, BrokenRow) and row.reason is DropReason.UNREADABLE:
                self._broken += 1
                self._first = self._first or row
            yield row

    def check(self) -> None:
        """Raises InputError where too many were broken."""
        allowed = self._place.config.max_broken_fraction
        if self._first is not None and self._broken > allowed * self._total:
            raise too_many_broken(Path(str(self._place)), self._first, self._broken, self._total, allowed)


def _unbroken(stream: BinaryIO, form: TableForm, place: Place) -> Iterator[Row | BrokenRow | Dropped]:
    """The rows; what breaks the table as a whole comes as a dropped row at its end."""
    try:
        yield from table_rows(stream, form, str(place), place.limit)
    except (InputError, OSError) as error:
        message = InputError(str(error).removeprefix(f"{place}: ")) if isinstance(error, InputError) else error
        yield broken(place, message)


def _first_rows(
    rows: Iterator[Row | BrokenRow | Dropped], text_column: str | None
) -> Iterator[Row | BrokenRow | Dropped]:
    """As many rows as it takes to find the column with the texts."""
    names = {text_column} if text_column is not None else set(TEXT_COLUMNS)
    chars = 0
    for row in itertools.islice(rows, FIRST_ROWS):
        yield row
        if isinstance(row, Row):
            values = row.values if text_column is not None else _folded(row.values)
            if any(isinstance(values.get(name), str) for name in names):
                return
            chars += sum(len(value) for value in row.values.values() if isinstance(value, str))
        if chars > FIRST_CHARS:
            return


def _text_column(rows: Sequence[Mapping[str, Any]], place: Place) -> str | None:
    """The name of the column with the texts; None where no column of the rows has any."""
    asked = place.config.text_column
    if asked is not None:
        if rows and not any(asked in values for values in rows):
            raise InputError(
                f"{place}: no column {asked!r} holds the text. Columns found: {_shown(rows) or 'none'}. "
                "Name the right one with ingest.text_column, or null to have it found."
            )
        return asked if rows else None
    lengths: dict[str, int] = {}
    for values in rows:
        for name, value in values.items():
            if isinstance(name, str) and isinstance(value, str):
                lengths[name] = lengths.get(name, 0) + len(value)
    by_name = {name.strip().lower(): name for name in reversed(lengths)}
    known = next((by_name[name] for name in TEXT_COLUMNS if name in by_name), None)
    column = known or max(lengths, key=lambda name: lengths[name], default=None)
    if column is not None and not lengths[column]:
        column = known
    if column is not None:
        log.info("%s: the texts are taken from the column %r", place, column)
    return column


def _document(row: Row, column: str, place: Place) -> RawDocument | Dropped:
    text = row.values.get(column)
    beside = _folded(row.values)
    source = _source(row.line, beside, column.strip().lower(), place)
    if isinstance(text, bytes) and "html" in column.lower():
        data: str | bytes = text
    elif isinstance(text, str):
        data = text
    else:
        stands = "no such column" if column not in row.values else type(text).__name__
        return dropped(source, DropReason.UNREADABLE, f"column {column!r} holds no text ({stands})")
    if len(data) > place.limit:
        kept = data[:KEPT_BYTES] if isinstance(data, str) else ""
        return dropped(source, DropReason.TOO_LARGE, f"more than {place.limit} bytes", kept)
    return RawDocument(data, _form(data, column.lower()), source, _first_text(beside, TITLE_COLUMNS) or "")


def _form(data: str | bytes, column: str) -> Form:
    if isinstance(data, bytes):
        return Form.HTML
    head = data[:HEAD_BYTES].encode("utf-8", "replace")
    if looks_like_page(head) or ("html" in column and "<" in data) or ("markdown" not in column and _is_markup(head)):
        return Form.HTML
    return Form.MARKDOWN if "markdown" in column or looks_like_markdown(head) else Form.TEXT


def _is_markup(head: bytes) -> bool:
    return looks_like_fragment(head) and b"```" not in head and b"\n#" not in head


def _source(line: int, beside: Mapping[str, Any], text_column: str, place: Place) -> Source:
    address = _address(beside, text_column)
    licence = _first_text(beside, LICENCE_COLUMNS)
    fetched = next(filter(None, (_date(beside.get(name)) for name in DATE_COLUMNS)), None)
    if address is not None:
        return Source(uri=address, record=f"{place}:{line}", licence=licence, fetched=fetched)
    record = str(line) if place.record is None else f"{place.record}:{line}"
    return Source(uri=place.uri, record=record, licence=licence, fetched=fetched)


def _address(beside: Mapping[str, Any], text_column: str) -> str | None:
    """The address that the cells state; a `source` or `link` may be anything, so it counts only as a whole one."""
    for name in ADDRESS_COLUMNS:
        value = _first_text(beside, [name]) if name != text_column else None
        if value and (name not in VAGUE_COLUMNS or "://" in value):
            return value
    return None


def _folded(values: Mapping[str, Any]) -> dict[str, Any]:
    """The cells by lower-case names, those of nested columns behind the row's own."""
    found: dict[str, Any] = {}
    for cells in (values, *(_nested(values.get(name)) for name in NESTED_COLUMNS)):
        for name, value in cells.items():
            if value is not None:
                found.setdefault(str(name).strip().lower(), value)
    return found


def _nested(value: object) -> Mapping[str, Any]:
    if isinstance(value, str) and value.startswith("{") and len(value) <= MAX_NESTED_CHARS:
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _first_text(cells: Mapping[str, Any], names: Sequence[str]) -> str | None:
    values = (cells.get(name) for name in names)
    return next((value.strip() for value in values if isinstance(value, str) and value.strip()), None)


def _date(value: object) -> str | None:
    """A cell's date in ISO 8601: one written so, an Arrow date, or seconds or milliseconds since 1970."""
    if isinstance(value, str):
        text = value.strip()
        if _ISO_DATE.match(text):
            return text
        value = int(text) if text.isascii() and text.isdigit() else None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = value / 1000 if value > 1e11 else value
        if 1e8 < seconds < 1e10:  # from 1973 to 2286
            return datetime.fromtimestamp(seconds, UTC).isoformat()
    return None


def _set_aside(row: BrokenRow | Dropped, place: Place) -> Dropped:
    if isinstance(row, Dropped):
        return row
    record = str(row.line) if place.record is None else f"{place.record}:{row.line}"
    return dropped(Source(uri=place.uri, record=record), row.reason, row.detail, row.text)


def _shown(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(str(name)[:40] for values in rows for name in values))
    return ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
