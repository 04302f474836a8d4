"""Tables: those that hold data as pipe tables, those that lay a page out as what stands in them."""

from __future__ import annotations

from humpback.corpus.html.blocks import Block, plain_text

MAX_CELL_CHARS = 600
"""A table with a longer cell is layout (ours: about a paragraph; nobody reads more in a pipe table)."""

MAX_COLUMNS = 50
"""Cells past this column are joined to the last one (ours: wider tables are no reading matter)."""

_GROUPS = frozenset(("tbody", "thead", "tfoot"))
_NO_CELL = frozenset(("h1", "h2", "h3", "h4", "h5", "h6", "table", "blockquote", "pre"))


def pipe_table(table: Block) -> str | None:
    """The table in GitHub's Markdown, or None where it is no table of data.

    It is one when it has two columns and two rows at least and each cell holds a short text. The first row is the
    header, since a pipe table must have one.
    """
    rows: list[list[str]] = []
    for row in _rows(table):
        cells: list[str] = []
        for cell in row.items:
            if isinstance(cell, str):
                continue
            if _holds_blocks(cell):
                return None
            text = plain_text(cell)
            if len(text) > MAX_CELL_CHARS:
                return None
            cells.append(text.replace("|", "\\|"))
            span = cell.extra or ""
            if span.isdecimal() and len(span) < 3:
                cells.extend([""] * (int(span) - 1))
        if any(cells):
            rows.append(
                [*cells[: MAX_COLUMNS - 1], " ".join(cells[MAX_COLUMNS - 1 :]).strip()]
                if len(cells) > MAX_COLUMNS
                else cells
            )
    used = sorted({at for row in rows for at, cell in enumerate(row) if cell})
    if len(rows) < 2 or len(used) < 2:
        return None
    lines = [" | ".join(row[at] if at < len(row) else "" for at in used) for row in rows]
    lines.insert(1, " | ".join("---" for _ in used))
    return "\n".join(f"| {line} |" for line in lines)


def _rows(table: Block) -> list[Block]:
    rows: list[Block] = []
    for item in table.items:
        if isinstance(item, str):
            continue
        if item.tag == "tr":
            rows.append(item)
        elif item.tag in _GROUPS:
            rows.extend(row for row in item.items if isinstance(row, Block) and row.tag == "tr")
    return rows


def _holds_blocks(cell: Block) -> bool:
    """Whether a heading, a table, a quotation or code of several lines stands in the cell."""
    for item in cell.items:
        if isinstance(item, str):
            continue
        if item.tag in _NO_CELL and not (item.tag == "pre" and "\n" not in "".join(map(str, item.items)).strip()):
            return True
        if _holds_blocks(item):
            return True
    return False
