"""Texts as prompts and texts are compared: without case, accents, apostrophes and punctuation."""

from __future__ import annotations

import re
import unicodedata

from humpback.corpus.words import words

SENTENCE_END = "\r"
"""What stands for the end of a sentence in a plain text (there is no other carriage return in it)."""

# Marks that make most English texts more than ASCII. Replaced one by one, they leave the fast way open.
_TYPOGRAPHIC = str.maketrans("\u2018\u2019\u201c\u201d\u2013\u2014\u2026\u2022\u00a0\u00ad", "''\"\"--.* '")
_APOSTROPHES = "'`\u02bc"
_ENDS = ".!?:\u3002\uff01\uff1f"
_PUNCTUATION: dict[int, str | None] = {
    **{code: " " for code in range(128) if not chr(code).isalnum() and chr(code) != "\n"},
    **{ord(mark): SENTENCE_END for mark in _ENDS},
    **{ord(mark): None for mark in _APOSTROPHES},
}
_COMBINING = re.compile("[\u0300-\u036f\u3099\u309a]+")

_FUNCTION_WORDS = """
    a about after all also although am an and answer any are arent as at be because been before being best between
    both but by can cannot cant correct could did didnt different do does doesnt doing dont each either else every
    false few following for from get give given had has have having he her here him his how however i if im in into
    is isnt it its just know less let like list make many may me might more most much must my need no nor not of off
    on one only or other our out over own please question same she should so some statement statements such take
    than that the their them then there these they thing things this those though through to too true two under
    until up upon us use used using very was way ways we were what when where whether which while who whom whose why
    will with within without would write you your yours
"""

FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
"""English words that say nothing of a subject (ours: the usual stop words, and what prompts ask with)."""


def plain_text(text: str) -> str:
    """The text without case, accents and ASCII punctuation; its lines and the ends of its sentences are kept."""
    if not text.isascii():
        for mark, plain in _TYPOGRAPHIC.items():
            text = text.replace(chr(mark), chr(plain))
    if not text.isascii():
        text = _COMBINING.sub("", unicodedata.normalize("NFKD", text)).casefold()
    return text.translate(_PUNCTUATION).lower()


def plain_words(plain: str) -> list[str]:
    """The words of a plain text in order; in scripts without spaces each character is one."""
    return plain.split() if plain.isascii() else words(plain)


def compact_lines(plain: str) -> list[str]:
    """The lines of a plain text without what stands between words, except the ends of sentences."""
    if plain.isascii():
        return plain.replace(" ", "").split("\n")
    return [
        SENTENCE_END.join("".join(words(sentence)) for sentence in line.split(SENTENCE_END))
        for line in plain.split("\n")
    ]
