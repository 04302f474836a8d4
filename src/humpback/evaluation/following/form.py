"""Checks of an answer's form: lists, marks, titles, JSON, how it begins and ends.

Arguments bear the names of IFEval's data file. What a kind means is taken from the paper's table 4.
"""

from __future__ import annotations

import json
import re

CONSTRAINED_ANSWERS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
"""The three answers that the prompts of this kind allow."""

_PLACEHOLDER = re.compile(r"\[.*?\]")
_BULLET = re.compile(r"^\s*(?:\*[^*\n]|-).*$", re.MULTILINE)
_HIGHLIGHTS = (re.compile(r"\*([^\n*]*)\*"), re.compile(r"\*\*([^\n*]*)\*\*"))
_TITLE = re.compile(r"<<([^\n]+)>>")
_FENCED = re.compile(r"\A```(?:json)?\s*\n?(.*?)\n?```\Z", re.DOTALL | re.IGNORECASE)
_RESPONSE_MARK = "******"


def placeholder_count(response: str, num_placeholders: int) -> bool:
    """So many placeholders in square brackets stand in it, or more."""
    return len(_PLACEHOLDER.findall(response)) >= num_placeholders


def has_postscript(response: str, postscript_marker: str) -> bool:
    """A postscript with that marker stands in it; spaces within the marker do not count, nor do capitals.

    The last stop of "P.P.S" may be missing, as in the data file.
    """
    letters = [re.escape(letter) for letter in postscript_marker.casefold() if letter.isalnum()]
    if not letters:
        return postscript_marker.casefold() in response.casefold()
    pattern = r"\.\s?".join(letters) + (r"\." if postscript_marker.strip().endswith(".") else "")
    return re.search(rf"(?<!\w){pattern}", response.casefold()) is not None


def bullet_count(response: str, num_bullets: int) -> bool:
    """Exactly so many lines begin with `* ` or `-`."""
    return len(_BULLET.findall(response)) == num_bullets


def is_constrained(response: str) -> bool:
    """One of the allowed answers stands in it."""
    return any(answer in response for answer in CONSTRAINED_ANSWERS)


def highlight_count(response: str, num_highlights: int) -> bool:
    """So many pieces of a line are highlighted with asterisks, one or two at each end, or more."""
    found = sum(bool(piece.strip()) for pattern in _HIGHLIGHTS for piece in pattern.findall(response))
    return found >= num_highlights


def section_count(response: str, section_spliter: str, num_sections: int) -> bool:
    """So many sections begin with that word and a number, or more."""
    return len(re.findall(rf"{re.escape(section_spliter)}\s?\d+", response)) >= num_sections


def is_json(response: str) -> bool:
    """All of it is JSON, within a fenced block or without."""
    text = response.strip()
    fenced = _FENCED.match(text)
    try:
        json.loads(fenced.group(1) if fenced else text)
    except (ValueError, RecursionError):
        return False
    return True


def has_title(response: str) -> bool:
    """A title in double angular brackets stands in it."""
    return any(title.strip("<> ") for title in _TITLE.findall(response))


def two_responses(response: str) -> bool:
    """It is two different answers with `******` between them."""
    parts = [part.strip() for part in response.split(_RESPONSE_MARK)]
    inner = parts[1 if not parts[0] else 0 : -1 if not parts[-1] else None]
    return len(inner) == 2 and all(inner) and inner[0] != inner[1]


def repeats_prompt(response: str, prompt_to_repeat: str) -> bool:
    """It begins with the request, word by word."""
    return response.strip().casefold().startswith(prompt_to_repeat.strip().casefold())


def ends_with(response: str, end_phrase: str) -> bool:
    """Its last words are that phrase; quotes around the answer do not count."""
    return response.strip().strip('"').casefold().endswith(end_phrase.strip().casefold())


def is_quoted(response: str) -> bool:
    """All of it stands in double quotes."""
    text = response.strip()
    return len(text) > 1 and text[0] == text[-1] == '"'
