"""Which segments are good text: the rules of Gopher, FineWeb and C4, as far as they fit a segment, and ours.

Gopher is Rae et al. 2021 (arXiv 2112.11446, appendix A.1), FineWeb Penedo et al. 2024 (arXiv 2406.17557, section
3.6), C4 Raffel et al. 2020 (arXiv 1910.10683, section 2.2). The thresholds are in `QualityConfig`.

The rules look at the text as it is read, without markup: at its prose, which is all but headings, tables and code;
those about sentences at its paragraphs, which is prose but for lists.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from humpback.config import QualityConfig
from humpback.corpus.blocklist import blocked_words
from humpback.corpus.boilerplate import boilerplate_chars
from humpback.corpus.filters import Verdict
from humpback.corpus.outline import Block, Kind
from humpback.corpus.prose import Prose
from humpback.corpus.repetition import chars, repeated_ngrams
from humpback.corpus.words import words
from humpback.records import DropReason

STOP_WORDS = frozenset({"the", "be", "to", "of", "and", "that", "have", "with"})
"""Words that English prose can hardly do without (Gopher)."""

SHORT_LINE_CHARS = 30
"""A line below this is short (FineWeb)."""

PARAGRAPH_SHARE = 0.5
"""The rules about sentences apply where at least this share of the prose is paragraphs (ours: a recipe is a list
with a line above it)."""

ASCII_SHARE = 0.9
"""A text of unknown language with at least this share of ASCII characters is taken for English (ours: other
languages in Latin letters have accents, but for a few; those are for the language filter)."""

_BULLET = re.compile(r"[•‣▪●◦○■–*-]\s")
_ELLIPSIS = re.compile(r"(?:\.{3,}|…)[\"'”’)\]]*$")
_STOPPED = re.compile(r"[.!?:;؟۔।။።។‥…。！？：；]+[\"'”’»)\]」』）*]*$")
_TEASER = re.compile(r"(?:\.{3,}|…|\b(?:read|show|see|view) more|continue reading|\[\.\.\.\]|\[…\])\W*$", re.IGNORECASE)
_DANGLING_SIGNS = (",", "(", "–", "—", ":", "：")
_DANGLING = """
a an and as at because but by for from if in into is of on or our than that the their to was were which with your
"""
_DANGLING_WORDS = frozenset(_DANGLING.split())
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class _Passage:
    """A segment's blocks, of which `lines` are prose and `paragraphs` no lists, and its prose as a whole."""

    blocks: Sequence[Block]
    prose: Prose
    language: str

    @cached_property
    def lines(self) -> list[Block]:
        return prose_lines(self.blocks)

    @cached_property
    def paragraphs(self) -> list[str]:
        """The paragraphs, where they are most of the prose; else none."""
        found = [block.text for block in self.lines if block.kind is Kind.PARAGRAPH]
        return found if sum(map(len, found)) >= PARAGRAPH_SHARE * len(self.prose.text) else []


def prose_lines(blocks: Sequence[Block]) -> list[Block]:
    """The blocks that are prose."""
    heading = Kind.HEADING
    return [block for block in blocks if block.kind < heading and block.text]


def prose_of(blocks: Sequence[Block]) -> Prose:
    """The prose of a segment's blocks."""
    return Prose("\n".join(block.text for block in prose_lines(blocks)))


def judge(blocks: Sequence[Block], prose: Prose, language: str, config: QualityConfig) -> Verdict:
    """The first rule that speaks against a segment, or None. A segment without prose is judged by no rule.

    In languages without spaces characters count as words (`symbols`); the rules about the length of words, words
    with letters, stop words and repeated n-grams do not apply to them, nor, as Thai and Lao have no full stop, does the
    one about punctuation.

    Args:
        blocks: the segment's blocks.
        prose: what `prose_of` makes of them.
        language: its ISO 639 code, empty where it is not known.
        config: the thresholds; None switches a rule off.
    """
    if not prose.text:
        return None
    passage = _Passage(blocks, prose, language)
    for rule in _RULES:
        verdict = rule(passage, config)
        if verdict is not None:
            return verdict
    return None


def word_length(passage: _Passage, config: QualityConfig) -> Verdict:
    """Words too short or too long on average (Gopher)."""
    if passage.prose.unspaced:
        return None
    mean = chars(passage.prose.tokens) / len(passage.prose.tokens)
    low, high = config.min_mean_word_chars, config.max_mean_word_chars
    if (low is None or mean >= low) and (high is None or mean <= high):
        return None
    return DropReason.WORD_LENGTH, f"words of {mean:.1f} characters on average"


