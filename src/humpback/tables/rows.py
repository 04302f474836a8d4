"""What a table's rows become, good and broken ones, and what is said of broken ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from humpback.errors import InputError
from humpback.records import DropReason

SHOWN_CHARS = 80
"""Longest piece of a file that a message repeats (ours: one line of a terminal)."""

KEPT_CHARS = 2000
"""Characters kept of a row that is too large (ours: enough to recognise it)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `line` is its first line in JSONL and CSV, its position in JSON, Parquet and Arrow; from 1."""

    line: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that could not be read: where it stands (as in `Row`), what is wrong with it, and what stands there."""

    line: int
    detail: str
    text: str
    reason: DropReason = DropReason.UNREADABLE


def too_large_row(line: int, limit: int, head: str) -> BrokenRow:
    """The row whose text is longer than `limit` bytes and begins with `head`."""
    return BrokenRow(line, f"the row has more than {limit} bytes", head[:KEPT_CHARS], DropReason.TOO_LARGE)


def too_many_broken(path: Path, first: BrokenRow, broken: int, rows: int, allowed: float) -> InputError:
    """The error for a file of `rows` rows of which `broken` could not be read, more than the share `allowed`."""
    return InputError(
        f"{path}: {broken} of {rows} rows cannot be read, more than the {allowed:.4g} that are allowed. "
        f"The first is line {first.line}: {first.detail}: {shorten(first.text)}. "
        f"Mend the line(s), or raise ingest.max_broken_fraction."
    )


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
