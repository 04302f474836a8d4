"""What counts as a word, and how much a text says, in languages with spaces between words and without."""

from __future__ import annotations

import re

_HAN = "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KANA = "\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f"
_HANGUL = "\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3"
_SOUTH_EAST_ASIAN = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao; Burmese; Khmer

# All of the above, and cheaper to look for: most texts have nothing in it.
_WIDE = re.compile("[\u0e00-\u1fff\u2e80-\U0003ffff]")

_UNSPACED = f"{_HAN}{_KANA}{_SOUTH_EAST_ASIAN}"
_UNSPACED_RUN = re.compile(f"[{_UNSPACED}]+")
_WORD = re.compile(f"[{_UNSPACED}]|[^\\W{_UNSPACED}]+")
_PLAIN_WORD = re.compile(r"\w+")
_HEAVY = re.compile(f"[{_HAN}]+")
_MEDIUM = re.compile(f"[{_KANA}{_HANGUL}]+")

# Cutting a text at spaces takes a third of the time of looking for words; this makes that possible for most texts.
_SPACED = "".join(sign if sign.isalnum() or sign == "_" else " " for sign in map(chr, range(128)))
_TYPOGRAPHY = "’‘“”–—…\xa0"

HAN_WEIGHT = 3
"""Latin letters that a Chinese character stands for, at least. Ours, measured on the translations of the Debian
Handbook: the Chinese pages equal the English ones at 3.9 to 4.4, with names and commands left in Latin."""

SYLLABLE_WEIGHT = 2
"""Latin letters that a Japanese or Korean syllable sign stands for (measured as above: 1.6 and 2.4)."""

UNSPACED_SHARE = 0.3
"""A text with more than this share of its characters in scripts without spaces is one without spaces (ours:
Japanese technical text is a third Latin, English text that quotes Chinese hardly ever a third Chinese)."""


def is_narrow(text: str) -> bool:
    """Whether every character counts as one, and words are what stands between spaces and signs."""
    return text.isascii() or _WIDE.search(text) is None


def weighted_length(text: str) -> int:
    """The number of characters, Chinese, Japanese and Korean ones counted as the Latin letters they stand for."""
    if is_narrow(text):
        return len(text)
    heavy = sum(match.end() - match.start() for match in _HEAVY.finditer(text))
    medium = sum(match.end() - match.start() for match in _MEDIUM.finditer(text))
    return len(text) + (HAN_WEIGHT - 1) * heavy + (SYLLABLE_WEIGHT - 1) * medium


def words(text: str, narrow: bool | None = None) -> list[str]:
    """The runs of letters and digits; in Chinese, Japanese, Thai, Lao, Khmer and Burmese each character.

    `narrow` is what `is_narrow` answers for the text, where that is known.
    """
    if not text.isascii():
        for sign in _TYPOGRAPHY:
            text = text.replace(sign, " ")
    if text.isascii():
        return text.translate(_SPACED).split()
    if narrow is None:
        narrow = is_narrow(text)
    return (_PLAIN_WORD if narrow else _WORD).findall(text)


def is_unspaced(text: str) -> bool:
    """Whether `text` is in a language that sets no spaces between words."""
    if is_narrow(text):
        return False
    unspaced = sum(match.end() - match.start() for match in _UNSPACED_RUN.finditer(text))
    return unspaced > UNSPACED_SHARE * len(text)
