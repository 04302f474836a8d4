"""An engine without weights: deterministic answers made from the prompt, to walk a configuration in seconds.

Its "models" are folders with one small file that names what they were trained on, so that a different training set
gives different answers, as a real one would.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path

from humpback.engines.base import (
    Ability,
    ChoiceRequest,
    Choices,
    Generation,
    GenerationRequest,
    Likelihood,
    LikelihoodRequest,
    Sampling,
)

SCRIPT_FILE = "scripted.json"


class ScriptedEngine:
    """Answers that are a pure function of the model's identity and the request."""

    abilities: frozenset[Ability] = frozenset(Ability)
    context: int | None = None

    def __init__(self, identity: str) -> None:
        self.identity = identity

    @classmethod
    def of(cls, folder: Path) -> ScriptedEngine:
        """The engine of the scripted model in `folder`; any other folder stands for the untrained base."""
        file = folder / SCRIPT_FILE
        if file.exists():
            return cls(json.loads(file.read_text(encoding="utf-8"))["identity"])
        return cls("base")

    def generate(self, requests: Sequence[GenerationRequest], sampling: Sampling) -> list[Generation]:
        return [self._generation(request, sampling) for request in requests]

    def choice_logprobs(self, requests: Sequence[ChoiceRequest], choices: Sequence[str]) -> list[Choices]:
        answers = []
        for request in requests:
            weights = [1e-3 + self._fraction(request.prompt, choice) ** 4 for choice in choices]
            total = sum(weights)
            answers.append(Choices(request.row_id, [math.log(weight / total) for weight in weights]))
        return answers

    def loglikelihood(self, requests: Sequence[LikelihoodRequest]) -> list[Likelihood]:
        answers = []
        for request in requests:
            tokens = len(request.continuation.split())
            mean = -1.0 - 2.0 * self._fraction(request.prompt, request.continuation)
            answers.append(Likelihood(request.row_id, [mean] * tokens))
        return answers

    def cut(self, text: str, max_tokens: int) -> str:
        return " ".join(text.split(" ")[:max_tokens])

    def count(self, text: str) -> int:
        return len(text.split(" "))

    def close(self) -> None:
        """Holds nothing."""

    def _generation(self, request: GenerationRequest, sampling: Sampling) -> Generation:
        draw = self._fraction(request.prompt, request.seed)
        if sampling.choices:
            return Generation(request.row_id, sampling.choices[int(draw * len(sampling.choices))], "end", 1)
        if draw < 0.02:  # a few that never end, as real models have them
            return Generation(request.row_id, "word " * sampling.max_new_tokens, "length", sampling.max_new_tokens)
        words = [word for word in request.prompt.split() if word.isalpha() and len(word) > 3]
        start = int(draw * max(1, len(words) - 6))
        verdict = f"Score: {1 + int(5 * draw)}" if "Score:" in request.prompt else "?"
        text = f"What should I know about {' '.join(words[start : start + 5])}{verdict.rjust(len(verdict) + 1)}"
        return Generation(request.row_id, text, "end", len(text.split()))

    def _fraction(self, *parts: object) -> float:
        text = "\x1f".join([self.identity, *map(str, parts)])
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest, "little") / 2**64
