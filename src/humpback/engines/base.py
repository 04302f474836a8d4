"""The protocol between stages and whatever runs a model: three questions, typed requests, answers in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol

from humpback.errors import EngineError


class Ability(StrEnum):
    """What not every engine can do. Every engine can generate."""

    CHOICE_LOGPROBS = "the log-probabilities of given choices"
    LOGLIKELIHOOD = "the log-probabilities of a given text"
    CHOOSING = "generation restricted to given choices"


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to sample: `temperature` (0: the likeliest token), nucleus `top_p`, and at most `max_new_tokens` tokens.

    Where `choices` are given, the answer is one of them; only engines with `Ability.CHOOSING` can do that.
    """

    temperature: float
    top_p: float
    max_new_tokens: int
    choices: tuple[str, ...] = ()


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
    """Log-probability of each choice, in nats, in the order they were given.

    They need not sum to one: what counts is their differences, and an engine may leave out a constant.
    """

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
    """Log-probability of each token of the continuation, in nats."""

    row_id: str
    logprobs: list[float]

    @property
    def logprob(self) -> float:
        """That of the continuation as a whole."""
        return sum(self.logprobs)

    @property
    def tokens(self) -> int:
        """How many tokens the continuation has."""
        return len(self.logprobs)


class Engine(Protocol):
    """Runs one model. Each method returns one answer a request, in the order of the requests.

    Answers depend on the request alone up to rounding: not on the order, nor on the other requests of a call.
    """

    @property
    def abilities(self) -> frozenset[Ability]:
        """What this engine can do here and now; where that cannot be known beforehand, it has been tried."""

    @property
    def context(self) -> int | None:
        """Tokens that a prompt and its answer may have together; None where there is no limit."""

    def generate(self, requests: Sequence[GenerationRequest], sampling: Sampling) -> list[Generation]:
        """One sampled continuation a request."""

    def choice_logprobs(self, requests: Sequence[ChoiceRequest], choices: Sequence[str]) -> list[Choices]:
        """The log-probabilities of the same `choices` after every prompt."""

    def loglikelihood(self, requests: Sequence[LikelihoodRequest]) -> list[Likelihood]:
        """The log-probabilities of the tokens of each request's continuation."""

    def cut(self, text: str, max_tokens: int) -> str:
        """The longest beginning of `text` of at most `max_tokens` tokens."""

    def count(self, text: str) -> int:
        """Tokens of `text`."""

    def close(self) -> None:
        """Gives back what the engine holds: memory, connections, processes it started. It is not used afterwards."""


def require(engine: Engine, ability: Ability, purpose: str, instead: str) -> None:
    """Checks that `engine` has `ability`.

    Raises:
        EngineError: it has not; the message names `purpose` needs and what to do `instead`.
    """
    if ability not in engine.abilities:
        raise EngineError(f"{purpose} needs {ability}, which this engine does not give; {instead}")
