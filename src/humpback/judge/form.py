"""Signals that need no model: what the words and signs of a pair give away.

Each is a number that grows with a defect and is near zero, or at a level of its own, in good answers. None speaks
alone; the judge weighs them against seed pairs. Word lists are English, the rest reads any language.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import log1p

from humpback.corpus.language import identify
from humpback.corpus.words import words
from humpback.judge.lexicon import FUNCTION_WORDS, RATES
from humpback.lint.overlap import common_words, longest_common_run, repeated_words

LANGUAGE_PIECE = 240
"""Characters of a piece whose language is looked for (ours: identification is right in .97 at that length)."""

REPEATED_RUN = 5
"""Words in a row that count as repeated (ours)."""

_END = re.compile(r"[.!?:;…。！？：؟)\]\"'”’»」』*_`|>~]\W*$")
_OPEN_START = re.compile(r"^(?:[,.;:)\]…–—]|[a-z](?!\W))|^[a-z]+\b")
_LINKING = re.compile(
    r"^\W*(?:also|and|but|or|so|then|thus|therefore|however|moreover|furthermore|additionally|finally|instead|otherwise"
    r"|nevertheless|besides|consequently|similarly|likewise|this|these|those|they|it|its|such|both|another|other|which"
    r"|that|he|she|his|her|their|because|while|although)\b",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^\W{0,3}(\d{1,3})[.):]\s", re.MULTILINE)


def form_signals(instruction: str, output: str) -> dict[str, float]:
    """The signals of one pair by name."""
    text = output.strip()
    asked, found = words(instruction.casefold()), words(text.casefold())
    count = max(1, len(found))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    signals = {
        "length": log1p(len(found)),
        "open_start": float(bool(_OPEN_START.match(text)) or _starts_late(text)),
        "linking_start": float(bool(_LINKING.match(text))),
        "open_end": float(not _END.search(text)) * (0.5 if _ends_in_list(lines) else 1.0),
        "unclosed": float(text.count("```") % 2 == 1 or text.count("(") > text.count(")")),
        "number_gap": _number_gap(text),
        "repeated": len(repeated_words(found, REPEATED_RUN)) / count,
        "repeated_lines": _repeated_share(lines),
        "echo": len(common_words(found, asked, min(4, max(1, len(asked))))) / count,
        "echo_run": longest_common_run(asked, found) / max(1, len(asked)),
        "restarts": _restarts(asked, found),
        "language": _language(instruction, text),
        "mixed_language": _mixed(text),
        "short_lines": sum(len(line) < 60 and not _END.search(line) for line in lines) / max(1, len(lines)),
    }
    for name, pattern in RATES.items():
        signals[name] = _rate(pattern, text, count)
        signals[f"{name}_most"] = max(
            (_rate(pattern, piece, len(piece.split())) for piece in _pieces(lines)), default=0.0
        )
    return signals | _coverage(asked, found)


def _rate(pattern: re.Pattern[str], text: str, count: int) -> float:
    """Finds a hundred words, on a scale in which the first ones count most; short pieces are read as of 12 words."""
    return log1p(100 * sum(1 for _ in pattern.finditer(text)) / max(12, count))


def _pieces(lines: Sequence[str]) -> list[str]:
    """Lines; long ones by two sentences."""
    pieces = []
    for line in lines:
        sentences = re.split(r"(?<=[.!?])\s+", line)
        pieces += [" ".join(sentences[start : start + 2]) for start in range(0, len(sentences), 2)]
    return pieces


def _starts_late(text: str) -> bool:
    """The first item of a numbered list has a later number."""
    first = _NUMBERED.match(text)
    return first is not None and int(first.group(1)) > 1


def _number_gap(text: str) -> float:
    """Whether a numbered list leaves out a number."""
    numbers = [int(found) for found in _NUMBERED.findall(text)]
    return float(any(1 < after - before < 20 for before, after in pairwise(numbers)))


def _ends_in_list(lines: Sequence[str]) -> bool:
    return bool(lines) and bool(re.match(r"(?:[-*+•]|\(?\w{1,3}[.)])\s", lines[-1]))


def _repeated_share(lines: Sequence[str]) -> float:
    """Share of the sentences and lines that came before, those of three words or more."""
    parts = [part.casefold() for line in lines for part in re.split(r"(?<=[.!?。！？])\s*", line) if len(part) > 12]
    return 1 - len(set(parts)) / len(parts) if parts else 0.0


def _restarts(asked: Sequence[str], found: Sequence[str]) -> float:
    """How often the instruction's beginning stands in the output."""
    head = tuple(asked[:5])
    runs = Counter(zip(*(found[start:] for start in range(len(head))), strict=False)) if head else Counter()
    return log1p(runs[head])


def _language(instruction: str, output: str) -> float:
    """Whether both are sure of different languages."""
    ours, theirs = identify(instruction), identify(output)
    return float(bool(ours) and bool(theirs) and ours != theirs)


def _mixed(text: str) -> float:
    """Share of the pieces of a text that are in another language than its first."""
    pieces = [text[start : start + LANGUAGE_PIECE] for start in range(0, len(text), LANGUAGE_PIECE)]
    found = [identify(piece) for piece in pieces if sum(map(str.isalpha, piece)) > LANGUAGE_PIECE / 3]
    return sum(language != found[0] for language in found) / len(found) if found else 0.0


def _coverage(asked: Sequence[str], found: Sequence[str]) -> dict[str, float]:
    """How many of the words that carry the request are not taken up, by themselves and by their first five letters."""
    wanted = {word for word in asked if word not in FUNCTION_WORDS and len(word) > 2}
    if not wanted:
        return {"untouched": 0.5, "untouched_stems": 0.5, "few_kinds": _few_kinds(found)}
    have = set(found)
    stems = {word[:5] for word in found}
    return {
        "untouched": len(wanted - have) / len(wanted),
        "untouched_stems": sum(word[:5] not in stems for word in wanted) / len(wanted),
        "few_kinds": _few_kinds(found),
    }


def _few_kinds(found: Sequence[str]) -> float:
    """One minus the share of different words among the first hundred."""
    head = found[:100]
    return 1 - len(set(head)) / len(head) if head else 1.0