def symbols(passage: _Passage, config: QualityConfig) -> Verdict:
    """Too many hash signs and ellipses for its words (Gopher)."""
    count = passage.prose.text.count("#") + passage.prose.text.count("...") + passage.prose.text.count("…")
    number = len(passage.prose.words if passage.prose.unspaced else passage.prose.tokens)
    if config.max_symbols is None or count <= config.max_symbols * number:
        return None
    return DropReason.SYMBOLS, f"{count} hash signs and ellipses to {number} words"


def bullets(passage: _Passage, config: QualityConfig) -> Verdict:
    """Hardly a line that does not start with a bullet (Gopher), headings among them.

    Numbered steps have no bullets, and one that ends in a full stop is a sentence (ours: a list of those reads well).
    """
    if config.max_bullet_lines is None:
        return None
    lines = [block for block in passage.blocks if block.text]
    most = config.max_bullet_lines * len(lines)
    begun = [line.text for line in lines if line.kind is Kind.BULLET or _BULLET.match(line.text)]
    if len(begun) <= most:
        return None
    count = sum(not _STOPPED.search(text[-8:]) for text in begun)
    if count <= most:
        return None
    return DropReason.BULLETS, f"{count} of {len(lines)} lines start with a bullet"


def ellipses(passage: _Passage, config: QualityConfig) -> Verdict:
    """Too many lines that end in an ellipsis (Gopher)."""
    text = passage.prose.text
    if config.max_ellipsis_lines is None or ("..." not in text and "…" not in text):
        return None
    count = sum(_ELLIPSIS.search(line.text[-8:]) is not None for line in passage.lines)
    if count <= config.max_ellipsis_lines * len(passage.lines):
        return None
    return DropReason.ELLIPSES, f"{count} of {len(passage.lines)} lines end in an ellipsis"


def few_letters(passage: _Passage, config: QualityConfig) -> Verdict:
    """Too few words with a letter in them (Gopher)."""
    if config.min_words_with_letters is None or passage.prose.unspaced:
        return None
    tokens = passage.prose.tokens
    least = config.min_words_with_letters * len(tokens)
    count = sum(map(str.isalpha, tokens))
    if count >= least:  # enough for most texts
        return None
    count += sum(any(map(str.isalpha, token)) for token in tokens if not token.isalpha())
    if count >= least:
        return None
    return DropReason.FEW_LETTERS, f"{count} of {len(tokens)} words have letters"


def few_stop_words(passage: _Passage, config: QualityConfig) -> Verdict:
    """Too few of English's most common words (Gopher); English and unknown text in ASCII letters only."""
    if config.min_stop_words is None or passage.language not in {"", "en"}:
        return None
    text = passage.prose.text
    if not (passage.language or text.isascii()) and sum(map(str.isascii, text)) < ASCII_SHARE * len(text):
        return None
    found = [word for word in STOP_WORDS if word in passage.prose.words.counts]
    if len(found) >= config.min_stop_words:
        return None
    return DropReason.FEW_STOP_WORDS, f"only {', '.join(sorted(found)) or 'none'} of the common words"


def repeated_lines(passage: _Passage, config: QualityConfig) -> Verdict:
    """Too many of the characters in lines that came before (Gopher)."""
    if config.max_repeated_line_chars is None:
        return None
    seen: set[str] = set()
    repeated = 0
    for line in passage.lines:
        repeated += len(line.text) if line.text in seen else 0
        seen.add(line.text)
    if repeated <= config.max_repeated_line_chars * len(passage.prose.text):
        return None
    return (
        DropReason.REPEATED_LINES,
        f"{repeated} of {len(passage.prose.text)} characters are in lines that came before",
    )


def repeated_phrases(passage: _Passage, config: QualityConfig) -> Verdict:
    """Too many of the characters in word n-grams that repeat (Gopher)."""
    if config.max_repeated_ngram_chars is None or passage.prose.unspaced:
        return None
    detail = repeated_ngrams(passage.prose.words, config.max_repeated_ngram_chars)
    return (DropReason.REPEATED_NGRAMS, detail) if detail else None


