"""Writes the product: the curated dataset with the source and every round's rating of each row, and its card."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from humpback.config import Config
from humpback.errors import WorkspaceError
from humpback.product.card import dataset_card
from humpback.product.rows import CARD_FILE, JSONL_FILE, PARQUET_FILE, DatasetRow, dataset_rows, write_dataset
from humpback.records import Curated
from humpback.stages.context import Outcome, StageContext
from humpback.workspace import RunFolder, StepFolder, read_columns, read_rows, row_count, write_text

VERSION = 2


def export_dataset(context: StageContext) -> Outcome:
    """Writes the last curated set as Parquet and JSON Lines, and a card that says how it came to be.

    Raises:
        WorkspaceError: a row of the set has no rating.
    """
    rounds = context.config.rounds
    names = (f"rewritten-{rounds}", f"curated-{rounds}")
    kept = read_rows(next(context.inputs[name] for name in names if name in context.inputs), Curated)
    ratings = [context.inputs[f"ratings-{number}"] for number in range(1, rounds + 1)]
    rows = write_dataset(context.output.path, _rated(kept, ratings))
    _write_card(context.output, context.config)
    return Outcome({"rows": rows, "candidates": row_count(context.inputs["candidates"])})


def remove_from_dataset(step: StepFolder, config: Config, stays: Callable[[DatasetRow], bool]) -> int:
    """Takes rows out of a finished dataset and writes its card anew; how many were taken.

    Files of a dataset that is not finished go, since nobody knows what is in them; the next run writes them.
    """
    manifest = step.manifest()
    if manifest is None:
        for name in (PARQUET_FILE, JSONL_FILE, CARD_FILE):
            (step.path / name).unlink(missing_ok=True)
        return 0
    before = manifest.facts["rows"]
    if all(stays(row) for row in dataset_rows(step.path)):
        return 0
    left = write_dataset(step.path, (row for row in dataset_rows(step.path) if stays(row)))
    _write_card(step, config)
    step.amend(facts=manifest.facts | {"rows": left})
    return int(before) - left


def _write_card(step: StepFolder, config: Config) -> None:
    write_text(step.path / CARD_FILE, dataset_card(RunFolder(step.path.parent), config))


def _rated(kept: Iterable[Curated], ratings: Sequence[Path]) -> Iterator[DatasetRow]:
    """The kept rows with their ratings; both come in the candidates' order, so each is read once and none is held."""
    streams = [read_columns(folder, "candidate_id", "rating", "p_good") for folder in ratings]
    for row in kept:
        found = [_rating(stream, folder, row.id) for stream, folder in zip(streams, ratings, strict=True)]
        yield DatasetRow(
            id=row.id,
            instruction=row.instruction,
            output=row.output,
            headers=row.headers,
            source=row.source,
            rating=row.rating,
            ratings=[rating for rating, _ in found],
            round=row.round,
            original=row.original,
            p_good=found[-1][1],
        )


def _rating(stream: Iterator[tuple[Any, ...]], folder: Path, row_id: str) -> tuple[float | None, float | None]:
    for candidate_id, rating, p_good in stream:
        if candidate_id == row_id:
            return rating, p_good
    raise WorkspaceError(
        f"{folder}: holds no rating of the kept row {row_id} in its place; remove the folder and run the same "
        "command again"
    )
