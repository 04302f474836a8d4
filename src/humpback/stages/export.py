"""Writes the product: the curated dataset with the source and every round's rating of each row, and its card."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from humpback.config import Config
from humpback.records import Curated, Rating, Source, to_row
from humpback.stages.context import Outcome, StageContext
from humpback.workspace import StepFolder, read_part, read_rows, row_count, write_rows, write_text

VERSION = 1
JSONL_FILE, PARQUET_FILE, CARD_FILE = "train.jsonl", "train.parquet", "README.md"


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """A row of the dataset. `ratings` are those of round 1, 2, ...; null where a round could not rate it.

    `original` is the document's text where a model wrote `output` from it.
    """

    id: str
    instruction: str
    output: str
    headers: list[str]
    source: Source
    rating: float
    ratings: list[float | None]
    round: int
    original: str | None = None


def export_dataset(context: StageContext) -> Outcome:
    """Writes the last curated set as JSON Lines and Parquet, and a card that says how it came to be."""
    rounds = context.config.rounds
    names = (f"rewritten-{rounds}", f"curated-{rounds}")
    kept = list(read_rows(next(context.inputs[name] for name in names if name in context.inputs), Curated))
    wanted = {row.id for row in kept}
    ratings: dict[str, list[float | None]] = {row_id: [] for row_id in wanted}
    for number in range(1, rounds + 1):
        for rating in read_rows(context.inputs[f"ratings-{number}"], Rating):
            if rating.candidate_id in wanted:
                ratings[rating.candidate_id].append(rating.rating)
    rows = [
        DatasetRow(
            row.id,
            row.instruction,
            row.output,
            row.headers,
            row.source,
            row.rating,
            ratings[row.id],
            row.round,
            row.original,
        )
        for row in kept
    ]
    candidates = row_count(context.inputs["candidates"])
    _write(context.output.path, rows, candidates, context.config)
    return Outcome({"rows": len(rows), "candidates": candidates})


def remove_from_dataset(step: StepFolder, config: Config, stays: Callable[[DatasetRow], bool]) -> int:
    """Takes rows out of a finished dataset and writes its card anew; how many were taken."""
    file = step.path / PARQUET_FILE
    manifest = step.manifest()
    if manifest is None:
        return 0
    rows = list(read_part(file, DatasetRow))
    left = [row for row in rows if stays(row)]
    if len(left) < len(rows):
        _write(step.path, left, manifest.facts["candidates"], config)
        step.amend(facts=manifest.facts | {"rows": len(left)})
    return len(rows) - len(left)


def _write(folder: Path, rows: list[DatasetRow], candidates: int, config: Config) -> None:
    write_rows(folder / PARQUET_FILE, rows, DatasetRow)
    write_text(folder / JSONL_FILE, "".join(json.dumps(to_row(row), ensure_ascii=False) + "\n" for row in rows))
    write_text(folder / CARD_FILE, dataset_card(rows, candidates, config))


def dataset_card(rows: list[DatasetRow], candidates: int, config: Config) -> str:
    """A dataset card in Markdown with the metadata that the hub reads."""
    licences = Counter(row.source.licence or "not stated" for row in rows)
    listed = "\n".join(f"| {_cell(name)} | {count} |" for name, count in licences.most_common())
    share = len(rows) / candidates if candidates else 0.0
    return f"""---
pretty_name: {json.dumps(config.name)}
task_categories:
- text-generation
tags:
- instruction-backtranslation
- humpback
configs:
- config_name: default
  data_files: {PARQUET_FILE}
---
# {config.name}

{len(rows)} instruction/output pairs made by instruction backtranslation (Li et al. 2023, arXiv 2308.06259) with
Humpback. Every `output` is a piece of a document, byte for byte; `source` says which (URI, record, character span,
licence where stated). Every `instruction` was written by a model tuned from `{config.model}`.

Kept are {share:.1%} of {candidates} candidates after {config.rounds} rounds of rating by the models themselves
(`rating` is the last one, `ratings` all of them, from 1 to 5).

## Licences of the sources

The licence of each text is its source's.

| licence | rows |
|---|---|
{listed}

## Limits

Instructions may not fit their outputs, and outputs were not checked for truth. Ratings come from a language model.
"""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")[:120]
