"""Under every table of a page, a link that holds its numbers as CSV: nothing is fetched for it."""

from __future__ import annotations

import base64
import csv
import io
import re
from html.parser import HTMLParser

from humpback.report.text import MINUS, SPACE

_TABLE = re.compile(r"<table>.*?</table></div>", re.DOTALL)
_NUMBER = re.compile(r"[-+]?[\d.,]+(?:e[-+]?\d+)?%?")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What begins a formula in a spreadsheet, so that no cell from a corpus may begin with it (OWASP, CSV injection)."""


def with_downloads(page: str) -> str:
    """The page with a link under each of its tables."""
    return _TABLE.sub(lambda found: found[0] + _link(found[0]), page)


def table_csv(table: str) -> str:
    """The cells of an HTML table as CSV; a cell that a spreadsheet would take for a formula begins with `'`."""
    reader = _Cells()
    reader.feed(table)
    lines = io.StringIO()
    csv.writer(lines).writerows([[_plain(cell) for cell in row] for row in reader.rows])
    return lines.getvalue()


def _link(table: str) -> str:
    reader = _Cells()
    reader.feed(table)
    name = re.sub(r"[^a-z0-9]+", "-", reader.caption.casefold()).strip("-")[:60] or "table"
    data = base64.b64encode(table_csv(table).encode("utf-8")).decode("ascii")
    return f'\n<p class="download"><a download="{name}.csv" href="data:text/csv;base64,{data}">CSV</a></p>'


def _plain(cell: str) -> str:
    text = " ".join(cell.replace(MINUS, "-").replace(SPACE, " ").split())
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


class _Cells(HTMLParser):
    """The rows of one table, and its caption."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.caption = ""
        self._in_caption = self._in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")
            self._in_cell = True
        elif tag == "caption":
            self._in_caption = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("th", "td"):
            self._in_cell = False
        elif tag == "caption":
            self._in_caption = False

    def handle_data(self, data: str) -> None:
        if self._in_caption:
            self.caption += data
        elif self._in_cell:
            self.rows[-1][-1] += data
