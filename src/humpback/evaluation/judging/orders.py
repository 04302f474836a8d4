"""What a judge said of one pair in both orders, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

DRAW = 1.5


@dataclass(frozen=True, slots=True)
class Judged:
    """One pair: the preference from 1 to 2 in each order, both as if output 1 had stood first; None if unreadable.

    `is_too_long` says that it was not asked about, since the judge's context has no room for it; `is_cut` that the
    instruction lost its end there.
    """

    forward: float | None
    swapped: float | None
    is_too_long: bool = False
    is_cut: bool = False

    @property
    def preference(self) -> float | None:
        """The mean of both orders; None where one of them could not be read."""
        return None if self.forward is None or self.swapped is None else (self.forward + self.swapped) / 2

    @property
    def agrees(self) -> bool | None:
        """Whether both orders have the same winner, or both none; None where one could not be read."""
        if self.forward is None or self.swapped is None:
            return None
        return _winner(self.forward) == _winner(self.swapped)


@dataclass(frozen=True, slots=True)
class JudgeFigures:
    """How a judge worked on `judged` pairs.

    `unparsed` pairs have no preference, `too_long` of them because they were not asked about. `agreement` is the share
    of pairs in which both orders have the same winner, or none. `first_preferred` is how far the judge leans to the
    answer that stands first: 0.5 where the order has no say.
    """

    judged: int
    unparsed: int
    too_long: int
    instructions_cut: int
    agreement: float | None
    first_preferred: float | None


def judge_figures(judged: Sequence[Judged]) -> JudgeFigures:
    """The figures of some judged pairs."""
    agreeing = [one.agrees for one in judged if one.agrees is not None]
    # An answer that stood first has 2 - preference of the preference in the forward order, preference - 1 in the other.
    leaning = [
        ((2 - one.forward) + (one.swapped - 1)) / 2
        for one in judged
        if one.forward is not None and one.swapped is not None
    ]
    return JudgeFigures(
        judged=len(judged),
        unparsed=sum(one.preference is None for one in judged),
        too_long=sum(one.is_too_long for one in judged),
        instructions_cut=sum(one.is_cut for one in judged),
        agreement=sum(agreeing) / len(agreeing) if agreeing else None,
        first_preferred=sum(leaning) / len(leaning) if leaning else None,
    )


def _winner(preference: float) -> int:
    return (preference > DRAW) - (preference < DRAW)
