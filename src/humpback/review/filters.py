"""What the list of candidates shows, as it stands in the page's address."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

PAGE_ROWS = 50
MAX_QUERY_CHARS = 500  # ours: nobody types more, and every row is searched for it

SORTS = {
    "run": "As in the run",
    "best": "Best first",
    "worst": "Worst first",
    "unsure": "Least sure first",
    "short": "Shortest first",
    "long": "Longest first",
}
LABELS = {
    "": "Any label",
    "none": "Not labelled",
    "good": "Accepted",
    "bad": "Rejected",
    "edited": "Edited",
    "disputed": "Others disagree",
}
KEPT, DROPPED = "kept", "dropped"


@dataclass(frozen=True, slots=True)
class Filters:
    """The choice of rows. Empty texts and None choose nothing out.

    `q` is looked for in instruction and answer, upper and lower case alike; `fate` is `kept`, `dropped` or a reason,
    in the last round; `label` a key of `LABELS`, `sort` of `SORTS`; `low` and `high` bound the last rating.
    """

    q: str = ""
    fate: str = ""
    label: str = ""
    source: str = ""
    low: float | None = None
    high: float | None = None
    sort: str = "run"
    page: int = 1

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Filters:
        """Those of an address; what cannot be understood chooses nothing out."""
        page = query.get("page", "")
        return cls(
            q=query.get("q", "").strip()[:MAX_QUERY_CHARS],
            fate=query.get("fate", ""),
            label=query.get("label", "") if query.get("label") in LABELS else "",
            source=query.get("source", ""),
            low=_number(query.get("low", "")),
            high=_number(query.get("high", "")),
            sort=query.get("sort", "") if query.get("sort") in SORTS else "run",
            page=int(page) if page.isascii() and page.isdigit() and len(page) < 10 and int(page) else 1,
        )

    def to_query(self, **changes: Any) -> str:
        """The address's part for these filters, with changes; what is as by default is left out."""
        found = asdict(replace(self, **{name: value for name, value in changes.items() if name != "row"}))
        given = {one.name: found[one.name] for one in fields(self) if found[one.name] != one.default}
        if "row" in changes:
            given["row"] = changes["row"]
        return "?" + urlencode(given)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
