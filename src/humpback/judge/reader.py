"""Reads the signals of pairs: those of form, and those of two passes of a model over each output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from humpback.engines import Engine, LikelihoodRequest
from humpback.engines.fitting import fit_prompt
from humpback.judge.form import form_signals
from humpback.judge.likelihood import likelihood_signals
from humpback.prompts import PromptContract

NEUTRAL = "Write a text."
"""An instruction that any text answers, so that it says nothing of this one."""


@dataclass(frozen=True, slots=True)
class Question:
    """A pair to be read; `id` is for messages."""

    id: str
    instruction: str
    output: str


def read_signals(engine: Engine, prompts: PromptContract, pairs: Sequence[Question]) -> list[dict[str, float] | None]:
    """The signals of each pair by name, in order; None where the pair is longer than the model's context.

    The output is read whole, with the token that ends it, as the assistant's answer; a long instruction loses its end.
    """
    asked = [_request(engine, prompts, pair, pair.instruction) for pair in pairs]
    alone = [_request(engine, prompts, pair, NEUTRAL) for pair in pairs]
    answers = _answers(engine, [request for request in (*asked, *alone) if request is not None])
    found: list[dict[str, float] | None] = []
    for pair, question, neutral in zip(pairs, asked, alone, strict=True):
        if question is None or neutral is None:
            found.append(None)
            continue
        likely = likelihood_signals(answers[_key(question)], answers[_key(neutral)])
        found.append(form_signals(pair.instruction, pair.output) | likely)
    return found


def _request(engine: Engine, prompts: PromptContract, pair: Question, instruction: str) -> LikelihoodRequest | None:
    answer = prompts.answer(pair.output)
    fitted = fit_prompt(
        engine, instruction, partial(prompts.forward, tag=prompts.config.seed_tag), engine.count(answer)
    )
    return None if fitted is None else LikelihoodRequest(pair.id, fitted.text, answer)


def _answers(engine: Engine, requests: Sequence[LikelihoodRequest]) -> dict[tuple[str, str], list[float]]:
    """The log-probabilities by what was asked: pairs with the same output have their neutral pass in common."""
    different = list({_key(request): request for request in requests}.values())
    answers = engine.loglikelihood(different)
    return {_key(request): answer.logprobs for request, answer in zip(different, answers, strict=True)}


def _key(request: LikelihoodRequest) -> tuple[str, str]:
    return request.prompt, request.continuation
