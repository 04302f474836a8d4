"""What a curated set is like: its sources, topics and lengths, and what changed since the round before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from humpback.curation.sources import source_name
from humpback.curation.topics import effective_topics, topic_shift
from humpback.records import Curated

LARGEST = 10
"""Sources that are named."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A curated set without its texts: ids, rows by source, and characters in all."""

    ids: frozenset[str]
    sources: Counter[str]
    instruction_chars: int
    output_chars: int

    @classmethod
    def of(cls, rows: Iterable[Curated]) -> Kept:
        """The sums over `rows`, which pass once."""
        ids: list[str] = []
        sources: Counter[str] = Counter()
        instruction_chars = output_chars = 0
        for row in rows:
            ids.append(row.id)
            sources[source_name(row.source)] += 1
            instruction_chars += len(row.instruction)
            output_chars += len(row.output)
        return cls(frozenset(ids), sources, instruction_chars, output_chars)

    @property
    def mean_chars(self) -> dict[str, float]:
        """Mean length of instructions and outputs."""
        rows = max(1, len(self.ids))
        return {"instruction": self.instruction_chars / rows, "output": self.output_chars / rows}


def set_figures(kept: Kept, sources: Mapping[str, str], topics: Mapping[str, int]) -> dict[str, Any]:
    """Sources, topics and lengths of the kept; `sources` and `topics` are those of all candidates, by id.

    An effective number of topics is how many equally large ones would be as varied; a small set has a smaller one than
    a large set drawn from the same topics.
    """
    largest = sorted(kept.sources.items(), key=lambda item: (-item[1], item[0]))[:LARGEST]
    chosen = [topics[row_id] for row_id in kept.ids]
    return {
        "sources": {"all": len(set(sources.values())), "kept": len(kept.sources), "largest": dict(largest)},
        "topics": {
            "all": len(set(topics.values())),
            "kept": len(set(chosen)),
            "effective_all": effective_topics(topics.values()),
            "effective_kept": effective_topics(chosen),
        },
        "mean_chars": kept.mean_chars,
    }


def change_figures(before: Kept, now: Kept, topics: Mapping[str, int]) -> dict[str, Any]:
    """Who entered, left and stayed since the round before, its lengths, and how far the topics moved.

    `topic_shift` is the Jensen-Shannon divergence of the two sets' shares of topics, in bits.
    """
    return {
        "entered": len(now.ids - before.ids),
        "left": len(before.ids - now.ids),
        "stayed": len(now.ids & before.ids),
        "mean_chars_before": before.mean_chars,
        "topic_shift": topic_shift(_topics_of(before, topics), _topics_of(now, topics)),
    }


def _topics_of(kept: Kept, topics: Mapping[str, int]) -> list[int]:
    return [topics[row_id] for row_id in kept.ids if row_id in topics]
