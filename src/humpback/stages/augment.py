"""Writes, for every segment, the instruction that it would answer (section 2.1, "self-augmentation")."""

from __future__ import annotations

from pathlib import Path

from humpback.augmentation.choosing import Chooser, Lengths, chosen_of
from humpback.augmentation.sampling import Sampled, Sampler, candidates_of, run_linter
from humpback.engines import Ability, Engine, Sampling, require
from humpback.engines.fitting import text_limit
from humpback.lint import surplus
from humpback.records import Candidate, Dropped, DropReason, Example, Segment
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

VERSION = 4
SAMPLED, CHOSEN = "sampled", "chosen"  # work folders
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
    config, segments = context.config, context.inputs["segments"]
    sampling = Sampling(config.augment.temperature, config.augment.top_p, config.augment.max_new_tokens)
    with (
        context.engine(context.inputs[BACKWARD_MODEL]) as engine,
        context.progress.task("writing instructions", row_count(segments), "segments") as task,
    ):
        sampler = Sampler(
            engine,
            context.prompts,
            sampling,
            text_limit(engine, context.prompts.backward, config.prompts.max_text_tokens, sampling.max_new_tokens),
            config.random_seed,
            run_linter(context.prompts, config.augment.lint),
            config.augment.resample,
            _samples(engine, config.augment.samples),
        )
        map_shards(
            read_rows(segments, Segment),
            folder,
            Sampled,
            lambda rows: candidates_of(rows, sampler),
            rows_per_shard=config.engine.rows_per_shard,
            advance=task.advance,
        )
        return sampler.samples


def _samples(engine: Engine, wanted: int | None) -> int:
    if wanted is None:
        return DEFAULT_SAMPLES if Ability.LOGLIKELIHOOD in engine.abilities else 1
    if wanted > 1:
        require(engine, Ability.LOGLIKELIHOOD, f"augment.samples: {wanted}", "set augment.samples: 1")
    return wanted


def _choose(context: StageContext, sampled: StepFolder, folder: StepFolder) -> None:
    """Writes the best candidate of each segment into `folder`, part by part."""
    seed = read_rows(context.inputs["seed"], Example)
    with (
        context.engine(context.inputs[FORWARD_MODEL]) as engine,
        context.progress.task("choosing instructions", row_count(sampled.path), "candidates") as task,
    ):
        chooser = Chooser(engine, context.prompts, Lengths.of(pair.instruction for pair in seed))

        def part_of(parts: list[Path]) -> Shard:
            (part,) = parts
            found = list(read_part(part, Sampled))
            task.advance(len(found))
            shard = chosen_of(found, chooser)
            return Shard(shard.kept, [*read_part(sampled.path / "dropped" / part.name, Dropped), *shard.dropped])

        map_shards(part_files(sampled.path), folder, Sampled, part_of, rows_per_shard=1)


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
