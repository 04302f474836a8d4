"""Markdown and front matter in which texts from a corpus stand as they are and change nothing around them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from humpback.report.text import short

MOST_CHARS = 120
MOST_ROWS = 30

# What opens an emphasis, a link, code, a cell, an element, an entity or a formula; a backslash takes that from each.
_MARKS = re.compile(r"([\\`*_\[\]<>|#~!&$])")


def plain(text: str) -> str:
    """One line of at most 120 characters that Markdown shows as it stands."""
    return _MARKS.sub(r"\\\1", short(text, MOST_CHARS))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; the cells of its first column are shown as they stand, figures are aligned to the right."""
    lines = [_line(columns), _line(["---", *["---:"] * (len(columns) - 1)])]
    lines += [_line([plain(str(first)), *others]) for first, *others in rows]
    return "\n".join(lines)


def counts_table(columns: Sequence[str], counts: Mapping[str, int]) -> str:
    """A table of names and numbers, the largest first; what does not fit is one row more."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rest = ordered[MOST_ROWS:]
    more = [(f"{len(rest):,} more", sum(count for _, count in rest))] if rest else []
    return table(columns, [(name, f"{count:,}") for name, count in [*ordered[:MOST_ROWS], *more]])


def front_matter(values: Mapping[str, Any]) -> str:
    """The metadata at the top of a card: YAML between two lines of dashes, without what is None or empty."""
    import yaml

    given = {key: value for key, value in values.items() if value not in (None, "", [], {})}
    text = yaml.safe_dump(given, sort_keys=False, allow_unicode=True, width=110)
    return f"---\n{text}---\n"


def read_front_matter(card: str) -> dict[str, Any]:
    """The metadata at the top of a card; empty where there is none that can be read."""
    import yaml

    found = re.match(r"\s*---\r?\n(.*?)\r?\n---\s*(?:\n|$)", card, re.DOTALL)
    try:
        values = yaml.safe_load(found[1]) if found else None
    except yaml.YAMLError:
        return {}
    return values if isinstance(values, dict) else {}


def _line(cells: Iterable[object]) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"
