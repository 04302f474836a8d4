"""Everything about one row of a run: where it came from, what was asked about it, and why it was kept or dropped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from humpback.config import Config
from humpback.engines import chat_format
from humpback.errors import HumpbackError, InputError
from humpback.judge.fit import Judge
from humpback.models import model_folder
from humpback.pipeline.steps import InputDigests, pipeline_steps
from humpback.prompts import PromptContract, cut_text
from humpback.records import Candidate, Curated, Example, Rating, Segment, Source
from humpback.stages.ingest import HELD_OUT
from humpback.stages.rate import JUDGE_FILE
from humpback.workspace import RunFolder, dropped_rows, read_rows

R = TypeVar("R", Segment, Candidate, Example)
SHOWN_DEFECTS = 3
MIN_ID_CHARS = 6  # ours: fewer digits of an id would often fit several rows


@dataclass(frozen=True, slots=True)
class Event:
    """What one step did with the row."""

    step: str
    text: str


@dataclass(slots=True)
class Explanation:
    """The life of one row. Fields that do not apply (a segment that was dropped has no instruction) are None."""

    row_id: str
    kind: str
    source: Source
    text: str
    headers: list[str] = field(default_factory=list)
    instruction: str | None = None
    backward_prompt: str | None = None
    rating_prompt: str | None = None
    events: list[Event] = field(default_factory=list)


def explain(run: str | Path, row_id: str) -> Explanation:
    """The life of the row of run folder `run` whose id starts with `row_id`: a seed pair, segment or candidate.

    Raises:
        InputError: no row, or more than one, has such an id.
        WorkspaceError: the folder is no run.
    """
    folder = RunFolder(run)
    config = folder.config()
    if len(row_id) < MIN_ID_CHARS:
        raise InputError(f"{row_id}: give at least {MIN_ID_CHARS} characters of the id")
    candidate = _find(folder, "candidates", Candidate, row_id)
    segment_prefix = row_id
    if candidate is not None:
        segment_prefix = _segment_of(folder, candidate)
    segment = _find(folder, "segments", Segment, segment_prefix)
    if candidate is None and segment is not None:
        candidate = _candidate_of(folder, segment)
    if segment is not None:
        found = Explanation(segment.id, "segment", segment.source, segment.text, segment.headers)
    else:
        found = _seed_pair(folder, row_id) or _only_dropped(folder, config, row_id)
    if candidate is not None:
        found.row_id, found.kind, found.instruction = candidate.id, "candidate", candidate.instruction
        _add_prompts(found, candidate, config)
    found.events = list(_events(folder, config, {found.row_id, segment.id if segment else found.row_id}))
    return found


def _find(folder: RunFolder, step: str, kind: type[R], prefix: str) -> R | None:
    rows = [row for row in read_rows(folder.path / step, kind) if row.id.startswith(prefix)]
    if len(rows) > 1:
        raise InputError(f"{prefix}: fits {len(rows)} rows of {step}; give more of the id")
    return rows[0] if rows else None


def _segment_of(folder: RunFolder, candidate: Candidate) -> str:
    for segment in read_rows(folder.path / "segments", Segment):
        if segment.source == candidate.source and segment.text == candidate.output:
            return segment.id
    raise InputError(f"{candidate.id}: its segment is not in the run's folder; run it again")


def _candidate_of(folder: RunFolder, segment: Segment) -> Candidate | None:
    for candidate in read_rows(folder.path / "candidates", Candidate):
        if candidate.source == segment.source and candidate.output == segment.text:
            return candidate
    return None


def _seed_pair(folder: RunFolder, prefix: str) -> Explanation | None:
    for step in ("seed", f"seed/{HELD_OUT}"):
        pair = _find(folder, step, Example, prefix)
        if pair is not None:
            kind = "seed pair" if step == "seed" else "held-out seed pair"
            return Explanation(pair.id, kind, pair.source, pair.output, instruction=pair.instruction)
    return None


def _only_dropped(folder: RunFolder, config: Config, prefix: str) -> Explanation:
    for step in _step_names(config):
        for row in dropped_rows(folder.path / step):
            if row.id.startswith(prefix):
                return Explanation(row.id, "dropped row", row.source, row.text)
    raise InputError(
        f"{prefix}: no row of {folder.path} has such an id; ids stand in dataset/train.jsonl and the report"
    )


def _add_prompts(found: Explanation, candidate: Candidate, config: Config) -> None:
    try:
        base = None if config.engine.kind == "scripted" else model_folder(config.model)
    except HumpbackError:
        return  # the model is gone; everything else can still be told
    prompts = PromptContract(chat_format(config.engine, config.prompts, base), config.prompts)
    text = candidate.output
    if base is not None:
        from humpback.models import load_tokenizer

        text = cut_text(load_tokenizer(base), text, config.prompts.max_text_tokens)
    found.backward_prompt = prompts.backward(text)
    found.rating_prompt = prompts.rating(candidate.instruction, candidate.output)


def _events(folder: RunFolder, config: Config, ids: set[str]) -> Iterator[Event]:
    for step in _step_names(config):
        path = folder.path / step
        for dropped in dropped_rows(path):
            if dropped.id in ids:
                detail = f" ({dropped.detail})" if dropped.detail else ""
                yield Event(step, f"set aside: {dropped.reason}{detail}")
        if step.startswith("ratings"):
            for rating in read_rows(path, Rating):
                if rating.candidate_id in ids:
                    yield Event(step, _rating_text(rating) + _suspicions(rating, path))
        elif step.startswith("curated"):
            for row in read_rows(path, Curated):
                if row.id in ids:
                    yield Event(step, "kept")
        elif step.startswith("rewritten"):
            for row in read_rows(path, Curated):
                if row.id in ids:
                    text = f"rewritten\n{row.output}" if row.original else f"left as it was: {row.not_rewritten}"
                    yield Event(step, text)


def _rating_text(rating: Rating) -> str:
    if rating.rating is None:
        return f"not rated: {rating.unparsed_reason}"
    text = f"rated {rating.rating:.3f}"
    if rating.probabilities:
        text += " (" + ", ".join(f"{score}: {p:.3f}" for score, p in enumerate(rating.probabilities, 1)) + ")"
    if rating.judgement:
        text += f"\n{rating.judgement.strip()}"
    return text


def _suspicions(rating: Rating, ratings: Path) -> str:
    """The likeliest defects of a pair that a calibrated judge rated."""
    file = ratings.with_name(ratings.name.replace("ratings", "judge")) / JUDGE_FILE
    if not rating.signals or not file.exists():
        return ""
    judge = Judge.from_json(file.read_text(encoding="utf-8"))
    odds = sorted(zip(judge.odds([rating.signals])[0], judge.kinds, strict=True), reverse=True)
    return "; likeliest defects: " + ", ".join(f"{kind} ({odd:+.1f})" for odd, kind in odds[:SHOWN_DEFECTS])


def _step_names(config: Config) -> list[str]:
    names = [step.name for step in pipeline_steps(config, InputDigests("", "", {}))]
    return [name for name in names if not name.startswith("models/")]
