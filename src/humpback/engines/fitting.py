"""Prompts that fit a model's context: the instruction gives way, the answer never does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from humpback.engines.base import Engine

TOO_LONG = "prompt_too_long"  # the reason of a row that cannot be asked about
LEAST_TOKENS = 16  # of an instruction; with fewer, what is asked can no longer be told
_SEAM = 4  # tokens by which a cut text may grow when it is tokenised in its place


@dataclass(frozen=True, slots=True)
class FittedPrompt:
    """A prompt within the context; `is_cut` says that the instruction lost its end."""

    text: str
    is_cut: bool


def fit_prompt(engine: Engine, instruction: str, render: Callable[[str], str], room: int) -> FittedPrompt | None:
    """The prompt `render(instruction)`, with `room` tokens of the context left for what follows it.

    A prompt that is too long loses the end of its instruction, and nothing else. None where what would be left of
    the instruction is less than `LEAST_TOKENS` tokens, so that the rest alone is too long.
    """
    prompt = render(instruction)
    limit = engine.context
    # A token is at least one byte of UTF-8, so that most prompts need not be tokenised to know.
    if limit is None or len(prompt.encode("utf-8", "replace")) + room <= limit:
        return FittedPrompt(prompt, is_cut=False)
    excess = engine.count(prompt) + room - limit
    if excess <= 0:
        return FittedPrompt(prompt, is_cut=False)
    left = engine.count(instruction) - excess - _SEAM
    if left < LEAST_TOKENS:
        return None
    return FittedPrompt(render(engine.cut(instruction, left)), is_cut=True)


def text_limit(engine: Engine, render: Callable[[str], str], max_tokens: int, room: int) -> int:
    """Tokens that a text inside the prompt `render(text)` may have: `max_tokens`, or fewer in a short context."""
    if engine.context is None:
        return max_tokens
    return min(max_tokens, engine.context - engine.count(render("")) - room - _SEAM)
