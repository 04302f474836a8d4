"""What servers answer, checked: every answer is typed here, or it is a `BadAnswerError` and asked for again."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

Body = dict[str, Any]
_TOKEN_ID = re.compile(r"token_id:(\d+)")
_ROUNDING = 1e-3  # a log-probability may be this much above zero


class BadAnswerError(Exception):
    """The server answered with something that is no answer to this request; its text is the reason, in two words."""


class Candidate(BaseModel):
    """One token that could have come, in the form of llama.cpp."""

    id: int | None = None
    token: str = ""
    logprob: float


class Position(Candidate):
    """One generated token and those that could have come instead, in the form of llama.cpp."""

    top_logprobs: list[Candidate] = []


class Logprobs(BaseModel):
    """Log-probabilities of an answer: lists side by side, as OpenAI's completions have them, or llama.cpp's list."""

    tokens: list[str] = []
    token_logprobs: list[float | None] = []
    top_logprobs: list[dict[str, float] | None] | None = None
    content: list[Position] | None = None


class TokenLogprob(BaseModel):
    """One token of the prompt, in the form of vLLM."""

    logprob: float


class Answer(BaseModel):
    """The one continuation of a completion. The fields from `token_ids` on are vLLM's own."""

    text: str
    finish_reason: str | None = None
    logprobs: Logprobs | None = None
    token_ids: list[int] | None = None
    prompt_token_ids: list[int] | None = None
    prompt_logprobs: list[dict[str, TokenLogprob] | None] | None = None

    @property
    def finish(self) -> Literal["end", "length"]:
        """Whether the answer ended by itself or at its limit.

        Raises:
            BadAnswerError: neither; the server gave it up.
        """
        if self.finish_reason == "stop":
            return "end"
        if self.finish_reason == "length":
            return "length"
        raise BadAnswerError("unfinished answer")


class Usage(BaseModel):
    """Tokens as the server counts them."""

    prompt_tokens: int | None = None


class Completion(BaseModel):
    """The answer to `POST /completions` with one prompt."""

    model: str | None = None
    choices: Annotated[list[Answer], Field(min_length=1, max_length=1)]
    usage: Usage | None = None

    @property
    def answer(self) -> Answer:
        """The one continuation."""
        return self.choices[0]


class ServedModel(BaseModel):
    """One model of `GET /models`; what stands beside its name is vLLM's own."""

    id: str
    root: str | None = None
    max_model_len: int | None = None


class ServedModels(BaseModel):
    """The answer to `GET /models`."""

    data: list[ServedModel]


class _Fault(BaseModel):
    message: str


class _OpenAIFault(BaseModel):
    error: _Fault | str


class _OtherFault(BaseModel):
    detail: Any


_FAULT: TypeAdapter[_OpenAIFault | _Fault | _OtherFault] = TypeAdapter(_OpenAIFault | _Fault | _OtherFault)


def parse_completion(content: bytes) -> Completion:
    """The completion in a response.

    Raises:
        BadAnswerError: there is none.
    """
    try:
        return Completion.model_validate_json(content)
    except ValidationError as error:
        empty = any(issue["type"] == "too_short" for issue in error.errors())
        raise BadAnswerError("empty answer" if empty else "malformed answer") from None


def parse_models(content: bytes) -> list[ServedModel]:
    """The models in a response.

    Raises:
        BadAnswerError: there is no list of models.
    """
    try:
        return ServedModels.model_validate_json(content).data
    except ValidationError:
        raise BadAnswerError("malformed answer") from None


def fault_message(content: bytes, longest: int = 400) -> str:
    """What a server says about a request that it refuses, on one line."""
    try:
        fault = _FAULT.validate_json(content)
    except ValidationError:
        text = content.decode("utf-8", "replace")
    else:
        if isinstance(fault, _OpenAIFault):
            text = fault.error if isinstance(fault.error, str) else fault.error.message
        else:
            text = fault.message if isinstance(fault, _Fault) else str(fault.detail)
    return " ".join(text.split())[:longest]


def next_logprobs(answer: Answer) -> dict[int | str, float]:
    """Log-probabilities of what could have come first, by token id where the server gives ids, else by text.

    Raises:
        BadAnswerError: the answer holds none.
    """
    found = {key: value for key, value in _next_pairs(answer) if _is_logprob(value)}
    if not found:
        raise BadAnswerError("no log-probabilities")
    return found


def _next_pairs(answer: Answer) -> Iterator[tuple[int | str, float]]:
    logprobs = answer.logprobs
    if logprobs is None:
        return
    if logprobs.content:
        for candidate in logprobs.content[0].top_logprobs:
            yield (candidate.token if candidate.id is None else candidate.id), candidate.logprob
    elif logprobs.top_logprobs:
        for text, value in (logprobs.top_logprobs[0] or {}).items():
            match = _TOKEN_ID.fullmatch(text)
            yield (int(match[1]) if match else text), value


def prompt_logprobs(answer: Answer, ids: Sequence[int]) -> list[float]:
    """Log-probabilities of the tokens of the prompt `ids`, but for the first, from vLLM's `prompt_logprobs`.

    Raises:
        BadAnswerError: they are not those of these tokens.
    """
    found = answer.prompt_logprobs
    if found is None or len(found) != len(ids):
        raise BadAnswerError("too few log-probabilities")
    values = [(step or {}).get(str(token)) for token, step in zip(ids, found, strict=True)][1:]
    return _checked([None if value is None else value.logprob for value in values])


def echoed_logprobs(answer: Answer, ids: Sequence[int]) -> list[float]:
    """The same from an echoed prompt, behind which one generated token may stand.

    Raises:
        BadAnswerError: they are not those of these tokens.
    """
    logprobs = answer.logprobs
    if logprobs is None or not len(ids) <= len(logprobs.token_logprobs) <= len(ids) + 1:
        raise BadAnswerError("too few log-probabilities")
    for token, text in zip(ids, logprobs.tokens, strict=False):
        match = _TOKEN_ID.fullmatch(text)
        if match and int(match[1]) != token:
            raise BadAnswerError("other tokens")
    return _checked(logprobs.token_logprobs[1 : len(ids)])


def _checked(values: Sequence[float | None]) -> list[float]:
    known = [value for value in values if value is not None and _is_logprob(value)]
    if len(known) != len(values):
        raise BadAnswerError("too few log-probabilities")
    return known


def _is_logprob(value: float) -> bool:
    return math.isfinite(value) and value <= _ROUNDING
