"""Which of the rated answers to one instruction become a pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Contender:
    """One answer, and how it was rated on the scale of 1 to 5; None where it could not be rated."""

    output: str
    rating: float | None
    is_document: bool


class NoPair(StrEnum):
    """Every reason for which an instruction gives no pair."""

    TOO_FEW = "too_few"
    """Fewer than two contenders: of the sampled answers too few ended, or too few differ."""
    UNRATED = "unrated"
    """Fewer than two of them could be rated."""
    ALL_EQUAL = "all_equal"
    TOO_CLOSE = "too_close"


@dataclass(frozen=True, slots=True)
class Choice:
    """The highest and the lowest rated contender."""

    chosen: Contender
    rejected: Contender


def choose(contenders: Sequence[Contender], margin: float) -> Choice | NoPair:
    """The highest and the lowest rated, the first of equal ones, if their ratings differ by at least `margin`."""
    if len(contenders) < 2:
        return NoPair.TOO_FEW
    rated = [(one.rating, one) for one in contenders if one.rating is not None]
    if len(rated) < 2:
        return NoPair.UNRATED
    highest, chosen = max(rated, key=lambda pair: pair[0])
    lowest, rejected = min(rated, key=lambda pair: pair[0])
    if highest == lowest:
        return NoPair.ALL_EQUAL
    return Choice(chosen, rejected) if highest - lowest >= margin else NoPair.TOO_CLOSE
