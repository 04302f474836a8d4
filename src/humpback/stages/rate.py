"""Rates every candidate with the model of the previous round (section 2.3, "self-curation")."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from humpback.config import RateConfig
from humpback.engines import Ability, ChoiceRequest, Engine, Generation, GenerationRequest, Sampling
from humpback.engines.fitting import TOO_LONG, fit_prompt
from humpback.errors import EngineError
from humpback.judge.fit import Judge
from humpback.judge.reader import Question, read_signals
from humpback.prompts import SCORES, PromptContract, expected_score, parse_verdict
from humpback.randomness import derived_seed
from humpback.records import Candidate, Rating
from humpback.stages.context import EngineSource, OpenedEngine, Outcome, StageContext
from humpback.workspace import Shard, StoredRows, read_rows, run_shards

VERSION = 4
EXPECTED, CHOSEN, WRITTEN, CALIBRATED = "expected", "chosen", "written", "calibrated"
JUDGE_FILE = "judge.json"  # what the judge's step wrote
_SCORE_TOKENS = 4  # room for the longest of the scores; a digit and its space in any tokenizer

Rater = Callable[[list[Candidate]], list[Rating]]


def rate(context: StageContext) -> Outcome:
    """Writes one rating a candidate, in their order. What could not be rated stays, without a rating, with a reason."""
    config = context.config
    candidates = StoredRows.of(context.inputs["candidates"], Candidate)
    judge = _judge(context) if config.rate.judge == CALIBRATED else None
    with context.progress.task(f"rating ({context.output.name})", len(candidates), "pairs") as task:
        run_shards(
            candidates,
            context.output,
            Rating,
            RatingWork(context.asked, judge, context.output.name),
            context.executor,
            rows_per_shard=config.engine.rows_per_shard,
            advance=task.advance,
        )
    return Outcome(_figures(context))


@dataclass(frozen=True, slots=True)
class RatingWork:
    """Rating, by the judge where there is one; `salt` separates the draws of two rounds."""

    asked: EngineSource
    judge: Judge | None
    salt: str

    @contextmanager
    def open(self) -> Iterator[Callable[[list[Candidate]], Shard]]:
        with self.asked.open() as opened:
            rater = self._rater(opened)
            yield lambda rows: Shard(rater(rows))

    def _rater(self, opened: OpenedEngine) -> Rater:
        if self.judge is not None:
            return calibrated_rater(opened.engine, opened.prompts, self.judge)
        config = self.asked.config
        return make_rater(opened.engine, opened.prompts, config.rate, config.random_seed, self.salt)


def make_rater(engine: Engine, prompts: PromptContract, config: RateConfig, random_seed: int, salt: str) -> Rater:
    """The way to rate, as a pure function of its rows; `salt` separates the draws of two rounds.

    Raises:
        EngineError: the engine cannot rate as configured, and `rate.fallback` names nothing that it can.
    """
    method = rating_method(engine, config)
    room = config.max_new_tokens if method == WRITTEN else _SCORE_TOKENS
    render = prompts.judgement if method == WRITTEN else prompts.rating

    def seeded(row_id: str, prompt: str) -> GenerationRequest:
        return GenerationRequest(row_id, prompt, derived_seed(random_seed, "judgement", salt, row_id))

    def expected(asked: Sequence[tuple[str, str]]) -> list[Rating]:
        answers = engine.choice_logprobs([ChoiceRequest(*request) for request in asked], SCORES)
        return [_from_logprobs(answer.row_id, answer.logprobs) for answer in answers]

    def chosen(asked: Sequence[tuple[str, str]]) -> list[Rating]:
        sampling = Sampling(config.temperature, config.top_p, _SCORE_TOKENS, SCORES)
        return [_from_choice(answer) for answer in engine.generate([seeded(*request) for request in asked], sampling)]

    def written(asked: Sequence[tuple[str, str]]) -> list[Rating]:
        sampling = Sampling(config.temperature, config.top_p, config.max_new_tokens)
        return [_from_text(answer) for answer in engine.generate([seeded(*request) for request in asked], sampling)]

    ask = {EXPECTED: expected, CHOSEN: chosen, WRITTEN: written}[method]

    def rater(rows: list[Candidate]) -> list[Rating]:
        fitted = [fit_prompt(engine, row.instruction, partial(render, output=row.output), room) for row in rows]
        asked = [(row.id, prompt.text) for row, prompt in zip(rows, fitted, strict=True) if prompt is not None]
        ratings = {rating.candidate_id: rating for rating in ask(asked)}
        for row, prompt in zip(rows, fitted, strict=True):
            if prompt is None:
                ratings[row.id] = Rating(row.id, None, TOO_LONG, method=method)
            elif prompt.is_cut:
                ratings[row.id] = replace(ratings[row.id], instruction_cut=True)
        return [ratings[row.id] for row in rows]

    return rater


def calibrated_rater(engine: Engine, prompts: PromptContract, judge: Judge) -> Rater:
    """The way to rate by a calibrated judge: 1 for a pair that is surely defective, 5 for one that is surely good."""

    def rater(rows: list[Candidate]) -> list[Rating]:
        found = read_signals(engine, prompts, [Question(row.id, row.instruction, row.output) for row in rows])
        ratings = []
        for row, signals in zip(rows, found, strict=True):
            if signals is None:
                ratings.append(Rating(row.id, None, TOO_LONG, method=CALIBRATED))
                continue
            p_good = float(judge.p_good([signals])[0])
            is_number = not math.isnan(p_good)
            ratings.append(
                Rating(
                    row.id,
                    1 + 4 * p_good if is_number else None,
                    None if is_number else "not_a_number",
                    method=CALIBRATED,
                    p_good=p_good if is_number else None,
                    signals=signals,
                )
            )
        return ratings

    return rater


def _judge(context: StageContext) -> Judge:
    folder = next(folder for name, folder in context.inputs.items() if name.startswith("judge"))
    return Judge.from_json((folder / JUDGE_FILE).read_text(encoding="utf-8"))


def rating_method(engine: Engine, config: RateConfig) -> str:
    """How `engine` rates: as configured or, where it cannot, by the first configured fallback that it can.

    Raises:
        EngineError: it can do none of them.
    """
    needs = {EXPECTED: {Ability.CHOICE_LOGPROBS}, CHOSEN: {Ability.CHOOSING}, WRITTEN: set[Ability]()}
    for method in (config.method, *config.fallback):
        if needs[method] <= engine.abilities:
            return method
    raise EngineError(
        f"rate.method: {config.method} needs {needs[config.method].pop()}, which this engine does not give; set "
        "rate.fallback: [chosen, written] to let it answer with a score alone, or else in writing"
    )


def _from_logprobs(row_id: str, logprobs: Sequence[float]) -> Rating:
    score, probabilities = expected_score(logprobs)
    return Rating(row_id, score, None if score is not None else "not_a_number", probabilities)


def _from_choice(answer: Generation) -> Rating:
    if answer.text not in SCORES:
        return Rating(answer.row_id, None, "no_choice", judgement=answer.text, method=CHOSEN)
    return Rating(answer.row_id, float(answer.text), judgement=answer.text, method=CHOSEN)


def _from_text(answer: Generation) -> Rating:
    verdict = parse_verdict(answer.text)
    return Rating(answer.row_id, verdict.score, verdict.reason, judgement=answer.text, method=WRITTEN)


def _figures(context: StageContext) -> dict[str, object]:
    scores: list[float] = []
    unparsed: Counter[str] = Counter()
    methods: Counter[str] = Counter()
    cut = 0
    for rating in read_rows(context.output.path, Rating):
        methods[rating.method] += 1
        cut += rating.instruction_cut
        if rating.rating is None:
            unparsed[rating.unparsed_reason or "unknown"] += 1
        else:
            scores.append(rating.rating)
    mean = sum(scores) / len(scores) if scores else None
    return {
        "rated": len(scores),
        "unparsed": dict(unparsed),
        "mean": mean,
        "methods": dict(methods),
        "instructions_cut": cut,
    }
