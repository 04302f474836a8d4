"""Questions to the candidates of a run: which rows a choice finds, and everything about one of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from humpback.review.filters import DROPPED, KEPT, PAGE_ROWS, Filters
from humpback.review.index import build, put_labels
from humpback.review.labels import Label

SHOWN_SOURCES = 200  # ours: a longer list to choose from helps nobody; search finds the others

_ORDERS = {
    "run": "pos",
    "best": "rating IS NULL, rating DESC, pos",
    "worst": "rating IS NULL, rating, pos",
    "unsure": "rating IS NULL, abs(coalesce(p_good - 0.5, (rating - 3) / 4)), pos",
    "short": "size, pos",
    "long": "size DESC, pos",
}
_LIST_CHARS = 200


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of the list. `reason` is why the last round dropped it, empty where it kept it, None where it is
    open; `edited` is 1 where the annotator edited the instruction."""

    id: str
    instruction: str
    source: str
    size: int
    rating: float | None
    reason: str | None
    verdict: str | None
    edited: int


@dataclass(frozen=True, slots=True)
class Round:
    """What one round said of a candidate; fields that it did not fill are None or empty."""

    number: int
    rating: float | None
    p_good: float | None
    unparsed_reason: str | None
    probabilities: list[float]
    judgement: str | None
    method: str
    instruction_cut: bool
    signals: dict[str, float]
    reason: str | None
    detail: str
    rewritten: str | None


@dataclass(frozen=True, slots=True)
class Detail:
    """Everything about one candidate."""

    id: str
    instruction: str
    output: str
    text_cut: bool
    headers: list[str]
    uri: str
    place: str
    licence: str | None
    rounds: list[Round]

    @property
    def signals(self) -> list[tuple[str, list[float | None]]]:
        """Every signal with its values, one a round."""
        names = sorted({name for one in self.rounds for name in one.signals})
        return [(name, [one.signals.get(name) for one in self.rounds]) for name in names]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many candidates there are, and how many of them an annotator accepted, rejected and left."""

    all: int
    good: int
    bad: int
    left: int


class Candidates:
    """The candidates of a run, to be looked at from one thread at a time."""

    def __init__(self, run: Path) -> None:
        self._database = build(run)
        found = self._database.execute("SELECT source, count(*) FROM listed GROUP BY 1 ORDER BY 2 DESC, 1")
        self.sources: list[tuple[str, int]] = found.fetchmany(SHOWN_SOURCES)
        found = self._database.execute("SELECT reason, count(*) FROM listed WHERE reason <> '' GROUP BY 1 ORDER BY 1")
        self.reasons: list[tuple[str, int]] = found.fetchall()

    def put_labels(self, annotator: str, labels: dict[str, Label]) -> None:
        """Lets filters and lists know an annotator's labels; an empty one takes a label away."""
        put_labels(self._database, annotator, labels)

    def find(self, filters: Filters, annotator: str) -> list[int]:
        """The places of all rows that the filters choose, in their order."""
        where, values = _where(filters, annotator)
        query = f"SELECT pos FROM listed{where} ORDER BY {_ORDERS[filters.sort]}"  # noqa: S608 - texts of this file
        return [pos for (pos,) in self._database.execute(query, values)]

    def page(self, places: Sequence[int], number: int, annotator: str) -> list[Listed]:
        """The rows of one page, from 1 on, of what `find` found."""
        wanted = places[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]
        query = (
            "SELECT i.id, substr(c.instruction, 1, ?), i.source, i.size, i.rating, i.reason, l.verdict, "
            "coalesce(l.edited, 0) FROM listed i JOIN candidate c ON c.pos = i.pos "
            "LEFT JOIN label l ON l.id = i.id AND l.annotator = ? WHERE i.pos = ?"
        )
        rows = [self._database.execute(query, (_LIST_CHARS, annotator, place)).fetchone() for place in wanted]
        return [Listed(*row) for row in rows]

    def detail(self, row_id: str) -> Detail | None:
        """Everything about a candidate; None where there is none of that id."""
        query = "SELECT id, instruction, output, text_cut, headers, uri, place, licence FROM candidate WHERE id = ?"
        row = self._database.execute(query, (row_id,)).fetchone()
        if row is None:
            return None
        _, instruction, output, text_cut, headers, uri, place, licence = row
        rounds = self._rounds(row_id)
        return Detail(row_id, instruction, output, bool(text_cut), json.loads(headers), uri, place, licence, rounds)

    def has(self, row_id: str) -> bool:
        """Whether there is a candidate of that id."""
        return self._database.execute("SELECT 1 FROM candidate WHERE id = ?", (row_id,)).fetchone() is not None

    def instruction(self, row_id: str) -> str:
        """The instruction of a candidate that there is."""
        found = self._database.execute("SELECT instruction FROM candidate WHERE id = ?", (row_id,)).fetchone()
        return str(found[0])

    def counts(self, annotator: str) -> Counts:
        """How far an annotator has come."""
        (total,) = self._database.execute("SELECT count(*) FROM listed").fetchone()
        query = (
            "SELECT verdict, count(*) FROM label WHERE annotator = ? AND verdict IS NOT NULL "
            "AND id IN (SELECT id FROM listed) GROUP BY 1"
        )
        found = dict(self._database.execute(query, (annotator,)).fetchall())
        good, bad = found.get("good", 0), found.get("bad", 0)
        return Counts(total, good, bad, total - good - bad)

    def others(self, row_id: str, annotator: str) -> list[tuple[str, str]]:
        """What others say of a candidate, with their names; nothing before the annotator has said something."""
        query = "SELECT annotator, verdict FROM label WHERE id = ? AND verdict IS NOT NULL ORDER BY 1"
        found: list[tuple[str, str]] = self._database.execute(query, (row_id,)).fetchall()
        if annotator not in dict(found):
            return []
        return [(name, verdict) for name, verdict in found if name != annotator]

    def _rounds(self, row_id: str) -> list[Round]:
        query = (
            "SELECT n.round, r.rating, r.p_good, r.details, f.reason, f.detail, w.output FROM "
            "(SELECT round FROM rating WHERE id = :id UNION SELECT round FROM fate WHERE id = :id) n "
            "LEFT JOIN rating r ON r.id = :id AND r.round = n.round "
            "LEFT JOIN fate f ON f.id = :id AND f.round = n.round "
            "LEFT JOIN rewritten w ON w.id = :id AND w.round = n.round ORDER BY 1"
        )
        return [_round(*row) for row in self._database.execute(query, {"id": row_id})]


