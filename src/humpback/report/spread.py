"""What each round's curated set is made of: sources, topics, and how it does on the user's labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from humpback.curation.labels import Quality


@dataclass(frozen=True, slots=True)
class Spread:
    """Sources and topics of one round's kept pairs beside those of all candidates.

    `largest` is the source that gave most, and its share of the kept. Topics are effective numbers: as many equally
    large ones would be as varied.
    """

    round: int
    sources: int
    sources_all: int
    largest: tuple[str, float] | None
    topics: float
    topics_all: float
    labelled: Quality | None


def spread(number: int, rows: int, facts: Mapping[str, Any]) -> Spread | None:
    """The spread that the facts of a round's curated set of `rows` pairs tell; None where they tell none."""
    if "sources" not in facts or "topics" not in facts:
        return None
    found = facts["sources"]["largest"]
    first = max(found, key=lambda name: found[name], default=None)
    return Spread(
        round=number,
        sources=facts["sources"]["kept"],
        sources_all=facts["sources"]["all"],
        largest=None if first is None else (first, found[first] / max(1, rows)),
        topics=facts["topics"]["effective_kept"],
        topics_all=facts["topics"]["effective_all"],
        labelled=Quality(**facts["labels"]) if "labels" in facts else None,
    )
