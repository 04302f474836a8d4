"""Rules that read the instruction beside its output: copied words, another language, a text that is not at hand."""

from __future__ import annotations

import re

from humpback.config import LintConfig
from humpback.corpus.language import identify
from humpback.corpus.words import words
from humpback.lint.guess import SURE_LANGUAGE_CHARS, Guess, Verdict
from humpback.lint.overlap import common_words, longest_common_run
from humpback.lint.request import is_asking
from humpback.records import DropReason

COPIED_RUN = 4
"""So many words in a row that the output has too count as copied (ours: shorter ones are idioms and names)."""

COPIED_LEAST = 14
"""Fewer copied words are no copy, however short what is stated (ours)."""

ASKED_FACTOR = 3
"""How many times longer a run may be where questions and requests are concerned (ours: "Write a PHP function that
receives two date strings and returns ..." and "This function receives two date strings and returns ...")."""

_LANGUAGES = re.compile(
    r"\btranslat\w*|\bübersetz\w*|\btradu[cizç]\w*|\bперев[eо]\w*|翻[译譯訳]|번역"
    r"|\b(?:english|german|french|spanish|portuguese|italian|dutch|swedish|norwegian|danish|finnish|polish|czech|russian|"
    r"ukrainian|greek|turkish|arabic|hebrew|persian|hindi|urdu|bengali|tamil|thai|vietnamese|indonesian|malay|chinese|"
    r"mandarin|cantonese|japanese|korean|latin|swahili|hungarian|romanian|bulgarian|catalan|language)\b",
    re.IGNORECASE,
)
_TEXTS = (
    r"(?:text|article|passage|paragraph|document|excerpt|extract|essay|report|page|webpage|web page|website|post"
    r"|blog post|book|novel|chapter|section|story|poem|tutorial|guide|transcript|conversation|dialogue|email|letter"
    r"|sentences?|statements?|table|figure|diagram|chart|graph|image|picture|photo|code|snippet|script|list|quote"
    r"|information|content)"
)
_AUTHORS = r"(?:text|article|passage|paragraph|document|excerpt|extract|author|writer|narrator|speaker|report|study)"
_SAYS = (
    r"(?:says?|said|mean|describ|mention|suggest|argu|giv|recommend|stat|use|refer|discuss|explain|feel|think|make"
    r"|offer)"
)
_MISSING = re.compile(
    rf"\bthe (?:above|preceding|previous|below|given|provided|attached) (?:\w+ )?{_TEXTS}\b"
    rf"|\bfollowing (?:\w+ )?{_TEXTS}\b"
    rf"|\b{_TEXTS} (?:above|below|provided|attached)\b"
    rf"|\bth(?:is|ese) (?:\w+ )?{_TEXTS}(?! (?:to|for)\b)\b"
    rf"|\b(?:according to|in|from|does|did|by|of) the {_AUTHORS}(?:'s)?(?= *[?.,!]| {_SAYS}|$)"
    rf"|\baccording to th(?:e|is) {_TEXTS}\b|\bthe {_AUTHORS} {_SAYS}\w*"
    r"|\b(?:differences?|similarit\w+|relationship|connection|contrast) between (?:the|these|those) "
    r"(?:two|three|four) \w+\W*$"
    r"|\b(?:the|these|those) (?:two|three|four) (?:sentences|statements|texts|passages|paragraphs|articles)\b"
    r"|\b(?:dieser|diesem|diesen|dieses|obige\w*|folgende\w*) (?:text|artikel|abschnitt|absatz)\w*"
    r"|\blaut dem (?:text|autor)\b"
    r"|\b(?:ce|cet|cette) (?:texte|article|passage|paragraphe|extrait)\b|\b(?:texte|article) ci-d\w+"
    r"|\bselon (?:le texte|l'auteur)\b"
    r"|\beste (?:texto|artículo|pasaje|párrafo)\b|\bsegún el (?:texto|autor|artículo)\b"
    r"|\bquesto (?:testo|articolo|brano)\b|\bneste (?:texto|artigo)\b|\bэт(?:ом|от|ого) текст\w*"
    r"|上文|下文|这篇|該篇|本文|以下の文|この文章|上記の文",
    re.IGNORECASE,
)

ENCLOSED_WORDS = 8
"""An instruction brings the text that it speaks of when so many words stand behind a colon, in code or on lines of
their own (ours)."""

QUOTED_WORDS = 3
"""The same where they stand in quotes (ours: fewer are a name)."""

_ENCLOSED = re.compile(r"[:：]\s+(.+)|\n\s*(.+)|```(.+?)```", re.DOTALL)
_QUOTED = re.compile(r"[\"“«「]([^\"“”«»「」]+)[\"”»」]")


def copied_output(guess: Guess, config: LintConfig) -> Verdict:
    """What it states shares too long a run of words with the output, or too large a part of its words in shorter runs.

    Code counts as stated. Of what it asks, `ASKED_FACTOR` times as long a run may stand there: good answers begin by
    saying what was asked.
    """
    stated = [sentence for sentence in guess.sentences if not is_asking(guess, sentence)]
    joined = words("\n".join([*stated, guess.code]).casefold())
    limit = config.max_copied_words
    if limit is not None:
        for text, most in ((joined, guess.scaled(limit)), (guess.words, guess.scaled(limit * ASKED_FACTOR))):
            longest = longest_common_run(text, guess.output_words) if len(text) > most else 0
            if longest > most:
                return DropReason.COPIED_OUTPUT, f"{longest} words in a row stand in the text too"
    taken = len(common_words(joined, guess.output_words, guess.scaled(COPIED_RUN)))
    if config.max_copied_share is None or taken < guess.scaled(COPIED_LEAST):
        return None
    share = taken / len(joined)
    if share <= config.max_copied_share:
        return None
    return DropReason.COPIED_OUTPUT, f"{share:.2f} of the words that it states stand in the text in the same order"


def other_language(guess: Guess) -> Verdict:
    """In another language than the output, where both are sure and the instruction does not speak of languages.

    Both halves of the output must be in that language: a list of names has a new one in each.
    """
    if not guess.language or _LANGUAGES.search(guess.plain):
        return None
    found = identify(guess.output)
    if found in ("", guess.language):
        return None
    middle = len(guess.output) // 2
    halves = (guess.output[:middle], guess.output[middle:])
    if sum(map(str.isalpha, guess.output)) < 2 * SURE_LANGUAGE_CHARS or any(identify(half) != found for half in halves):
        return None
    return DropReason.LANGUAGE_MISMATCH, f"is in {guess.language!r}, the text in {found!r}"


def missing_text(guess: Guess) -> Verdict:
    """Speaks of a text that whoever reads the instruction would not have before them."""
    found = _MISSING.search(guess.plain)
    if found is None or _brings_text(guess):
        return None
    return DropReason.MISSING_TEXT, f"speaks of {found.group().strip()[:80]!r}, which it does not bring"


def _brings_text(guess: Guess) -> bool:
    parts = (part for groups in _ENCLOSED.findall(guess.instruction) for part in groups)
    if any(len(words(part)) >= guess.scaled(ENCLOSED_WORDS) for part in parts):
        return True
    return any(len(words(part)) >= guess.scaled(QUOTED_WORDS) for part in _QUOTED.findall(guess.instruction))
