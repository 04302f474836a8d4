"""Rewrites kept answers as the assistant would give them; the original stays beside its rewriting, or in its place.

A small model may cut an answer short, refuse, or add what nobody wrote. A rewriting is taken only if it ended by
itself, is in the original's language and neither much shorter nor longer, does not repeat itself and mostly uses the
original's words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from humpback.corpus.language import identify
from humpback.corpus.words import words
from humpback.engines import Engine, Generation, GenerationRequest, Sampling
from humpback.engines.fitting import fit_prompt
from humpback.judge.lexicon import FUNCTION_WORDS
from humpback.lint.overlap import repeated_words
from humpback.prompts import PromptContract
from humpback.prompts.rewriting import rewriting_prompt
from humpback.randomness import derived_seed
from humpback.records import Curated
from humpback.workspace import Shard

LEAST_LENGTH, MOST_LENGTH = 0.3, 1.5
"""A rewriting has at least and at most this share of the original's words (ours)."""

LEAST_KNOWN = 0.5
"""At least this share of the words that carry meaning stands in the original or the instruction (ours)."""

MOST_REPEATED = 0.2
"""At most this share of the words stands in runs of five that came before (ours)."""

REPEATED_RUN = 5


@dataclass(frozen=True, slots=True)
class Rewriter:
    """How answers are rewritten: everything that a row's result depends on beside the row; `salt` names the round."""

    engine: Engine
    prompts: PromptContract
    sampling: Sampling
    random_seed: int
    salt: str


def rewritten_of(rows: Sequence[Curated], rewriter: Rewriter) -> Shard:
    """The rows in order: with a new output and the `original` beside it, or as they were, with the reason."""
    requests = [request for row in rows if (request := _request(row, rewriter)) is not None]
    answers = {answer.row_id: answer for answer in rewriter.engine.generate(requests, rewriter.sampling)}
    return Shard([_rewritten(row, answers.get(row.id)) for row in rows])


def objection(original: str, instruction: str, answer: Generation) -> str | None:
    """Why an answer cannot take the original's place: one of a few words for it, or None."""
    text = answer.text.strip()
    if answer.finish != "end":
        return "unfinished"
    found, before = words(text.casefold()), words(original.casefold())
    if not LEAST_LENGTH * len(before) <= len(found) <= MOST_LENGTH * len(before):
        return "length"
    ours, theirs = identify(text), identify(original)
    if ours and theirs and ours != theirs:
        return "language"
    if len(repeated_words(found, REPEATED_RUN)) > MOST_REPEATED * len(found):
        return "repeats_itself"
    known = Counter(before) + Counter(words(instruction.casefold()))
    carrying = [word for word in found if word not in FUNCTION_WORDS]
    if sum(word in known for word in carrying) < LEAST_KNOWN * len(carrying):
        return "new_words"
    return None


def _request(row: Curated, rewriter: Rewriter) -> GenerationRequest | None:
    """None where instruction and answer leave no room for another answer."""

    def render(instruction: str) -> str:
        return rewriting_prompt(rewriter.prompts.chat, instruction, row.output)

    prompt = fit_prompt(rewriter.engine, row.instruction, render, rewriter.sampling.max_new_tokens)
    if prompt is None or prompt.is_cut:
        return None
    return GenerationRequest(row.id, prompt.text, derived_seed(rewriter.random_seed, "rewrite", rewriter.salt, row.id))


def _rewritten(row: Curated, answer: Generation | None) -> Curated:
    why = "prompt_too_long" if answer is None else objection(row.output, row.instruction, answer)
    if answer is None or why is not None:
        return replace(row, not_rewritten=why)
    return replace(row, output=answer.text.strip(), original=row.output)
