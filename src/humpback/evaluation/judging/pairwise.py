"""Which of two answers is better, asked of a judge in both orders.

An engine that gives the log-probabilities of choices answers with one pass for each order, which cannot fail to parse;
its preference is the expected one, as in AlpacaEval 2. Other engines write a verdict, of which the last counts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from humpback.engines import Ability, ChoiceRequest, Engine, GenerationRequest, Sampling
from humpback.errors import EngineError, InputError
from humpback.evaluation.asking import Model
from humpback.evaluation.judging.cache import Cache
from humpback.models import model_digest
from humpback.progress import Progress
from humpback.prompts.pairwise import CHOICES, pairwise_prompt, parse_preference
from humpback.randomness import derived_seed
from humpback.workspace import fingerprint

DRAW = 1.5
VERDICT_TOKENS = 300

Row = Mapping[str, Any]
Ask = Callable[[list[tuple[str, str]]], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Judged:
    """One prompt: the preference from 1 to 2 in each order, both as if output 1 had stood first; None if unreadable."""

    forward: float | None
    swapped: float | None

    @property
    def preference(self) -> float | None:
        """The mean of both orders; None where one of them could not be read."""
        return None if self.forward is None or self.swapped is None else (self.forward + self.swapped) / 2

    @property
    def agrees(self) -> bool | None:
        """Whether both orders have the same winner, or both none; None where one could not be read."""
        if self.forward is None or self.swapped is None:
            return None
        return _winner(self.forward) == _winner(self.swapped)


def pair_up(ours: Sequence[Row], theirs: Sequence[Row], names: tuple[Path, Path]) -> list[tuple[Row, Row]]:
    """The outputs of two models for the same prompts, in the order of the first.

    Raises:
        InputError: the files do not have the same prompts; the message names the first that differs.
    """
    by_prompt = {row["instruction"]: row for row in theirs}
    missing = next((n for n, row in enumerate(ours, 1) if row["instruction"] not in by_prompt), None)
    if missing is not None:
        raise InputError(
            f"{names[1]}: has no output for the prompt of row {missing} of {names[0]}: "
            f"{ours[missing - 1]['instruction'][:80]!r}; both files must answer the same prompts"
        )
    if len(ours) != len(theirs):
        raise InputError(
            f"{names[0]} has {len(ours)} rows and {names[1]} has {len(theirs)}; both files must answer the same prompts"
        )
    return [(row, by_prompt[row["instruction"]]) for row in ours]


def judge_pairs(model: Model, pairs: Sequence[tuple[Row, Row]], cache: Cache, progress: Progress) -> list[Judged]:
    """The judge's preferences, in order. What was asked before is taken from the cache, all else added to it.

    Raises:
        EngineError: the judge cannot be reached, or fails; what it had answered is in the cache.
    """
    with model.engine() as engine, progress.task(f"judging by {model.name}", 2 * len(pairs), "answers") as task:
        in_writing = Ability.CHOICE_LOGPROBS not in engine.abilities
        prompts = [_prompts(model, first, second, in_writing=in_writing) for first, second in pairs]
        identity = _identity(model, in_writing=in_writing)
        keys = {prompt: fingerprint([identity, prompt]) for both in prompts for prompt in both}
        missing = [(key, prompt) for prompt, key in keys.items() if key not in cache]
        task.advance(len(keys) - len(missing))
        ask = _in_writing(engine, model.config.random_seed) if in_writing else _by_choice(engine)
        size = model.config.engine.rows_per_shard
        for start in range(0, len(missing), size):
            batch = missing[start : start + size]
            try:
                cache.add(ask(batch))
            except EngineError as error:
                raise EngineError(
                    f"{error}\n  {len(cache)} answers are kept in {cache.file}; the same command goes on from there"
                ) from error
            task.advance(len(batch))
    read = parse_preference if in_writing else _expected
    return [Judged(read(cache[keys[one]]), _turned(read(cache[keys[other]]))) for one, other in prompts]


def _prompts(model: Model, first: Row, second: Row, *, in_writing: bool) -> tuple[str, str]:
    outputs = first["output"], second["output"]
    chat, instruction = model.prompts.chat, first["instruction"]
    return (
        pairwise_prompt(chat, instruction, *outputs, in_writing=in_writing),
        pairwise_prompt(chat, instruction, *outputs[::-1], in_writing=in_writing),
    )


def _identity(model: Model, *, in_writing: bool) -> str:
    engine = model.config.engine
    if engine.kind == "scripted":
        return "scripted"
    served = [engine.http.url, engine.http.model] if engine.kind == "http" else [model_digest(str(model.folder))]
    return fingerprint([engine.kind, served, in_writing])


def _by_choice(engine: Engine) -> Ask:
    def ask(batch: list[tuple[str, str]]) -> dict[str, str]:
        answers = engine.choice_logprobs([ChoiceRequest(*one) for one in batch], CHOICES)
        return {answer.row_id: json.dumps(answer.logprobs) for answer in answers}

    return ask


def _in_writing(engine: Engine, random_seed: int) -> Ask:
    sampling = Sampling(0.0, 1.0, VERDICT_TOKENS)

    def ask(batch: list[tuple[str, str]]) -> dict[str, str]:
        requests = [GenerationRequest(key, prompt, derived_seed(random_seed, key)) for key, prompt in batch]
        return {answer.row_id: answer.text for answer in engine.generate(requests, sampling)}

    return ask


def _expected(logprobs: str) -> float | None:
    """The expected preference under the probabilities of A, B and neither."""
    values = json.loads(logprobs)
    if not all(map(math.isfinite, values)):
        return None
    weights = [math.exp(value - max(values)) for value in values]
    return sum(weight * preference for weight, preference in zip(weights, (1.0, 2.0, DRAW), strict=True)) / sum(weights)


def _turned(preference: float | None) -> float | None:
    return None if preference is None else 3 - preference


def _winner(preference: float) -> int:
    return (preference > DRAW) - (preference < DRAW)
