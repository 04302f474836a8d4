"""Which of two answers is better, asked of a judge in both orders.

An engine that gives the log-probabilities of choices answers with one pass for each order, which cannot fail to parse;
its preference is the expected one, as in AlpacaEval 2. Other engines write a verdict, of which the last counts.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from humpback.engines import Ability, ChoiceRequest, Engine, GenerationRequest, Sampling
from humpback.engines.fitting import fit_prompt
from humpback.errors import EngineError, InputError
from humpback.evaluation.asking import Model
from humpback.evaluation.judging.cache import Cache
from humpback.evaluation.judging.orders import DRAW, Judged
from humpback.progress import Progress
from humpback.prompts import ChatFormat
from humpback.prompts.pairwise import CHOICES, pairwise_prompt, parse_preference
from humpback.randomness import derived_seed
from humpback.workspace import fingerprint

VERDICT_TOKENS = 300
CHOICE_TOKENS = 4  # room for the longest of the choices; a letter and its space in any tokenizer
ASKED_AT_ONCE = 64  # ours: so many answers are lost at most when a judge breaks off

Row = Mapping[str, Any]
Ask = Callable[[list[tuple[str, str]]], dict[str, str]]


@dataclass(frozen=True, slots=True)
class _Question:
    """The prompts of one pair in both orders."""

    forward: str
    swapped: str
    is_cut: bool


def pair_up(ours: Sequence[Row], theirs: Sequence[Row], names: tuple[Path, Path]) -> list[tuple[Row, Row]]:
    """The outputs of two models for the same prompts, in the order of the first.

    Raises:
        InputError: the files do not have the same prompts, each once; the message names the first that is wrong.
    """
    for rows, name in zip((ours, theirs), names, strict=True):
        _check_once(rows, name)
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
    with model.engine() as engine:
        in_writing = Ability.CHOICE_LOGPROBS not in engine.abilities
        questions = [_question(engine, model.prompts.chat, *pair, in_writing=in_writing) for pair in pairs]
        identity = [*model.identity, VERDICT_TOKENS if in_writing else CHOICES]
        prompts = [prompt for one in questions if one is not None for prompt in (one.forward, one.swapped)]
        keys = {prompt: fingerprint([identity, prompt]) for prompt in prompts}
        ask = _in_writing(engine, model.config.random_seed) if in_writing else _by_choice(engine)
        with progress.task(f"judging by {model.name}", len(keys), "answers") as task:
            missing = [(key, prompt) for prompt, key in keys.items() if key not in cache]
            task.advance(len(keys) - len(missing))
            for start in range(0, len(missing), ASKED_AT_ONCE):
                batch = missing[start : start + ASKED_AT_ONCE]
                try:
                    cache.add(ask(batch))
                except EngineError as error:
                    raise EngineError(
                        f"{error}\n  {len(cache)} answers are kept in {cache.file}; the same command goes on from there"
                    ) from error
                task.advance(len(batch))
    read = parse_preference if in_writing else _expected
    return [_judged(one, lambda prompt: read(cache[keys[prompt]])) for one in questions]


def _judged(question: _Question | None, read: Callable[[str], float | None]) -> Judged:
    if question is None:
        return Judged(None, None, is_too_long=True)
    swapped = read(question.swapped)
    return Judged(read(question.forward), None if swapped is None else 3 - swapped, is_cut=question.is_cut)


def _check_once(rows: Sequence[Row], name: Path) -> None:
    prompt, count = Counter(row["instruction"] for row in rows).most_common(1)[0] if rows else ("", 0)
    if count > 1:
        raise InputError(f"{name}: has {count} outputs for one prompt: {prompt[:80]!r}; keep one of them")


def _question(engine: Engine, chat: ChatFormat, first: Row, second: Row, *, in_writing: bool) -> _Question | None:
    """None where the answers alone are too long for the judge: an answer is never cut."""
    room = VERDICT_TOKENS if in_writing else CHOICE_TOKENS
    fitted = [
        fit_prompt(
            engine,
            first["instruction"],
            partial(pairwise_prompt, chat, first=one["output"], second=other["output"], in_writing=in_writing),
            room,
        )
        for one, other in ((first, second), (second, first))
    ]
    forward, swapped = fitted
    if forward is None or swapped is None:
        return None
    return _Question(forward.text, swapped.text, forward.is_cut or swapped.is_cut)


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
