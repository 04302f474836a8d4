"""The health of a model's answers: whether they end properly, repeat themselves, or leak a prompt or another turn."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from humpback.config import PromptsConfig, QualityConfig
from humpback.corpus.repetition import repeated_ngrams
from humpback.corpus.words import words
from humpback.evaluation.shares import Share, proportion
from humpback.lint.guess import Guess
from humpback.lint.meta import PromptPieces, leaked_prompt
from humpback.prompts import ChatFormat
from humpback.prompts.contract import BACKWARD_SYSTEM, RATING_SYSTEM, load_templates

SHORT_WORDS = 8
"""An answer of one line with so many words or fewer needs no stop: "Paris", "about 40 km" (ours)."""

_CLOSED = re.compile(r"(?:[.!?…。！？؟:：]|\[\d+\])[\"'”’»)\]」』）*_`]*$")
_FENCE = re.compile(r"^ {0,3}```", re.MULTILINE)
_LAID_OUT = re.compile(r"\s*(?:[-*+•]\s|\d{1,3}[.)]\s|\||#{1,6}\s|```|https?://)")
_TURN = re.compile(
    r"^[\W_]{0,4}(?:user|human|assistant|ai assistant|system|instruction|response)[\W_]{0,3}:[\W_]*\w",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Output:
    """A model's answer; `finish` is `end` where the model ended it, `length` where it was cut off, None if unknown."""

    text: str
    finish: str | None


@dataclass(frozen=True, slots=True)
class OutputHealth:
    """Shares of a model's answers, with Wilson's intervals.

    `ended` counts only answers of which it is known how they finished. `ends_properly`: not cut off, and closed, see
    `is_closed`. `leaks`: holds a piece of a prompt; `other_turn`: another speaker's turn begins in it.
    """

    outputs: int
    empty: Share
    ended: Share
    ends_properly: Share
    repeats: Share
    leaks: Share
    other_turn: Share


def output_health(outputs: Sequence[Output], pieces: PromptPieces | None = None) -> OutputHealth:
    """The health of some answers; `pieces` are those of the prompts asked with, by default the method's own."""
    known = packaged_pieces() if pieces is None else pieces
    return OutputHealth(
        outputs=len(outputs),
        empty=proportion([not one.text.strip() for one in outputs]),
        ended=proportion([one.finish == "end" for one in outputs if one.finish is not None]),
        ends_properly=proportion([one.finish in ("end", None) and is_closed(one.text) for one in outputs]),
        repeats=proportion([repeats(one.text) for one in outputs]),
        leaks=proportion([leaks(one.text, known) for one in outputs]),
        other_turn=proportion([begins_other_turn(one.text) for one in outputs]),
    )


def is_closed(text: str) -> bool:
    """Whether an answer looks finished (ours).

    Its last line ends with a closing mark, or is a list item, a row of a table, a heading, an address or a fence; or
    all of it is a few words on one line. A block of code that was opened must be closed.
    """
    text = text.strip()
    if not text or len(_FENCE.findall(text)) % 2:
        return False
    last = text.rpartition("\n")[2]
    if _CLOSED.search(last) or _LAID_OUT.match(last):
        return True
    return last == text and len(words(text)) <= SHORT_WORDS


def repeats(text: str) -> bool:
    """Whether too many of its characters stand in words that repeat (Gopher's bounds, as for segments)."""
    factor = QualityConfig().max_repeated_ngram_chars
    return factor is not None and bool(repeated_ngrams(words(text.casefold()), factor))


def leaks(text: str, pieces: PromptPieces) -> bool:
    """Whether a control token, words of a prompt in a row, or talk of instructions and replies stand in it."""
    return leaked_prompt(Guess(text.strip(), ""), pieces) is not None


def begins_other_turn(text: str) -> bool:
    """Whether a line begins with a speaker's name and goes on. "Question:" and "Q:" count not: answers quiz (ours)."""
    return _TURN.search(Guess(text.strip(), "").plain) is not None


def prompt_pieces(config: PromptsConfig, chat: ChatFormat) -> PromptPieces:
    """The pieces of the prompts that a model is trained on and asked with."""
    texts = [*load_templates(config).values(), BACKWARD_SYSTEM, RATING_SYSTEM, f"{config.seed_tag} {config.web_tag}"]
    return PromptPieces.of(texts, chat.special_tokens)


@cache
def packaged_pieces() -> PromptPieces:
    """Those of the default prompts, where it is not known what a model was asked with."""
    return prompt_pieces(PromptsConfig(), ChatFormat.plain())
