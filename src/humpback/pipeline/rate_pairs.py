"""Rating a file of pairs that comes from anywhere, with the steps of a run and no training."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from humpback.config import Config
from humpback.errors import InputError
from humpback.pipeline.run import run_steps
from humpback.pipeline.state import step_states
from humpback.pipeline.steps import Step, rating_steps
from humpback.progress import Progress, SilentProgress
from humpback.records import Candidate, Dropped, Example, Rating, Source, content_id
from humpback.seed import Rejected, read_pair, read_seed, seed_digest
from humpback.stages.context import Outcome, StageContext
from humpback.tables import BrokenRow, Row
from humpback.tables import read_rows as table_rows
from humpback.workspace import RunFolder, dropped_rows, file_digest, read_rows, write_rows
from humpback.workspace.atomic import write_with

WORK_SUFFIX = ".work"
ROUND = 1


@dataclass(frozen=True, slots=True)
class RatedPairs:
    """What came out: rows of the file, how many have a rating, and the reasons of the others."""

    rows: int
    rated: int
    reasons: dict[str, int]


def rate_pairs(pairs: Path, out: Path, config: Config, progress: Progress | None = None) -> RatedPairs:
    """Writes every row of the file `pairs` to `out` as JSON Lines, in order, with its rating.

    A row keeps its columns and gets `rating` (1 to 5, or null with a `reason`), `p_good` and `signals`; both are null
    and empty under the rubric alone. The judge is fitted to `config.seed`, none of which may have been trained on by
    `config.model`. What is finished stands beside `out` until all is, and a repeated call goes on there.

    Raises:
        HumpbackError: a file or the model cannot be used, or the judge is unfit.
    """
    config = config.model_copy(update={"runs_dir": out.parent, "name": f"{out.name}{WORK_SUFFIX}"})
    if not pairs.is_file():
        raise InputError(f"{pairs}: no such file; give a table of pairs to rate")
    digest = file_digest(pairs)
    given = {"pairs": digest, "seed": seed_digest(config.seed), "limit": config.ingest.seed_limit}
    steps = [
        Step("seed", "ingest", (), given, 1, _write_seed),
        Step("candidates", "ingest", (), {"pairs": digest}, 1, partial(_write_candidates, pairs=pairs)),
        *rating_steps(config, ROUND, model=None),
    ]
    folder = RunFolder(config.folder)
    with folder.locked():
        folder.create(config)
        run_steps(config, folder, step_states(config, steps), progress or SilentProgress())
        counts = _write_out(pairs, folder, out)
    shutil.rmtree(folder.path, ignore_errors=True)
    return counts


def _write_seed(context: StageContext) -> Outcome:
    """All pairs are the judge's: nothing is trained here."""
    seed = read_seed(context.config.seed, context.config.ingest)
    write_rows(context.output.path / "calibration" / "part-00000.parquet", seed.examples, Example)
    write_rows(context.output.path / "part-00000.parquet", [], Example)
    return Outcome()


def _write_candidates(context: StageContext, pairs: Path) -> Outcome:
    kept: list[Candidate] = []
    dropped: list[Dropped] = []
    for row in _rows(pairs):
        source = Source(str(pairs), record=str(row.line))
        if isinstance(row, BrokenRow):
            dropped.append(Dropped(_row_id(row), row.reason, row.detail, row.text, source))
            continue
        found = read_pair(row)
        if isinstance(found, Rejected):
            dropped.append(Dropped(_row_id(row), found.reason, found.detail, found.text, source))
        else:
            kept.append(Candidate(_row_id(row), found.instruction, found.output, [], source))
    if not kept:
        raise InputError(f"{pairs}: none of its {len(dropped)} rows is a pair; line 1: {dropped[0].detail}")
    write_rows(context.output.path / "dropped" / "part-00000.parquet", dropped, Dropped)
    write_rows(context.output.path / "part-00000.parquet", kept, Candidate)
    return Outcome()


def _rows(pairs: Path) -> Iterator[Row | BrokenRow]:
    return table_rows(pairs, max_broken_fraction=1.0)


def _row_id(row: Row | BrokenRow) -> str:
    return content_id("pair", row.line)


def _write_out(pairs: Path, folder: RunFolder, out: Path) -> RatedPairs:
    ratings = {rating.candidate_id: rating for rating in read_rows(folder.step(f"ratings-{ROUND}").path, Rating)}
    reasons = {row.id: str(row.reason) for row in dropped_rows(folder.step("candidates").path)}
    counts: Counter[str] = Counter()

    def write(file: Path) -> None:
        with file.open("w", encoding="utf-8", errors="replace") as lines:  # half a character cannot be written
            for row in _rows(pairs):
                values = _values(ratings.get(_row_id(row)), reasons.get(_row_id(row)))
                counts[values["reason"] or ""] += 1
                given = {"line": row.line, "text": row.text} if isinstance(row, BrokenRow) else row.values
                lines.write(json.dumps(given | values, ensure_ascii=False, default=str) + "\n")

    write_with(out, write)
    return RatedPairs(counts.total(), counts.pop("", 0), dict(counts))


def _values(rating: Rating | None, reason: str | None) -> dict[str, Any]:
    if rating is None:
        return {"rating": None, "reason": reason, "p_good": None, "signals": {}}
    return {
        "rating": rating.rating,
        "reason": rating.unparsed_reason,
        "p_good": rating.p_good,
        "signals": rating.signals,
    }
