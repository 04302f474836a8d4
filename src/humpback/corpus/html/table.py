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
    from_above: dict[int, int] = {}
    for row in _rows(table):
        cells = _cells(row, from_above)
        if cells is None:
            return None
        if any(cells):
            rows.append(cells)
    used = sorted({at for row in rows for at, cell in enumerate(row) if cell})
    if len(rows) < 2 or len(used) < 2:
        return None
    lines = [" | ".join(row[at] if at < len(row) else "" for at in used) for row in rows]
    lines.insert(1, " | ".join("---" for _ in used))
    return "\n".join(f"| {line} |" for line in lines)


def _cells(row: Block, from_above: dict[int, int]) -> list[str] | None:
    """The row's cells, or None where one is not of data; what a cell spans beyond its first place is left empty.

    `from_above` says of a column for how many rows more a cell of an earlier row stands in it, and is kept up to date.
    """
    cells: list[str] = []
    spans: dict[int, int] = {}
    for cell in row.items:
        if isinstance(cell, str):
            continue
        text = plain_text(cell)
        if len(text) > MAX_CELL_CHARS or _holds_blocks(cell):
            return None
        while len(cells) in from_above:
            cells.append("")
        columns, rows = (int(span) for span in (cell.extra or "1 1").split())
        if rows > 1:
            spans.update((at, rows) for at in range(len(cells), min(len(cells) + columns, MAX_COLUMNS)))
        cells.append(text.replace("|", "\\|"))
        cells.extend([""] * (columns - 1))
    _next_row(from_above, spans)
    if len(cells) > MAX_COLUMNS:
        return [*cells[: MAX_COLUMNS - 1], " ".join(cells[MAX_COLUMNS - 1 :]).strip()]
    return cells


def _next_row(from_above: dict[int, int], spans: dict[int, int]) -> None:
    """What still stands in each column from above when the next row is read; `spans` began in this one."""
    for at in list(from_above):
        if from_above[at] == 1:
            del from_above[at]
        else:
            from_above[at] -= 1
    from_above.update((at, rows - 1) for at, rows in spans.items())


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
