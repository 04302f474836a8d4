"""What a finished dataset holds: sources, licences, languages, ratings, counted in one pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from humpback.curation.sources import source_name
from humpback.product.rows import dataset_columns
from humpback.records import Source
from humpback.workspace import read_columns

NOT_STATED = "not stated"


@dataclass(slots=True)
class Contents:
    """Counts of the rows; `languages` by code, `licences` as sources state them, `sources` as curation tells them."""

    rows: int = 0
    sources: Counter[str] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    rating_sum: float = 0.0
    rewritten: int = 0

    @property
    def mean_rating(self) -> float | None:
        """Of the rating that kept each row; None of an empty set."""
        return self.rating_sum / self.rows if self.rows else None


def contents_of(dataset: Path, segments: Path) -> Contents:
    """The contents of the dataset in one folder, made from the segments in another."""
    found = Contents()
    languages = read_columns(segments, "source", "language")
    for row in dataset_columns(dataset, "source", "rating", "original"):
        source = Source(**row["source"])
        found.rows += 1
        found.sources[shown_source(source)] += 1
        found.licences[source.licence or NOT_STATED] += 1
        found.languages[_language(languages, row["source"])] += 1
        found.rating_sum += row["rating"]
        found.rewritten += row.get("original") is not None
    del found.languages[""]
    return found


def shown_source(source: Source) -> str:
    """A source's name for readers elsewhere: of a place on this machine its last part only."""
    name = source_name(source)
    return f"…/{name.rstrip('/').rpartition('/')[2]}" if is_local(name) else name


def is_local(address: str) -> bool:
    """Whether an address says where something lies on this machine."""
    return address.startswith(("/", "file:"))


def _language(languages: Iterator[tuple[Any, ...]], source: Mapping[str, Any]) -> str:
    """The language of a row's segment; rows come in the order of the segments, so each is passed over once."""
    return next((str(language) for found, language in languages if found == source), "")
