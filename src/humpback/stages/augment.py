"""Samples, for every segment, the instruction that it would answer (section 2.1, "self-augmentation")."""

from __future__ import annotations

from humpback.engines import Engine, Generation, GenerationRequest, Sampling
from humpback.engines.fitting import text_limit
from humpback.prompts import PromptContract
from humpback.randomness import derived_seed
from humpback.records import Candidate, Dropped, DropReason, Segment, content_id
from humpback.stages.context import Outcome, StageContext
from humpback.workspace import Shard, map_shards, read_columns, read_rows, row_count

VERSION = 2


def augment(context: StageContext) -> Outcome:
    """Writes one candidate a segment; those whose instruction is empty or did not end are set aside."""
    config = context.config
    segments = context.inputs["segments"]
    sampling = Sampling(config.augment.temperature, config.augment.top_p, config.augment.max_new_tokens)
    with (
        context.engine(context.inputs["models/backward"]) as engine,
        context.progress.task("writing instructions", row_count(segments), "segments") as task,
    ):
        limit = text_limit(engine, context.prompts.backward, config.prompts.max_text_tokens, sampling.max_new_tokens)

        def work(rows: list[Segment]) -> Shard:
            return candidates_of(rows, engine, context.prompts, sampling, limit, config.random_seed)

        map_shards(
            read_rows(segments, Segment),
            context.output,
            Candidate,
            work,
            rows_per_shard=config.engine.rows_per_shard,
            advance=task.advance,
        )
    return Outcome({"texts_cut": sum(cut for (cut,) in read_columns(context.output.path, "text_cut"))})


def candidates_of(
    segments: list[Segment],
    engine: Engine,
    prompts: PromptContract,
    sampling: Sampling,
    max_text_tokens: int,
    random_seed: int,
) -> Shard:
    """The candidates of some segments: a pure function of its arguments."""
    texts = [engine.cut(segment.text, max_text_tokens) for segment in segments]
    requests = [
        GenerationRequest(segment.id, prompts.backward(text), derived_seed(random_seed, "augment", segment.id))
        for segment, text in zip(segments, texts, strict=True)
    ]
    kept: list[Candidate] = []
    dropped: list[Dropped] = []
    for segment, text, generation in zip(segments, texts, engine.generate(requests, sampling), strict=True):
        reason = _reason(generation)
        instruction = generation.text.strip()
        if reason is None:
            row_id = content_id("candidate", segment.id, instruction)
            is_cut = len(text) < len(segment.text)
            kept.append(Candidate(row_id, instruction, segment.text, segment.headers, segment.source, is_cut))
        else:
            dropped.append(Dropped(segment.id, reason, instruction, segment.text, segment.source))
    return Shard(kept, dropped)


def _reason(generation: Generation) -> DropReason | None:
    if generation.finish == "length":
        return DropReason.UNFINISHED
    if not any(character.isalnum() for character in generation.text):
        return DropReason.EMPTY_INSTRUCTION
    return None
