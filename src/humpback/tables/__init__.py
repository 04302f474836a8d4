"""Rows of a file the user named: JSONL, JSON, CSV, TSV, Parquet or Arrow, compressed or not, recognised by content.

A row that cannot be read is handed on as a `BrokenRow`, so that the caller can set it aside and count it; a
file with too many of them is refused.
"""

from humpback.inputs import unreadable_file
from humpback.tables.read import TABLE_SUFFIXES, TableForm, read_rows, table_rows
from humpback.tables.rows import BrokenRow, Row, has_lone_surrogate, shorten, too_many_broken

__all__ = [
    "TABLE_SUFFIXES",
    "BrokenRow",
    "Row",
    "TableForm",
    "has_lone_surrogate",
    "read_rows",
    "shorten",
    "table_rows",
    "too_many_broken",
    "unreadable_file",
]
