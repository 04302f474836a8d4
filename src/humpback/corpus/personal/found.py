"""One piece of personal data, and how digits and the signs between them are read."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal

Kind = Literal["email", "phone", "card", "account", "ip", "us_ssn"]

SPACES = " \t\u00a0\u1680\u2000-\u200b\u2060\u202f\u205f\u3000\ufeff"
"""Spaces within a line, as the inside of a regular expression's class: also non-breaking ones and those of no width."""

DASHES = "\u00ad\u2010-\u2015\u2212\ufe58\ufe63\uff0d-"
"""Hyphens, dashes and minus signs, as the inside of a regular expression's class; the plain hyphen stands last."""


@dataclass(frozen=True, slots=True)
class Found:
    """One piece of personal data: `text[start:end]`."""

    kind: Kind
    start: int
    end: int


def plain(text: str) -> str:
    """`text` with its digits, spaces and dashes in ASCII, of the same length."""
    if text.isascii():
        return text
    return "".join(map(_plain_character, text))


def _plain_character(character: str) -> str:
    if character.isascii():
        return character
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    category = unicodedata.category(character)
    if category == "Zs" or character in "\u200b\u2060\ufeff":
        return " "
    if category == "Pd" or character in "\u00ad\u2212":
        return "-"
    return {"＋": "+", "．": ".", "（": "(", "）": ")", "／": "/", "：": ":"}.get(character, character)
