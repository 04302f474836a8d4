"""Checks that count: keywords, letters, words, sentences, paragraphs, capitals, commas, and the language.

Arguments bear the names of IFEval's data file. What a kind means is taken from the paper's table 4; where it leaves
open what is counted, we count as its published figures do, and say so.
"""

from __future__ import annotations

import re
from typing import Literal

from humpback.corpus.language import identify

Relation = Literal["less than", "at least"]

_WORD = re.compile(r"\w+")
_ABBREVIATIONS = (
    "mr|mrs|ms|dr|prof|sr|jr|st|rev|gen|col|capt|lt|sgt|gov|sen|rep|hon|inc|ltd|co|corp|vs|etc|e\\.g|i\\.e|cf|al|no|vol"
    "|fig|dept|est|approx|ave|blvd|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|a\\.m|p\\.m|p\\.s|u\\.s"
)
_SENTENCE_END = re.compile(
    r"(?:[.!?؟]+[\"'”’)\]*_]*(?=\s)|[।。！？]+[”’」』）]*)(?:\s*\n+|\s*)",
)
_ENDS_WITH_ABBREVIATION = re.compile(rf"(?:^|[\s(\"'“‘*])(?:{_ABBREVIATIONS}|[a-z])\.$", re.IGNORECASE)
_PARAGRAPH_MARK = re.compile(r"\s?\*\*\*\s?")
_FIRST_WORD = re.compile(r"[^\s.,?!'\"]+")


def keywords_exist(response: str, keywords: list[str]) -> bool:
    """Every keyword stands in it, in capitals or small letters, also within longer words."""
    return all(keyword.casefold() in response.casefold() for keyword in keywords)


def keyword_frequency(response: str, keyword: str, frequency: int, relation: Relation) -> bool:
    """The keyword stands in it so many times, also within longer words."""
    return compared(response.casefold().count(keyword.casefold()), relation, frequency)


def no_forbidden_words(response: str, forbidden_words: list[str]) -> bool:
    """None of the words stands in it as a word of its own."""
    return not any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", response, re.IGNORECASE) for word in forbidden_words)


def letter_frequency(response: str, letter: str, let_frequency: int, let_relation: Relation) -> bool:
    """The letter, small or capital, or the sign, stands in it so many times."""
    return compared(response.casefold().count(letter.casefold()), let_relation, let_frequency)


def response_language(response: str, language: str) -> bool:
    """It is in that language (ISO 639-1). A text in which no language can be told counts as in it, as in IFEval."""
    return _is_in(response, language)


def sentence_count(response: str, num_sentences: int, relation: Relation) -> bool:
    """It has so many sentences."""
    return compared(len(sentences(response)), relation, num_sentences)


def paragraph_count(response: str, num_paragraphs: int) -> bool:
    """It has exactly so many paragraphs with `***` between them, none of them empty."""
    parts = [part.strip() for part in _PARAGRAPH_MARK.split(response)]
    inner = parts[1 if not parts[0] else 0 : -1 if not parts[-1] else None]
    return all(inner) and len(inner) == num_paragraphs


def word_count(response: str, num_words: int, relation: Relation) -> bool:
    """It has so many runs of letters, digits and underscores."""
    return compared(len(_WORD.findall(response)), relation, num_words)


def nth_paragraph_first_word(response: str, num_paragraphs: int, nth_paragraph: int, first_word: str) -> bool:
    """It has exactly so many paragraphs with two line breaks between them, and the n-th begins with that word."""
    paragraphs = [part.strip() for part in response.split("\n\n") if part.strip()]
    if len(paragraphs) != num_paragraphs or not 1 <= nth_paragraph <= num_paragraphs:
        return False
    found = _FIRST_WORD.match(paragraphs[nth_paragraph - 1].lstrip("'\""))
    return found is not None and found.group().casefold() == first_word.casefold()


def capital_word_frequency(response: str, capital_frequency: int, capital_relation: Relation) -> bool:
    """So many of its words are in capitals throughout."""
    found = sum(word.isupper() for word in re.findall(r"\w+(?:[-'’.]\w+)*", response))
    return compared(found, capital_relation, capital_frequency)


def english_capitals(response: str) -> bool:
    """It is in English and in capitals throughout."""
    return response.isupper() and _is_in(response.casefold(), "en")


def english_small_letters(response: str) -> bool:
    """It is in English and without capitals."""
    return response.islower() and _is_in(response, "en")


def no_comma(response: str) -> bool:
    """No comma is in it."""
    return "," not in response


def sentences(text: str) -> list[str]:
    """Its sentences. One ends at a stop, question or exclamation mark that white space follows, or at the text's end.

    A line break alone ends none, nor does the stop of an abbreviation, an initial or a numbered list ("1. ") (ours:
    IFEval takes a trained splitter).
    """
    found: list[str] = []
    start = 0
    for end in _SENTENCE_END.finditer(text):
        piece = text[start : end.end()].strip()
        if _is_open(piece):
            continue
        found.append(piece)
        start = end.end()
    rest = text[start:].strip()
    return [*found, rest] if rest else found


def _is_open(piece: str) -> bool:
    last_line = piece.rpartition("\n")[2].strip()
    return bool(_ENDS_WITH_ABBREVIATION.search(piece)) or re.fullmatch(r"\W*\d{1,2}\.", last_line) is not None


def _is_in(text: str, language: str) -> bool:
    return identify(text.replace("`", "")) in (language, "")  # between marks of code there is prose too


def compared(found: int, relation: Relation, wanted: int) -> bool:
    """Whether a number is as the relation wants it."""
    return found < wanted if relation == "less than" else found >= wanted
