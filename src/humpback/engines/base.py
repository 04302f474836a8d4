"""The protocol between stages and whatever runs a model: three questions, typed requests, answers in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to sample: `temperature`, nucleus `top_p`, and at most `max_new_tokens` tokens."""

    temperature: float
    top_p: float
    max_new_tokens: int


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """Continue `prompt`; all randomness comes from `seed`."""

    row_id: str
    prompt: str
    seed: int


@dataclass(frozen=True, slots=True)
class Generation:
    """The continuation without its end token; `finish` says whether it ended by itself or at the length limit."""

    row_id: str
    text: str
    finish: Literal["end", "length"]
    tokens: int


@dataclass(frozen=True, slots=True)
class ChoiceRequest:
    """Which of the given continuations comes next after `prompt`?"""

    row_id: str
    prompt: str


@dataclass(frozen=True, slots=True)
class Choices:
    """Log-probability of each choice, in nats, in the order they were given; not normalised over the choices."""

    row_id: str
    logprobs: list[float]


@dataclass(frozen=True, slots=True)
class LikelihoodRequest:
    """How likely is `continuation` after `prompt`?"""

    row_id: str
    prompt: str
    continuation: str


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Sum of the log-probabilities of the continuation's `tokens` tokens, in nats."""

    row_id: str
    logprob: float
    tokens: int


class Engine(Protocol):
    """Runs one model. Each method returns one answer a request, in the order of the requests.

    Answers depend on the request alone up to rounding: not on the order, nor on the other requests of a call.
    """

    def generate(self, requests: Sequence[GenerationRequest], sampling: Sampling) -> list[Generation]:
        """One sampled continuation a request."""

    def choice_logprobs(self, requests: Sequence[ChoiceRequest], choices: Sequence[str]) -> list[Choices]:
        """The log-probabilities of the same `choices` after every prompt."""

    def loglikelihood(self, requests: Sequence[LikelihoodRequest]) -> list[Likelihood]:
        """The log-probability of each request's continuation."""

    def cut(self, text: str, max_tokens: int) -> str:
        """The longest beginning of `text` of at most `max_tokens` tokens."""
