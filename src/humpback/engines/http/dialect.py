"""How one server wants to be asked, and what it gives: the bodies of all requests are made here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from humpback.engines.base import Ability, Sampling
from humpback.engines.http.wire import Body

Prompt = str | list[int]

SEEDS = 2**31  # what every server takes
# Also where a server's own defaults, or those in the model's folder, are others.
NO_OTHER_FILTERS: Body = {"top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0}


class Scoring(Enum):
    """Ways to the log-probabilities of a given text."""

    PROMPT_LOGPROBS = "prompt_logprobs"
    ECHO = "echo"
    ECHO_AND_ONE = "echo and one generated token"


class Choosing(Enum):
    """Ways to an answer that is one of some choices."""

    STRUCTURED_OUTPUTS = "structured_outputs"
    GRAMMAR = "grammar"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a probe has shown of a server.

    Attributes:
        model: the name that requests carry.
        takes_ids: prompts may be token ids; else they are text.
        takes_extras: parameters beyond OpenAI's are accepted, if only to be ignored.
        answers_as: the name that answers carry.
        counts_prompts: answers say how many tokens the prompt had.
        restricts: log-probabilities of given tokens can be asked for.
        ranks: how many of the likeliest tokens come with their log-probabilities; 0 where none do.
    """

    model: str
    end: str
    end_ids: list[int] = field(default_factory=list)
    takes_ids: bool = True
    takes_extras: bool = True
    answers_as: str | None = None
    counts_prompts: bool = False
    restricts: bool = False
    ranks: int = 0
    scoring: Scoring | None = None
    choosing: Choosing | None = None

    @property
    def abilities(self) -> frozenset[Ability]:
        """The abilities of an engine on this server."""
        found = set()
        if self.restricts or self.ranks or self.scoring:
            found.add(Ability.CHOICE_LOGPROBS)
        if self.scoring:
            found.add(Ability.LOGLIKELIHOOD)
        if self.choosing:
            found.add(Ability.CHOOSING)
        return frozenset(found)

    def generation(self, prompt: Prompt, sampling: Sampling, seed: int) -> Body:
        """Asks for a continuation."""
        body: Body = {
            "max_tokens": sampling.max_new_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "stop": [self.end] if self.end else [],
        }
        if sampling.temperature > 0:
            body["seed"] = seed % SEEDS
        if self.takes_extras:
            body |= NO_OTHER_FILTERS | {"stop_token_ids": self.end_ids, "return_token_ids": True}
        return self._body(prompt) | body | self._choices(sampling.choices)

    def restricted(self, prompt: Prompt, ids: Sequence[int]) -> Body:
        """Asks for the log-probabilities of the tokens `ids` in the place after the prompt."""
        return self._one_token(prompt) | {"logprobs": 1, "logprob_token_ids": list(ids)}

    def ranking(self, prompt: Prompt) -> Body:
        """Asks for the likeliest tokens after the prompt."""
        return self._one_token(prompt) | {"logprobs": self.ranks}

    def score(self, ids: list[int]) -> Body:
        """Asks for the log-probabilities of the prompt's own tokens."""
        if self.scoring is Scoring.PROMPT_LOGPROBS:
            return self._one_token(ids) | {"prompt_logprobs": 0}
        new = 0 if self.scoring is Scoring.ECHO else 1
        return self._one_token(ids) | {"echo": True, "logprobs": 1, "max_tokens": new}

    def _one_token(self, prompt: Prompt) -> Body:
        # Temperature 1, since some servers give the log-probabilities after tempering.
        body: Body = {"max_tokens": 1, "temperature": 1.0, "top_p": 1.0}
        if self.takes_extras:
            body |= NO_OTHER_FILTERS | {"return_tokens_as_token_ids": True}
        return self._body(prompt) | body

    def _body(self, prompt: Prompt) -> Body:
        body: Body = {"model": self.model, "prompt": prompt}
        # The prompt holds its special tokens already.
        return body | {"add_special_tokens": False} if self.takes_extras else body

    def _choices(self, choices: Sequence[str]) -> Body:
        if not choices:
            return {}
        if self.choosing is Choosing.GRAMMAR:
            return {"grammar": f"root ::= {' | '.join(map(_quoted, choices))}"}
        return {"structured_outputs": {"choice": list(choices)}}


def chosen(text: str, choices: Sequence[str]) -> str | None:
    """Which of the choices a text is; the space before a word may be lost on the way."""
    return next((choice for choice in choices if choice == text), None) or next(
        (choice for choice in choices if choice.strip() == text.strip()), None
    )


def _quoted(choice: str) -> str:
    """A string of llama.cpp's grammars."""
    escaped = choice.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'
