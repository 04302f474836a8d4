"""Rules about the instruction's own form: nothing in it, a title, several requests, repetition, no end, too long."""

from __future__ import annotations

import re

from humpback.config import LintConfig
from humpback.corpus.words import weighted_length, words
from humpback.lint.guess import Guess, Verdict
from humpback.lint.overlap import repeated_words
from humpback.lint.request import VERBS, asks, is_asking
from humpback.records import DropReason

REPEATED_RUN = 4
"""So many words in a row that came before count as repeated (ours: shorter ones are idioms)."""

REPEATED_LEAST = 12
"""Fewer repeated words are no repetition (ours: "... in Python? ... in Python?")."""

TITLE_WORDS = 12
"""A longer line is no title (ours)."""

TITLE_LIKENESS = 0.8
"""Share of words in common by which a line is a header of its text (ours: "Getting started" and "Get started" are two
titles, "How to get started" asks)."""

_END = re.compile(r"[.!?:;…。！？：]+[\"'”’»)\]」』）*`]*$|`$")
_DANGLING = {
    "en": "a an and because but if or than the their your our its my every whose although unless",
    "de": "der die das den dem des ein eine einen einem einer und oder aber weil dass wenn als mein dein ihr",
    "fr": "le la les un une des du et ou mais parce que si mon ton son leur",
    "es": "el la los las un una unos unas y o pero porque que si mi tu su",
    "it": "il lo la i gli le un uno una e o ma perché che se",
    "pt": "o a os as um uma e ou mas porque que se",
}
DANGLING = {language: frozenset(listed.split()) for language, listed in _DANGLING.items()}
"""Words that no instruction ends with, by language; prepositions are not among them, since English questions do."""

_NUMBERED = re.compile(r"\W{0,3}\(?(?:\d{1,2}|[a-h])[.):]\s", re.IGNORECASE)
_CUE = re.compile(r"\n\W*\w+\s*[:：]$")
_OPEN_END = re.compile(r"[(\[{–—,，、（]$|[:：]$")


def empty(guess: Guess) -> Verdict:
    """No letter or digit in it."""
    if any(map(str.isalnum, guess.instruction)):
        return None
    return DropReason.EMPTY_INSTRUCTION, "no letter or digit in it"


def too_few_words(guess: Guess, config: LintConfig) -> Verdict:
    """Fewer words than `min_words`; two characters are a word where languages set no spaces."""
    if config.min_words is None or len(guess.words) >= guess.scaled(config.min_words):
        return None
    return DropReason.TOO_FEW_WORDS, f"fewer than {config.min_words} words"


def title(guess: Guess) -> Verdict:
    """One line that asks nothing and is a header of the text, or begins every longer word with a capital."""
    line = guess.plain.strip("#*_ ")
    if "\n" in line or _END.search(line) or _starts_as_question(line):
        return None
    found = words(line)
    if not guess.scaled(2) <= len(found) <= guess.scaled(TITLE_WORDS):
        return None
    for header in guess.headers:
        if _alike(guess.words, words(header.casefold())):
            return DropReason.TITLE_ONLY, f"is the header {header[:80]!r}"
    longer = [word for word in found if len(word) > 3]
    if len(longer) > 1 and found[0].casefold() not in VERBS and all(word[0].isupper() for word in longer):
        return DropReason.TITLE_ONLY, "is written as a title"
    return None


def several_requests(guess: Guess, config: LintConfig) -> Verdict:
    """More questions and numbered requests than `max_requests`, none of them the same.

    Requests without a number are most often the terms of one: "Write a poem. Use rhymes. Keep it short."
    """
    if config.max_requests is None:
        return None
    found = {
        sentence.casefold()
        for sentence in guess.sentences
        if any(mark in sentence for mark in "?？؟") or (_NUMBERED.match(sentence) and is_asking(guess, sentence))
    }
    if len(found) <= config.max_requests:
        return None
    return DropReason.SEVERAL_REQUESTS, f"{len(found)} questions and numbered requests"


def repeats_itself(guess: Guess, config: LintConfig) -> Verdict:
    """More than `max_repeated` of its words stand in runs that came before."""
    if config.max_repeated is None:
        return None
    found = guess.plain_words
    again = len(repeated_words(found, guess.scaled(REPEATED_RUN)))
    if again < guess.scaled(REPEATED_LEAST) or again <= config.max_repeated * len(found):
        return None
    return DropReason.REPEATS_ITSELF, f"{again} of {len(found)} words came before in the same order"


def unfinished(guess: Guess) -> Verdict:
    """Ends with a word or sign that something must follow."""
    last_line = guess.plain.rpartition("\n")[2].strip()
    is_meant = _CUE.search(guess.plain) or (last_line.endswith(",") and "\n" in guess.plain)  # "Answer:"; a verse
    if _OPEN_END.search(last_line) and not is_meant:
        return DropReason.UNFINISHED, f"ends with {last_line[-1:]!r}"
    last = words(last_line.casefold())[-1:]
    known = DANGLING.get(guess.language or "en", frozenset())
    if _END.search(last_line) or not last or last[0] not in known or not last_line.casefold().endswith(last[0]):
        return None
    return DropReason.UNFINISHED, f"ends with {last[0]!r}"


def too_long(guess: Guess, config: LintConfig) -> Verdict:
    """Longer than `max_chars` weighted characters."""
    if config.max_chars is None:
        return None
    length = weighted_length(guess.instruction)
    if length <= config.max_chars:
        return None
    return DropReason.INSTRUCTION_TOO_LONG, f"{length} characters, above {config.max_chars}"


def _starts_as_question(line: str) -> bool:
    return asks(line) and words(line.casefold())[:1] != [] and words(line.casefold())[0] not in VERBS


def _alike(one: list[str], other: list[str]) -> bool:
    ours, theirs = set(one), set(other)
    return bool(theirs) and len(ours & theirs) >= TITLE_LIKENESS * len(ours | theirs)