def unpunctuated(passage: _Passage, config: QualityConfig) -> Verdict:
    """Too few paragraphs that end with punctuation (FineWeb), as the colon before a list.

    One with a full stop within counts too (ours: a quotation and its author).
    """
    lines = passage.paragraphs
    if config.min_punctuated_lines is None or not lines or passage.prose.unspaced:
        return None
    count = sum(". " in line or _STOPPED.search(line[-8:]) is not None for line in lines)
    if count >= config.min_punctuated_lines * len(lines):
        return None
    return DropReason.UNPUNCTUATED, f"{count} of {len(lines)} lines end with punctuation"


def short_lines(passage: _Passage, config: QualityConfig) -> Verdict:
    """Too many paragraphs of under 30 characters (FineWeb)."""
    lines = passage.paragraphs
    if config.max_short_lines is None or not lines:
        return None
    count = sum(len(line) < SHORT_LINE_CHARS for line in lines)
    if count <= config.max_short_lines * len(lines):
        return None
    return DropReason.SHORT_LINES, f"{count} of {len(lines)} lines are shorter than {SHORT_LINE_CHARS} characters"


def boilerplate(passage: _Passage, config: QualityConfig) -> Verdict:
    """Too many of the characters in sentences of cookie notices, subscriptions and the like (after C4)."""
    if config.max_boilerplate is None:
        return None
    chars, last = boilerplate_chars(passage.prose.text, passage.prose.words.counts)
    if chars <= config.max_boilerplate * len(passage.prose.text):
        return None
    return (
        DropReason.BOILERPLATE,
        f"{chars} of {len(passage.prose.text)} characters are in sentences such as {last[:80]!r}",
    )


def mostly_links(passage: _Passage, config: QualityConfig) -> Verdict:
    """Too many of the characters are link texts (ours)."""
    count = sum(block.link_chars for block in passage.blocks)
    total = sum(len(block.text) for block in passage.blocks)
    if config.max_links is None or count <= config.max_links * total:
        return None
    return DropReason.MOSTLY_LINKS, f"{count} of {total} characters are link texts"


def truncated(passage: _Passage, config: QualityConfig) -> Verdict:
    """Breaks off: its last line ends in an ellipsis, "read more", or within a sentence (after C4)."""
    if not config.drop_truncated:
        return None
    last = passage.blocks[-1]
    if not last.text or last.kind not in {Kind.PARAGRAPH, Kind.HEADING}:
        return None
    end = last.text[-40:]
    open_end = end.endswith(_DANGLING_SIGNS) and not end.endswith("::")  # the mark of a directive
    open_end = open_end or end.split()[-1].lower() in _DANGLING_WORDS
    if last.kind is Kind.HEADING or open_end or _TEASER.search(end):
        return DropReason.TRUNCATED, f"ends with {end!r}"
    return None


def mostly_numbers(passage: _Passage, config: QualityConfig) -> Verdict:
    """Too many digits among its letters and digits, tables included (ours)."""
    if config.max_digits is None:
        return None
    rest = "\n".join(block.text for block in passage.blocks if block.kind >= Kind.HEADING)
    digits = _digits(passage.prose.text) + _digits(rest)
    total = passage.prose.words.chars + chars(words(rest))
    if digits <= config.max_digits * total:
        return None
    return DropReason.MOSTLY_NUMBERS, f"{digits} of {total} letters and digits are digits"


def _digits(text: str) -> int:
    return sum(map(text.count, string.digits)) if text.isascii() else chars(_DIGITS.findall(text))


def blocked(passage: _Passage, config: QualityConfig) -> Verdict:
    """Too many words of the list of sexual and abusive ones (C4)."""
    if config.max_blocked_words is None:
        return None
    found = blocked_words(passage.prose.words, config.blocked_words, passage.prose.words.counts)
    if len(found) <= config.max_blocked_words:
        return None
    return DropReason.BLOCKED_WORDS, f"{len(found)} blocked words, among them {found[0]!r}"


_RULES: tuple[Callable[[_Passage, QualityConfig], Verdict], ...] = (
    truncated,
    bullets,
    ellipses,
    short_lines,
    unpunctuated,
    mostly_links,
    repeated_lines,
    symbols,
    word_length,
    few_letters,
    mostly_numbers,
    boilerplate,
    few_stop_words,
    blocked,
    repeated_phrases,
)
"""Cheap ones first."""
