"""Writes, for every segment, the instruction that it would answer (section 2.1, "self-augmentation")."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from humpback.augmentation.choosing import Chooser, Lengths, chosen_of
from humpback.augmentation.sampling import Sampled, Sampler, candidates_of, run_linter
from humpback.config import Config
from humpback.engines import Ability, Engine, Sampling, require
from humpback.engines.fitting import text_limit
from humpback.lint import surplus
from humpback.records import Candidate, Dropped, DropReason, Example, Segment
from humpback.stages.context import EngineSource, OpenedEngine, Outcome, StageContext
from humpback.workspace import (
    HeldRows,
    Shard,
    StepFolder,
    StoredRows,
    map_shards,
    part_files,
    read_columns,
    read_part,
    read_rows,
    run_shards,
)
from humpback.workspace.atomic import write_with

VERSION = 4
SAMPLED, CHOSEN = "sampled", "chosen"  # work folders
SAMPLES_FILE = "samples.json"  # beside the sampled candidates: how many were sampled for each segment
DEFAULT_SAMPLES = 2
BACKWARD_MODEL, FORWARD_MODEL = "models/backward", "models/m0"


def augment(context: StageContext) -> Outcome:
    """Writes one candidate a segment at most; what the linter throws out and what is not chosen is set aside.

    Raises:
        EngineError: `augment.samples` asks for several instructions, and the engine gives no likelihoods to choose by.
    """
    config = context.config
    sampled, chosen = context.output.work(SAMPLED), context.output.work(CHOSEN)
    samples = _sample(context, sampled)
    candidates = sampled
    if samples > 1:
        _choose(context, sampled, chosen)
        candidates = chosen
    limit_same(candidates.path, context.output, config.augment.lint.max_same_instruction)
    return Outcome({"samples": samples} | _facts(sampled.path, context.output.path, config.augment.resample))


def _sample(context: StageContext, folder: StepFolder) -> int:
    """Writes all sampled candidates into `folder`; how many were sampled for each segment."""
    config = context.config
    segments = StoredRows.of(context.inputs["segments"], Segment)
    asked = EngineSource(config, context.inputs[BACKWARD_MODEL])
    with context.progress.task("writing instructions", len(segments), "segments") as task:
        run_shards(
            segments,
            folder,
            Sampled,
            _Sampling(asked, folder.path),
            context.executor,
            rows_per_shard=config.engine.rows_per_shard,
            advance=task.advance,
        )
    file = folder.path / SAMPLES_FILE
    return int(json.loads(file.read_text(encoding="utf-8"))) if len(segments) else 1


@dataclass(frozen=True, slots=True)
class _Sampling:
    asked: EngineSource
    folder: Path

    @contextmanager
    def open(self) -> Iterator[Callable[[list[Segment]], Shard]]:
        """Leaves word in `folder` of how many instructions the engine lets it sample."""
        with self.asked.open() as opened:
            sampler = _sampler(self.asked.config, opened)
            text = json.dumps(sampler.samples)
            write_with(self.folder / SAMPLES_FILE, lambda temporary: temporary.write_text(text), by_several=True)
            yield lambda rows: candidates_of(rows, sampler)


def _sampler(config: Config, opened: OpenedEngine) -> Sampler:
    engine, prompts = opened.engine, opened.prompts
    sampling = Sampling(config.augment.temperature, config.augment.top_p, config.augment.max_new_tokens)
    return Sampler(
        engine,
        prompts,
        sampling,
        text_limit(engine, prompts.backward, config.prompts.max_text_tokens, sampling.max_new_tokens),
        config.random_seed,
        run_linter(prompts, config.augment.lint),
        config.augment.resample,
        _samples(engine, config.augment.samples),
    )


def _samples(engine: Engine, wanted: int | None) -> int:
    if wanted is None:
        return DEFAULT_SAMPLES if Ability.LOGLIKELIHOOD in engine.abilities else 1
    if wanted > 1:
        require(engine, Ability.LOGLIKELIHOOD, f"augment.samples: {wanted}", "set augment.samples: 1")
    return wanted


def _choose(context: StageContext, sampled: StepFolder, folder: StepFolder) -> None:
    """Writes the best candidate of each segment into `folder`, part by part."""
    lengths = Lengths.of(pair.instruction for pair in read_rows(context.inputs["seed"], Example))
    asked = EngineSource(context.config, context.inputs[FORWARD_MODEL])
    # Both files of each part are named, so that a worker elsewhere is brought both.
    parts = [(part, sampled.path / "dropped" / part.name) for part in part_files(sampled.path)]
    with context.progress.task("choosing instructions", len(parts), "shards") as task:
        run_shards(
            HeldRows(parts),
            folder,
            Sampled,
            _Choosing(asked, lengths),
            context.executor,
            rows_per_shard=1,
            advance=task.advance,
        )


@dataclass(frozen=True, slots=True)
class _Choosing:
    asked: EngineSource
    lengths: Lengths

    @contextmanager
    def open(self) -> Iterator[Callable[[list[tuple[Path, Path]]], Shard]]:
        with self.asked.open() as opened:
            chooser = Chooser(opened.engine, opened.prompts, self.lengths)

            def part_of(parts: list[tuple[Path, Path]]) -> Shard:
                ((kept, dropped),) = parts
                shard = chosen_of(list(read_part(kept, Sampled)), chooser)
                return Shard(shard.kept, [*read_part(dropped, Dropped), *shard.dropped])

            yield part_of


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


def _same(row: Sampled, most: int | None) -> Dropped:
    detail = f"{most} others like it are kept\n{row.instruction}"
    return Dropped(row.id, DropReason.SAME_INSTRUCTION, detail, row.output, row.source)


def _facts(sampled: Path, output: Path, resample: int) -> dict[str, int]:
    """How many texts the model saw the beginning of, how many rows were sampled again, how many of these were saved."""
    saved = sum(attempts > 1 for (attempts,) in read_columns(sampled, "attempts"))
    lost = sum(1 for _ in read_columns(sampled / "dropped", "id")) if resample else 0
    texts_cut = sum(cut for (cut,) in read_columns(output, "text_cut"))
    return {"texts_cut": texts_cut, "sampled_again": saved + lost, "saved": saved}
