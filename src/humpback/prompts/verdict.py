"""From what a judge says to a score, or to a reason why there is none. Never a guess, never a clamp."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

# "Score:" and what the line goes on with. A colon, an equals sign, "is" or a line break must part the two: "a score of
# 5 would need sources" weighs a score, it gives none.
_VERDICT = re.compile(
    r"""(?<!\w)_{0,2}(?:score|rating)_{0,2}(?!\w)
        (?:[*_`"']*[ \t]*\([^()\n]*\))?         # "Score (1-5): 4"
        [ \t*_`"']*(?:[:=]|\bis\b|\n)
        [\s*_`:="'(\[<]*                        # Markdown emphasis and quotes before the number
        (?=(?P<text>(?:[-+~≈]?[ ]?\d|(?:zero|half|one|two|three|four|five|six|seven|eight|nine|ten|n/?a|none)\b)[^\n]*))
    """,
    re.IGNORECASE | re.VERBOSE,
)
_NUMBER = re.compile(r"(?P<number>[-+]?\d+(?:[.,]\d+)?)(?![\w%+]|[.,:]\d)[*_`\"')\]>]*")
_SCALE = re.compile(
    r"""\s*[(\[]?\s*(?:/|(?:(?:points?|stars?)\s+)?(?:out\s+)?of\b)[\s*_`]*(?P<beside>[\w.,/]*)  # "4/5", "4 (out of 5)"
        |[^.;\n]*?\bscale\s+(?:of|from)\s+(?:1\s*(?:-|–|to)\s*)?(?P<named>\w*)""",
    re.IGNORECASE | re.VERBOSE,
)
_RANGE = re.compile(r"\s*(?:[-–—~,&]|\b(?:to|or|and)\b)\s*\d", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judge's score from 1 to 5, or None with the reason."""

    score: float | None
    reason: str | None = None


def parse_verdict(text: str) -> Verdict:
    """The last verdict in a written judgement.

    The last one counts, because judges weigh scores before they settle ("a Score: 5 would need sources. Score: 2").
    Only whole and half numbers from 1 to 5 are scores: "10", "1986", "4/10", "3-4", "four" and "4 or 5" are none.
    """
    matches = list(_VERDICT.finditer(text))
    if not matches:
        return Verdict(None, "no_score" if text.strip() else "empty")
    return _grade(matches[-1]["text"])


def _grade(text: str) -> Verdict:
    """The grade that `text` begins with."""
    match = _NUMBER.match(text)
    if match is None:
        return Verdict(None, "no_grade")
    rest = text[match.end() :]
    scale = _SCALE.match(rest)
    if scale is not None and (scale["beside"] or scale["named"] or "").rstrip(".,").lower() not in ("5", "five"):
        return Verdict(None, "other_scale")
    if scale is None and _RANGE.match(rest):
        return Verdict(None, "no_grade")
    whole, _, decimals = match["number"].replace(",", ".").partition(".")
    number = float(f"{whole}.{decimals or 0}")
    if not 1 <= number <= 5:
        return Verdict(None, "out_of_range")
    if number * 2 != int(number * 2) or len(decimals) > 2:
        return Verdict(None, "no_grade")
    return Verdict(number)


def expected_score(logprobs: Sequence[float]) -> tuple[float | None, list[float]]:
    """The mean score under the probabilities of the scores 1 to 5, and those probabilities.

    Args:
        logprobs: log-probability of each score, lowest first, in nats; they need not sum to one.

    Returns:
        The mean, from 1 to 5, or None where a log-probability is not a number; and the probabilities, normalised
        over the five scores (empty with None).
    """
    if not all(math.isfinite(value) for value in logprobs):
        return None, []
    highest = max(logprobs)
    weights = [math.exp(value - highest) for value in logprobs]
    total = sum(weights)
    probabilities = [weight / total for weight in weights]
    return sum(score * p for score, p in enumerate(probabilities, start=1)), probabilities
