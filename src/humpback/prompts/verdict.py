"""From what a judge says to a score, or to a reason why there is none. Never a guess, never a clamp."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

_VERDICT = re.compile(
    r"""\b(?:score|rating)\b           # the word
        (?:\s+is|\s+of)?               # "the score is 4"
        [\s*_`:="'(\[]*                # punctuation and Markdown emphasis between word and number
        (?P<number>[-+]?\d+(?:[.,]\d+)?)
        (?P<rest>\s*(?:/|out\s+of|[-–]\s*\d)\s*\d*)?""",
    re.IGNORECASE | re.VERBOSE,
)
_OF_FIVE = re.compile(r"\s*(?:/|out\s+of)\s*5", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judge's score from 1 to 5, or None with the reason."""

    score: float | None
    reason: str | None = None


def parse_verdict(text: str) -> Verdict:
    """The last verdict in a written judgement.

    The last one counts, because judges weigh scores before they settle ("a Score: 5 would need sources. Score: 2").
    Only whole and half numbers from 1 to 5 are scores: "10", "1986", "4/10" and "3-4" are none.
    """
    matches = list(_VERDICT.finditer(text))
    if not matches:
        return Verdict(None, "no_score" if text.strip() else "empty")
    last = matches[-1]
    if last["rest"] and not _OF_FIVE.fullmatch(last["rest"]):
        return Verdict(None, "other_scale")
    number = float(last["number"].replace(",", "."))
    if not 1 <= number <= 5:
        return Verdict(None, "out_of_range")
    if number * 2 != int(number * 2):
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
