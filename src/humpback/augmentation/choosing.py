"""Chooses, of several instructions for one text, the one that fits it best and reads most like a user's.

As in a noisy channel, the instruction should be likely given the text, under the backward model, and the text given
the instruction, under the forward model; both means over tokens. To these comes the log-density of its length among the
seed's instructions, so that neither titles nor paraphrases of the whole text win.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from math import log

import numpy as np

from humpback.augmentation.sampling import Sampled
from humpback.corpus.words import words
from humpback.engines import Engine, LikelihoodRequest
from humpback.engines.fitting import fit_prompt
from humpback.prompts import PromptContract
from humpback.records import Dropped, DropReason
from humpback.workspace import Shard

FORWARD_WEIGHT = 6.0
"""Weight of the text's mean log-probability beside the instruction's (ours: among the instructions of one text the
former varies about a sixth as much, docs/curation.md)."""

LEAST_SPREAD = 0.1
"""Least standard deviation of log lengths, for seeds whose instructions are all alike (ours)."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Logarithms of the seed's instructions' lengths in words: mean and standard deviation."""

    mean: float
    spread: float

    @classmethod
    def of(cls, instructions: Iterable[str]) -> Lengths:
        """Those of some instructions, of which there is at least one."""
        found = [_log_length(instruction) for instruction in instructions]
        return cls(float(np.mean(found)), max(LEAST_SPREAD, float(np.std(found))))

    def log_density(self, instruction: str) -> float:
        """How usual the length is: 0 at the mean, -1/2 a standard deviation away."""
        return -(((_log_length(instruction) - self.mean) / self.spread) ** 2) / 2


@dataclass(frozen=True, slots=True)
class Chooser:
    """What the choice depends on beside the candidates; `engine` runs the forward model."""

    engine: Engine
    prompts: PromptContract
    lengths: Lengths


def chosen_of(candidates: Sequence[Sampled], chooser: Chooser) -> Shard:
    """One candidate a segment; the others are set aside. Candidates of one segment must follow one another.

    Where the forward model cannot read the text beside one of its instructions, its word does not count.
    """
    forward = _forward_likelihoods([one for one in candidates if one.likelihood is not None], chooser)
    kept: list[Sampled] = []
    dropped: list[Dropped] = []
    for _, group in groupby(candidates, key=lambda one: one.segment):
        several = list(group)
        scores = _scores(several, forward, chooser.lengths)
        best = max(scores, key=lambda row_id: (scores[row_id], row_id))
        kept += [one for one in several if one.id == best]
        dropped += [_not_chosen(one, scores[one.id], scores[best]) for one in several if one.id != best]
    return Shard(kept, dropped)


def _scores(several: Sequence[Sampled], forward: dict[str, float], lengths: Lengths) -> dict[str, float]:
    is_read = all(one.id in forward for one in several)
    return {
        one.id: (one.likelihood or 0.0)
        + (FORWARD_WEIGHT * forward[one.id] if is_read else 0.0)
        + lengths.log_density(one.instruction)
        for one in several
    }


def _forward_likelihoods(candidates: Sequence[Sampled], chooser: Chooser) -> dict[str, float]:
    """Mean log-probability of a token of each text after its instruction, by id; without those that do not fit."""
    render = partial(chooser.prompts.forward, tag=chooser.prompts.config.seed_tag)
    requests = []
    for one in candidates:
        answer = chooser.prompts.answer(one.output)
        prompt = fit_prompt(chooser.engine, one.instruction, render, chooser.engine.count(answer))
        if prompt is not None:
            requests.append(LikelihoodRequest(one.id, prompt.text, answer))
    return {answer.row_id: answer.logprob / max(1, answer.tokens) for answer in chooser.engine.loglikelihood(requests)}


def _not_chosen(one: Sampled, score: float, best: float) -> Dropped:
    detail = f"another fits better by {best - score:.3f}\n{one.instruction}"
    return Dropped(one.id, DropReason.NOT_CHOSEN, detail, one.output, one.source)


def _log_length(instruction: str) -> float:
    return log(1 + len(words(instruction)))
