"""Rates every candidate with the model of the previous round (section 2.3, "self-curation")."""

from __future__ import annotations

from collections.abc import Callable

from humpback.config import RateConfig
from humpback.engines import ChoiceRequest, Engine, GenerationRequest, Sampling
from humpback.prompts import SCORES, PromptContract, expected_score, parse_verdict
from humpback.randomness import derived_seed
from humpback.records import Candidate, Rating
from humpback.stages.context import Outcome, StageContext
from humpback.workspace import Shard, map_shards, read_rows, row_count

VERSION = 1

Rater = Callable[[list[Candidate]], list[Rating]]


def rate(context: StageContext) -> Outcome:
    """Writes one rating a candidate, in their order. What could not be rated stays, without a rating, with a reason."""
    config = context.config
    candidates = context.inputs["candidates"]
    model = next(folder for name, folder in context.inputs.items() if name.startswith("models/"))
    rater = make_rater(context.engine(model), context.prompts, config.rate, config.random_seed, context.output.name)
    with context.progress.task(f"rating ({context.output.name})", row_count(candidates), "pairs") as task:
        map_shards(
            read_rows(candidates, Candidate),
            context.output,
            Rating,
            lambda rows: Shard(rater(rows)),
            rows_per_shard=config.engine.rows_per_shard,
            advance=task.advance,
        )
    return Outcome(_figures(context))


def make_rater(engine: Engine, prompts: PromptContract, config: RateConfig, random_seed: int, salt: str) -> Rater:
    """The configured way to rate, as a pure function of its rows; `salt` separates the draws of two rounds."""

    def expected(rows: list[Candidate]) -> list[Rating]:
        requests = [ChoiceRequest(row.id, prompts.rating(row.instruction, row.output)) for row in rows]
        ratings = []
        for answer in engine.choice_logprobs(requests, SCORES):
            score, probabilities = expected_score(answer.logprobs)
            reason = "not_a_number" if score is None else None
            ratings.append(Rating(answer.row_id, score, reason, probabilities))
        return ratings

    def written(rows: list[Candidate]) -> list[Rating]:
        requests = [
            GenerationRequest(
                row.id,
                prompts.judgement(row.instruction, row.output),
                derived_seed(random_seed, "judgement", salt, row.id),
            )
            for row in rows
        ]
        sampling = Sampling(config.temperature, config.top_p, config.max_new_tokens)
        ratings = []
        for answer in engine.generate(requests, sampling):
            verdict = parse_verdict(answer.text)
            ratings.append(Rating(answer.row_id, verdict.score, verdict.reason, judgement=answer.text))
        return ratings

    return expected if config.method == "expected" else written


def _figures(context: StageContext) -> dict[str, object]:
    scores: list[float] = []
    unparsed: dict[str, int] = {}
    for rating in read_rows(context.output.path, Rating):
        if rating.rating is None:
            reason = rating.unparsed_reason or "unknown"
            unparsed[reason] = unparsed.get(reason, 0) + 1
        else:
            scores.append(rating.rating)
    mean = sum(scores) / len(scores) if scores else None
    return {"rated": len(scores), "unparsed": unparsed, "mean": mean}
