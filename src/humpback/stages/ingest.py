"""Reads the seed and the documents: pairs split into trained and held-out ones, documents cut into segments."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from pathlib import Path

from humpback.config import IngestConfig
from humpback.corpus import Duplicates, read_documents, segment_document
from humpback.errors import InputError, NothingLeftError
from humpback.randomness import derived_seed
from humpback.records import Document, Dropped, DropReason, Example, Segment
from humpback.seed import read_seed
from humpback.stages.context import Outcome, StageContext
from humpback.workspace import Shard, dropped_rows, map_shards, read_rows, write_rows

log = logging.getLogger(__name__)

VERSION = 1
HELD_OUT = "held-out"  # the folder beside the trained pairs
SEGMENTS_PER_SHARD = 10_000  # ours: some 20 MB of text
MIN_SEED_PAIRS = 10  # ours: below, neither a model nor a held-out split means anything


def ingest_seed(context: StageContext) -> Outcome:
    """Writes the seed pairs that models are trained on, and beside them those held out.

    Raises:
        InputError: a file is missing, empty or broken, or fewer than ten pairs are left.
    """
    config = context.config
    seed = read_seed(config.seed, config.ingest)
    dropped = list(seed.dropped)
    if len(seed.examples) < MIN_SEED_PAIRS:
        raise InputError(
            f"seed: {', '.join(config.seed)}: {len(seed.examples)} usable pairs, at least {MIN_SEED_PAIRS} are needed"
            f"{_reasons(dropped)}; add pairs (a few hundred make a good seed)"
        )
    examples = _limited(seed.examples, config.ingest.seed_limit, config.random_seed, dropped)
    trained, held_out = _split(examples, config.ingest.held_out_fraction, config.random_seed)
    for row in dropped:
        if row.reason == DropReason.UNREADABLE:
            log.warning("seed: %s: unreadable, set aside: %s", row.source, row.detail)
    folder = context.output.path
    write_rows(folder / "dropped" / "part-00000.parquet", dropped, Dropped)
    write_rows(folder / HELD_OUT / "part-00000.parquet", held_out, Example)
    write_rows(folder / "part-00000.parquet", trained, Example)
    return Outcome({"held_out": len(held_out)})


def ingest_passages(context: StageContext) -> Outcome:
    """Writes the segments of every document, and what was not one with its reason."""
    config = context.config
    documents = 0

    def count(rows: int) -> None:
        nonlocal documents
        documents += rows
        task.advance(rows)

    def cut(rows: list[Document | Dropped]) -> Shard:
        return _cut(rows, config.ingest)

    source = read_documents(config.corpus, config.ingest)
    with context.progress.task("reading documents", None, "documents") as task:
        map_shards(
            source, context.output, Segment, cut, rows_per_shard=config.ingest.documents_per_shard, advance=count
        )
    return Outcome({"documents": documents})


def ingest_segments(context: StageContext) -> Outcome:
    """Writes the segments without duplicates, at most `max_segments` of them.

    Raises:
        NothingLeftError: no segment is left.
    """
    passages = context.inputs["passages"]
    config = context.config
    limit = config.ingest.max_segments
    first = _first_occurrences(passages)
    if not first:
        raise NothingLeftError(_no_segments(passages, config.corpus))
    chosen = _chosen(first, limit, config.random_seed)

    def unique(rows: list[Segment]) -> Shard:
        kept: list[Segment] = []
        dropped: list[Dropped] = []
        for segment in rows:
            if segment.id not in first:
                dropped.append(_dropped(segment, DropReason.DUPLICATE, ""))
            elif segment.id not in chosen:
                dropped.append(_dropped(segment, DropReason.OVER_LIMIT, f"max_segments: {limit}"))
            else:
                kept.append(segment)
        return Shard(kept, dropped)

    map_shards(read_rows(passages, Segment), context.output, Segment, unique, rows_per_shard=SEGMENTS_PER_SHARD)
    return Outcome()


def _limited(examples: list[Example], limit: int | None, seed: int, dropped: list[Dropped]) -> list[Example]:
    if limit is None or len(examples) <= limit:
        return examples
    order = sorted(examples, key=lambda example: derived_seed(seed, "seed-limit", example.id))
    kept = {example.id for example in order[:limit]}
    for example in examples:
        if example.id not in kept:
            detail = f"seed_limit: {limit}"
            dropped.append(Dropped(example.id, DropReason.OVER_LIMIT, detail, example.instruction, example.source))
    return [example for example in examples if example.id in kept]


def _split(examples: list[Example], fraction: float, seed: int) -> tuple[list[Example], list[Example]]:
    """Trained and held-out pairs, in their order; pairs with the same instruction stay on the same side."""
    instructions = sorted(
        {example.instruction for example in examples}, key=lambda text: derived_seed(seed, "held-out", text)
    )
    held_out = set(instructions[: math.ceil(len(instructions) * fraction)])
    return (
        [example for example in examples if example.instruction not in held_out],
        [example for example in examples if example.instruction in held_out],
    )


def _cut(rows: list[Document | Dropped], config: IngestConfig) -> Shard:
    kept: list[Segment] = []
    dropped: list[Dropped] = []
    for row in rows:
        if isinstance(row, Dropped):
            dropped.append(row)
        else:
            segmented = segment_document(row, config)
            kept += segmented.kept
            dropped += segmented.dropped
    return Shard(kept, dropped)


def _first_occurrences(passages: Path) -> set[str]:
    """The ids of the segments whose text no earlier one has."""
    seen = Duplicates()
    return {segment.id for segment in read_rows(passages, Segment) if not seen.seen(segment.text)}


def _chosen(ids: set[str], limit: int | None, seed: int) -> set[str]:
    """`limit` of the ids, drawn evenly from the whole corpus."""
    if limit is None or len(ids) <= limit:
        return ids
    return set(sorted(ids, key=lambda row_id: derived_seed(seed, "max-segments", row_id))[:limit])


def _dropped(segment: Segment, reason: DropReason, detail: str) -> Dropped:
    return Dropped(segment.id, reason, detail, segment.text, segment.source)


def _no_segments(passages: Path, corpus: list[str]) -> str:
    rows = list(dropped_rows(passages))
    return (
        f"corpus: {', '.join(corpus)}: no segment is left{_reasons(rows)}. Segments need a header and "
        "ingest.min_chars to ingest.max_chars characters; `passages/dropped/` in the run's folder holds every text "
        "with its reason"
    )


def _reasons(rows: list[Dropped]) -> str:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.reason] = counts.get(row.reason, 0) + 1
    listed = ", ".join(_by_count(counts))
    return f" ({listed})" if listed else ""


def _by_count(counts: dict[str, int]) -> Iterator[str]:
    for reason, count in sorted(counts.items(), key=lambda item: -item[1]):
        yield f"{count} {reason}"
