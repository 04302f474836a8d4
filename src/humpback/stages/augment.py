"""Samples, for every segment, the instruction that it would answer (section 2.1, "self-augmentation")."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from humpback.config import LintConfig
from humpback.engines import Engine, Generation, GenerationRequest, Sampling
from humpback.engines.fitting import text_limit
from humpback.lint import Linter, surplus
from humpback.prompts import BACKWARD_SYSTEM, PromptContract
from humpback.prompts.contract import load_templates
from humpback.randomness import derived_seed
from humpback.records import Candidate, Dropped, DropReason, Segment, Source, content_id
from humpback.stages.context import Outcome, StageContext
from humpback.workspace import (
    Shard,
    StepFolder,
    map_shards,
    part_files,
    read_columns,
    read_part,
    read_rows,
    row_count,
)

VERSION = 3
SAMPLED = "sampled"  # the folder that instructions are sampled into, removed when equal ones are counted


@dataclass(frozen=True, slots=True)
class Sampled:
    """A candidate, and how many instructions were sampled for it; the last one stayed."""

    id: str
    instruction: str
    output: str
    headers: list[str]
    source: Source
    text_cut: bool
    attempts: int

    def candidate(self) -> Candidate:
        """The candidate alone."""
        return Candidate(self.id, self.instruction, self.output, self.headers, self.source, self.text_cut)


@dataclass(frozen=True, slots=True)
class Sampler:
    """How instructions are sampled: everything that a row's result depends on beside the row.

    A text is cut to `max_text_tokens`. An instruction that the linter throws out is sampled again, `resample` times
    at most.
    """

    engine: Engine
    prompts: PromptContract
    sampling: Sampling
    max_text_tokens: int
    random_seed: int
    linter: Linter
    resample: int


def augment(context: StageContext) -> Outcome:
    """Writes one candidate a segment; those whose last instruction the linter throws out are set aside."""
    config = context.config
    segments = context.inputs["segments"]
    sampling = Sampling(config.augment.temperature, config.augment.top_p, config.augment.max_new_tokens)
    folder = StepFolder(context.output.path / SAMPLED, context.output.name)
    with (
        context.engine(context.inputs["models/backward"]) as engine,
        context.progress.task("writing instructions", row_count(segments), "segments") as task,
    ):
        limit = text_limit(engine, context.prompts.backward, config.prompts.max_text_tokens, sampling.max_new_tokens)
        linter = run_linter(context.prompts, config.augment.lint)
        sampler = Sampler(engine, context.prompts, sampling, limit, config.random_seed, linter, config.augment.resample)
        map_shards(
            read_rows(segments, Segment),
            folder,
            Sampled,
            lambda rows: candidates_of(rows, sampler),
            rows_per_shard=config.engine.rows_per_shard,
            advance=task.advance,
        )
    limit_same(folder.path, context.output, config.augment.lint.max_same_instruction)
    facts = _facts(folder.path, context.output.path, config.augment.resample)
    shutil.rmtree(folder.path, ignore_errors=True)
    return Outcome(facts)


def run_linter(prompts: PromptContract, config: LintConfig) -> Linter:
    """The linter that knows the run's prompts and its model's control tokens."""
    return Linter(config, [*load_templates(prompts.config).values(), BACKWARD_SYSTEM], prompts.chat.special_tokens)


def candidates_of(segments: list[Segment], sampler: Sampler) -> Shard:
    """The candidates of some segments: a pure function of its arguments, each row's result of that row alone."""
    texts = [sampler.engine.cut(segment.text, sampler.max_text_tokens) for segment in segments]
    results: dict[int, Sampled | Dropped] = {}
    waiting = list(range(len(segments)))
    for attempt in range(sampler.resample + 1):
        requests = [_request(segments[row], texts[row], attempt, sampler) for row in waiting]
        answers = sampler.engine.generate(requests, sampler.sampling)
        for row, answer in zip(waiting, answers, strict=True):
            is_cut = len(texts[row]) < len(segments[row].text)
            results[row] = _result(segments[row], answer, is_cut, attempt + 1, sampler.linter)
        waiting = [row for row in waiting if isinstance(results[row], Dropped)]
        if not waiting:
            break
    ordered = [results[row] for row in range(len(segments))]
    return Shard(
        [row for row in ordered if isinstance(row, Sampled)], [row for row in ordered if isinstance(row, Dropped)]
    )


def limit_same(sampled: Path, output: StepFolder, most: int | None) -> None:
    """Writes the candidates in folder `sampled` to `output`, of equal instructions at most `most`, part by part."""
    rows = ((row_id, instruction) for row_id, instruction in read_columns(sampled, "id", "instruction"))
    surplus_ids: frozenset[str] = frozenset() if most is None else surplus(rows, most)

    def part_of(parts: list[Path]) -> Shard:
        (part,) = parts
        found = list(read_part(part, Sampled))
        kept = [row.candidate() for row in found if row.id not in surplus_ids]
        same = [_same(row, most) for row in found if row.id in surplus_ids]
        return Shard(kept, [*read_part(sampled / "dropped" / part.name, Dropped), *same])

    map_shards(part_files(sampled), output, Candidate, part_of, rows_per_shard=1)


def _request(segment: Segment, text: str, attempt: int, sampler: Sampler) -> GenerationRequest:
    seed = derived_seed(sampler.random_seed, "augment", segment.id, attempt)
    return GenerationRequest(segment.id, sampler.prompts.backward(text), seed)


def _result(segment: Segment, answer: Generation, is_cut: bool, attempts: int, linter: Linter) -> Sampled | Dropped:
    instruction = answer.text.strip()
    found = (
        (DropReason.UNFINISHED, f"had not ended after {answer.tokens} tokens")
        if answer.finish == "length"
        else linter.judge(instruction, segment.text, segment.headers)
    )
    if found is None:
        row_id = content_id("candidate", segment.id, instruction)
        return Sampled(row_id, instruction, segment.text, segment.headers, segment.source, is_cut, attempts)
    reason, why = found
    return Dropped(segment.id, reason, f"{why}\n{instruction}", segment.text, segment.source)


def _same(row: Sampled, most: int | None) -> Dropped:
    detail = f"{most} others like it are kept\n{row.instruction}"
    return Dropped(row.id, DropReason.SAME_INSTRUCTION, detail, row.output, row.source)


def _facts(sampled: Path, output: Path, resample: int) -> dict[str, int]:
    """How many texts the model saw the beginning of, how many rows were sampled again, how many of these were saved."""
    saved = sum(attempts > 1 for (attempts,) in read_columns(sampled, "attempts"))
    lost = sum(1 for _ in read_columns(sampled / "dropped", "id")) if resample else 0
    texts_cut = sum(cut for (cut,) in read_columns(output, "text_cut"))
    return {"texts_cut": texts_cut, "sampled_again": saved + lost, "saved": saved}
