"""Reads the seed and the documents: pairs split into trained and held-out ones, documents cut into segments."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from humpback.config import Config, IngestConfig
from humpback.corpus import RawDocument, read_documents, segments_of, stopped
from humpback.corpus.contamination import EvaluationIndex, build_index, load_sets
from humpback.corpus.near_duplicates import DuplicateMap, find_duplicates
from humpback.corpus.sites import taken_down
from humpback.errors import InputError, NothingLeftError
from humpback.evaluation.benchmarking import measured_files
from humpback.randomness import derived_seed
from humpback.records import Dropped, DropReason, Example, Segment
from humpback.seed import read_seed
from humpback.stages.context import Outcome, StageContext
from humpback.workspace import (
    Executor,
    RowLimits,
    Shard,
    Workers,
    dropped_counts,
    map_rows,
    map_shards,
    part_files,
    read_columns,
    read_rows,
    row_count,
    write_rows,
)

if TYPE_CHECKING:
    import numpy as np

log = logging.getLogger(__name__)

VERSION = 2
HELD_OUT = "held-out"  # folders beside the trained pairs
CALIBRATION = "calibration"
SIGNATURES = "signatures"  # the work folder of near-duplicates
SEGMENTS_PER_SHARD = 10_000  # ours: some 20 MB of text
BYTES_PER_SHARD = 32_000_000  # ours: what several workers may hold at once without being noticed
PART_SECONDS = 600.0  # ours: signatures of the largest part take a few seconds
MIN_SEED_PAIRS = 10  # ours: below, neither a model nor a held-out split means anything
MIN_CALIBRATION_PAIRS = 10  # ours: below, neither a judge's fitness nor a comparison means anything


def ingest_seed(context: StageContext) -> Outcome:
    """Writes the seed pairs that models are trained on, and beside them those held out.

    Raises:
        InputError: a file is missing, empty or broken, or fewer than ten pairs are left, all in all or to be set aside.
    """
    config = context.config
    seed = read_seed(config.seed, config.ingest)
    dropped = list(seed.dropped)
    clean = _decontaminated(seed.examples, _evaluation_index(config), dropped)
    if len(clean) < MIN_SEED_PAIRS:
        raise InputError(
            f"seed: {', '.join(config.seed)}: {len(clean)} usable pairs, at least {MIN_SEED_PAIRS} are needed"
            f"{_reasons(Counter(str(row.reason) for row in dropped))}; add pairs (a few hundred make a good seed)"
        )
    examples = _limited(clean, config.ingest.seed_limit, config.random_seed, dropped)
    trained, held_out, calibration = split_seed(examples, config)
    for row in dropped:
        if row.reason == DropReason.UNREADABLE:
            log.warning("seed: %s: unreadable, set aside: %s", row.source, row.detail)
    folder = context.output.path
    write_rows(folder / "dropped" / "part-00000.parquet", dropped, Dropped)
    write_rows(folder / HELD_OUT / "part-00000.parquet", held_out, Example)
    write_rows(folder / CALIBRATION / "part-00000.parquet", calibration, Example)
    write_rows(folder / "part-00000.parquet", trained, Example)
    return Outcome({"held_out": len(held_out), "calibration": len(calibration), "contamination": _prompts_hit(folder)})


def ingest_passages(context: StageContext) -> Outcome:
    """Writes the segments of every document, and what was not one with its reason."""
    config = context.config.ingest
    counted = _Counted(read_documents(context.config.corpus, config))
    work = partial(_cut, config=config, taken_down=taken_down(context.output.path.parent))
    limits = RowLimits(config.limits.document_seconds, config.limits.memory_gib)
    with context.progress.task("reading documents", None, "documents") as task:
        map_rows(
            counted,
            context.output,
            Segment,
            work,
            stopped,
            context.executor,
            Workers(config.workers, limits),
            rows_per_shard=config.documents_per_shard,
            bytes_per_shard=BYTES_PER_SHARD,
            size=_size,
            advance=task.advance,
        )
    return Outcome({"documents": counted.documents, "languages": _languages(context.output.path)})


def ingest_segments(context: StageContext) -> Outcome:
    """Writes the segments without duplicates, near-duplicates and evaluation prompts, at most `max_segments`.

    Raises:
        NothingLeftError: no segment is left.
    """
    passages = context.inputs["passages"]
    config = context.config
    if row_count(passages) == 0:
        raise NothingLeftError(_no_segments(passages, config.corpus))
    limits = RowLimits(PART_SECONDS, config.ingest.limits.memory_gib)
    duplicates = find_duplicates(
        context.output.work(SIGNATURES).path,
        part_files(passages),
        config.ingest.near_duplicates,
        partial(_map_parts, context.executor, Workers(config.ingest.workers, limits)),
        context.executor if context.executor.sees_folder else None,
    )
    chosen = _chosen(passages, duplicates, config.ingest.max_segments, config.random_seed)
    verdict = _Verdicts(duplicates, chosen, _evaluation_index(config), passages, config.ingest)

    def unique(rows: list[tuple[int, Segment]]) -> Shard:
        kept: list[Segment] = []
        dropped: list[Dropped] = []
        for number, segment in rows:
            found = verdict.of(number, segment)
            if found is None:
                kept.append(segment)
            else:
                dropped.append(Dropped(segment.id, *found, segment.text, segment.source))
        return Shard(kept, dropped)

    numbered = enumerate(read_rows(passages, Segment))
    map_shards(numbered, context.output, Segment, unique, rows_per_shard=SEGMENTS_PER_SHARD)
    if row_count(context.output.path) == 0:
        raise NothingLeftError(_no_segments(context.output.path, config.corpus))
    return Outcome({"contamination": _prompts_hit(context.output.path)})


def _evaluation_index(config: Config) -> EvaluationIndex:
    rules = config.ingest.decontaminate
    return build_index(load_sets(rules, measured_files(config.evaluate)), rules)


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


def split_seed(examples: list[Example], config: Config) -> tuple[list[Example], list[Example], list[Example]]:
    """Pairs to train on, those held out for the evaluation, and those set aside to fit the judge and compare rounds.

    Raises:
        InputError: too few are set aside.
    """
    trained, held_out = _split(examples, config.ingest.held_out_fraction, config.random_seed, HELD_OUT)
    trained, calibration = _split(trained, config.calibration_fraction, config.random_seed, CALIBRATION)
    if config.calibration_fraction and len(calibration) < MIN_CALIBRATION_PAIRS:
        option = "rate.judge: calibrated" if config.rate.judge == "calibrated" else "stop_when_worse"
        raise InputError(
            f"seed: {', '.join(config.seed)}: {option} sets {len(calibration)} of {len(examples)} pairs aside and "
            f"needs {MIN_CALIBRATION_PAIRS}: bring more pairs, raise ingest.calibration_fraction "
            f"({config.calibration_fraction}), or set rate.judge: rubric and stop_when_worse: false"
        )
    return trained, held_out, calibration


def _split(examples: list[Example], fraction: float, seed: int, what: str) -> tuple[list[Example], list[Example]]:
    """Trained pairs and those held out for `what`, in their order; pairs with the same instruction stay together."""
    instructions = sorted(
        {example.instruction for example in examples}, key=lambda text: derived_seed(seed, what, text)
    )
    held_out = set(instructions[: math.ceil(len(instructions) * fraction)])
    return (
        [example for example in examples if example.instruction not in held_out],
        [example for example in examples if example.instruction in held_out],
    )


def _decontaminated(examples: list[Example], index: EvaluationIndex, dropped: list[Dropped]) -> list[Example]:
    """The pairs that overlap no evaluation prompt; the others go to `dropped`."""
    clean = []
    for example in examples:
        detail = _hits(f"{example.instruction}\n{example.output}", index)
        if detail:
            dropped.append(Dropped(example.id, DropReason.CONTAMINATED, detail, example.instruction, example.source))
        else:
            clean.append(example)
    return clean


def _hits(text: str, index: EvaluationIndex) -> str:
    """The prompts that `text` overlaps, as `set: prompt`, one a line; empty where there is none."""
    return "\n".join(f"{hit.set}: {hit.prompt}" for hit in index.hits(text))


def _prompts_hit(folder: Path) -> dict[str, list[str]]:
    """For each evaluation set, which of its prompts rows were dropped for."""
    found: dict[str, set[str]] = {}
    for reason, detail in read_columns(folder / "dropped", "reason", "detail"):
        if reason == DropReason.CONTAMINATED:
            for line in detail.splitlines():
                name, _, prompt = line.partition(": ")
                found.setdefault(name, set()).add(prompt)
    return {name: sorted(prompts) for name, prompts in sorted(found.items())}


def _cut(raw: RawDocument | Dropped, config: IngestConfig, taken_down: list[str]) -> Shard:
    segmented = segments_of(raw, config, taken_down)
    return Shard(segmented.kept, segmented.dropped)


def _size(raw: RawDocument | Dropped) -> int:
    return len(raw.data if isinstance(raw, RawDocument) else raw.text)


class _Counted:
    """Rows of a corpus, and how many of them were documents."""

    def __init__(self, rows: Iterable[RawDocument | Dropped]) -> None:
        self._rows = rows
        self.documents = 0

    def __iter__(self) -> Iterator[RawDocument | Dropped]:
        for row in self._rows:
            self.documents += isinstance(row, RawDocument)
            yield row


def _languages(folder: Path) -> dict[str, int]:
    """How many segments are in which language: those kept, and those that were dropped for it."""
    counts = Counter(language for (language,) in read_columns(folder, "language"))
    for reason, detail in read_columns(folder / "dropped", "reason", "detail"):
        if reason == DropReason.OTHER_LANGUAGE:
            counts[detail.partition("'")[2].rstrip("'")] += 1  # as `filters.language` quotes it
    return {language or "unknown": count for language, count in counts.most_common()}


def _map_parts(
    executor: Executor, workers: Workers, function: Callable[[Path], None], parts: Iterable[Path]
) -> Iterable[None]:
    executor.run_guarded(function, parts, lambda part: None, workers, _stopped_part)
    return ()


def _stopped_part(workers: Workers, part: Path, stop: str) -> None:
    raise InputError(
        f"{part}: working out its near-duplicates {stop}; raise ingest.limits.memory_gib, or lower "
        "ingest.documents_per_shard"
    )


class _Verdicts:
    """Why a passage is no segment, looking at the corpus as a whole."""

    def __init__(
        self,
        duplicates: DuplicateMap,
        chosen: np.ndarray | None,
        index: EvaluationIndex,
        passages: Path,
        config: IngestConfig,
    ) -> None:
        self._duplicates = duplicates
        self._chosen = chosen
        self._index = index
        self._ids = [row_id for (row_id,) in read_columns(passages, "id")]
        self._config = config

    def of(self, number: int, segment: Segment) -> tuple[DropReason, str] | None:
        """The reason and its details for the passage that stands at `number`, or None when it stays."""
        double = self._duplicates.of(number)
        if double is not None:
            kept = self._ids[double.kept]
            same = f", {double.similarity:.0%} alike" if double.reason == DropReason.NEAR_DUPLICATE else ""
            return double.reason, f"of segment {kept}{same}"
        hits = _hits(segment.text, self._index)
        if hits:
            return DropReason.CONTAMINATED, hits
        if self._chosen is not None and not self._chosen[number]:
            return DropReason.OVER_LIMIT, f"max_segments: {self._config.max_segments}"
        return None


def _chosen(passages: Path, duplicates: DuplicateMap, limit: int | None, seed: int) -> np.ndarray | None:
    """Which passages are among `limit` ones drawn evenly from all that are no duplicates; None means all."""
    import numpy as np

    if limit is None:
        return None
    lots = np.array(
        [derived_seed(seed, "max-segments", row_id) for (row_id,) in read_columns(passages, "id")], np.uint64
    )
    alone = np.array([duplicates.of(number) is None for number in range(len(lots))])
    chosen = np.zeros(len(lots), bool)
    candidates = np.flatnonzero(alone)
    chosen[candidates[np.argsort(lots[candidates], kind="stable")[:limit]]] = True
    return chosen


def _no_segments(folder: Path, corpus: list[str]) -> str:
    return (
        f"corpus: {', '.join(corpus)}: no segment is left{_reasons(dropped_counts(folder))}. Segments need a header "
        f"and ingest.min_chars to ingest.max_chars characters; `{folder.name}/dropped/` in the run's folder holds "
        "every text with its reason"
    )


def _reasons(counts: Mapping[str, int]) -> str:
    listed = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items(), key=lambda item: -item[1]))
    return f" ({listed})" if listed else ""
