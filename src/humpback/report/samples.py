"""Rows that stand for many: a few of each drop reason, and pairs of the curated set, all drawn by lot."""

from __future__ import annotations

import bisect
import html
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from humpback.randomness import derived_seed
from humpback.records import Source
from humpback.report.numbers import batches
from humpback.report.text import Cut, cut, link, number, short

SAMPLES = 3
MAX_HEADERS = 8
SAMPLE_SHOWN, SAMPLE_MOST = 400, 1_500
PAIR_SHOWN, PAIR_MOST = 1_500, 6_000
MAX_PAIR_BYTES = 3_000_000  # ours: half of what a page may weigh that mail programs and phones still open
PAIR_FRAME_BYTES = 2_000  # a pair's markup, addresses and labels


@dataclass(frozen=True, slots=True)
class Origin:
    """A source as the page shows it; `href` is None unless it is a web address."""

    uri: str
    href: str | None
    details: list[str]


@dataclass(frozen=True, slots=True)
class Sample:
    """One row that was set aside."""

    detail: str
    text: Cut
    origin: Origin | None


@dataclass(frozen=True, slots=True)
class Pair:
    """One pair of the curated set with its rating by round (None where a round could not rate it)."""

    instruction: Cut
    output: Cut
    headers: list[str]
    ratings: list[float | None]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Pairs:
    """The pairs shown, how many were asked for, and whether the page's size ended the list."""

    shown: list[Pair]
    asked: int
    is_cut: bool


def dropped_samples(folder: Path, random_seed: int) -> dict[str, list[Sample]]:
    """At most three rows of each drop reason, the same ones every time."""
    lots = _Lots(SAMPLES)
    for batch in batches(folder / "dropped", ["id", "reason", "detail", "text", "source"]):
        ids, reasons = batch.column("id").to_pylist(), batch.column("reason").to_pylist()
        for index, (row_id, reason) in enumerate(zip(ids, reasons, strict=True)):
            lot = derived_seed(random_seed, "report-dropped", row_id)
            if lots.wins(reason, lot):
                row = batch.slice(index, 1).to_pylist()[0]
                lots.enter(reason, lot, row_id, _sample(row["detail"], row["text"], row["source"]))
    return lots.winners()


def unparsed_samples(folder: Path, random_seed: int) -> dict[str, list[Sample]]:
    """At most three judgements of each reason for which a rating could not be had."""
    lots = _Lots(SAMPLES)
    for batch in batches(folder, ["candidate_id", "rating", "unparsed_reason", "judgement"]):
        for row in batch.to_pylist():
            if row["rating"] is None and row["judgement"]:
                lot = derived_seed(random_seed, "report-unparsed", row["candidate_id"])
                reason = row["unparsed_reason"] or "unknown"
                if lots.wins(reason, lot):
                    lots.enter(reason, lot, row["candidate_id"], _sample("the judgement", row["judgement"], None))
    return lots.winners()


def curated_pairs(curated: Path, ratings: Sequence[Path], count: int, random_seed: int) -> Pairs:
    """So many pairs of a curated set, drawn by lot, as far as the page's size allows."""
    lots = _Lots(min(count, MAX_PAIR_BYTES // PAIR_FRAME_BYTES))
    rows_there = 0
    for batch in batches(curated, ["id"]):
        rows_there += batch.num_rows
        for row_id in batch.column("id").to_pylist():
            lot = derived_seed(random_seed, "report-pairs", row_id)
            if lots.wins("", lot):
                lots.enter("", lot, row_id, row_id)
    order: list[str] = lots.winners().get("", [])
    rows = _rows(curated, "id", set(order))
    rated = [_rows(folder, "candidate_id", set(order), ["rating"]) for folder in ratings]
    shown: list[Pair] = []
    size = 0
    for row_id in order:
        pair = _pair(rows[row_id], [found.get(row_id, {}).get("rating") for found in rated])
        size += _weight(pair)
        if size > MAX_PAIR_BYTES:
            break
        shown.append(pair)
    return Pairs(shown, min(count, rows_there), len(shown) < min(count, rows_there))


def licence_counts(curated: Path) -> Counter[str]:
    """How many rows of a curated set have which licence; the empty one means that none is stated."""
    counts: Counter[str] = Counter()
    for batch in batches(curated, ["source"]):
        counts.update(short(source["licence"] or "", 120) for source in batch.column("source").to_pylist())
    return counts


def origin(source: Source) -> Origin:
    """A source as the page shows it."""
    details = []
    if source.record is not None:
        details.append(f"record {short(source.record, 160)}")
    if source.start is not None and source.end is not None:
        details.append(f"characters {number(source.start)}–{number(source.end)}")
    details.append(f"licence: {short(source.licence, 120)}" if source.licence else "licence not stated")
    return Origin(short(source.uri, 240), link(source.uri), details)


class _Lots:
    """The rows of lowest lot in each group, in the order of their lots."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._groups: dict[str, list[tuple[int, str, Any]]] = {}

    def wins(self, group: str, lot: int) -> bool:
        """Whether a row with this lot is among the lowest so far."""
        held = self._groups.get(group, [])
        return len(held) < self._most or (self._most > 0 and lot < held[-1][0])

    def enter(self, group: str, lot: int, row_id: str, value: Any) -> None:
        """Takes the row; the highest lot leaves when the group is full."""
        held = self._groups.setdefault(group, [])
        bisect.insort(held, (lot, row_id, value), key=lambda entry: entry[:2])
        del held[self._most :]

    def winners(self) -> dict[str, list[Any]]:
        """The values of each group."""
        return {group: [value for _, _, value in held] for group, held in self._groups.items()}


def _sample(detail: str, text: str, source: Mapping[str, Any] | None) -> Sample:
    found = origin(Source(**source)) if source is not None else None
    return Sample(short(detail, 200), cut(text, SAMPLE_SHOWN, SAMPLE_MOST), found)


def _pair(row: Mapping[str, Any], ratings: list[float | None]) -> Pair:
    headers = [short(header, 120) for header in row["headers"] if header.strip()]
    if len(headers) > MAX_HEADERS:
        headers = [*headers[: MAX_HEADERS - 1], "…", headers[-1]]
    return Pair(
        cut(row["instruction"], PAIR_SHOWN, PAIR_MOST),
        cut(row["output"], PAIR_SHOWN, PAIR_MOST),
        headers,
        ratings,
        origin(Source(**row["source"])),
    )


def _rows(folder: Path, key: str, wanted: set[str], columns: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    read = [key, *columns] if columns else [key, "instruction", "output", "headers", "source"]
    found = {}
    for batch in batches(folder, read):
        for index, row_id in enumerate(batch.column(key).to_pylist()):
            if row_id in wanted:
                found[row_id] = batch.slice(index, 1).to_pylist()[0]
    return found


def _weight(pair: Pair) -> int:
    """The bytes of a pair on the page, about: text, escaped as HTML, and its frame."""
    texts = [pair.instruction.shown, pair.instruction.more, pair.output.shown, pair.output.more, *pair.headers]
    return PAIR_FRAME_BYTES + sum(len(html.escape(text).encode()) for text in texts) + 2 * len(pair.origin.href or "")