def _round(
    number: int,
    rating: float | None,
    p_good: float | None,
    details: str | None,
    reason: str | None,
    detail: str | None,
    rewritten: str | None,
) -> Round:
    found: dict[str, Any] = json.loads(details) if details else {}
    return Round(
        number,
        rating,
        p_good,
        found.get("unparsed_reason"),
        found.get("probabilities", []),
        found.get("judgement"),
        found.get("method", ""),
        found.get("instruction_cut", False),
        found.get("signals", {}),
        reason,
        detail or "",
        rewritten,
    )


def _where(filters: Filters, annotator: str) -> tuple[str, dict[str, Any]]:
    """The condition of a query with its values. All texts that the user gives are values, never part of the query."""
    own = "SELECT id FROM label WHERE annotator = :me"
    labels = {
        "none": f"id NOT IN ({own} AND verdict IS NOT NULL)",
        "good": f"id IN ({own} AND verdict = 'good')",
        "bad": f"id IN ({own} AND verdict = 'bad')",
        "edited": f"id IN ({own} AND edited)",
        "disputed": (
            "id IN (SELECT a.id FROM label a JOIN label b ON b.id = a.id AND b.verdict <> a.verdict "
            "WHERE a.annotator = :me)"
        ),
    }
    fates = {KEPT: "reason = ''", DROPPED: "reason <> ''"}
    tests = {
        labels.get(filters.label, ""): bool(filters.label),
        fates.get(filters.fate, "reason = :fate"): bool(filters.fate),
        "source = :source": bool(filters.source),
        "rating >= :low": filters.low is not None,
        "rating <= :high": filters.high is not None,
        # Last, since it reads the texts of all rows that are left.
        "pos IN (SELECT pos FROM candidate WHERE instr(search, :q))": bool(filters.q),
    }
    chosen = " AND ".join(test for test, wanted in tests.items() if wanted)
    values = {
        "me": annotator,
        "fate": filters.fate,
        "source": filters.source,
        "low": filters.low,
        "high": filters.high,
        "q": filters.q.casefold(),
    }
    return f" WHERE {chosen}" if chosen else "", values
