"""Win rate and what is counted beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from humpback.evaluation.winrate.annotations import Annotation

DRAW = 1.5


@dataclass(frozen=True, slots=True)
class WinRate:
    """How often output 2 is preferred to output 1; rates and errors in per cent, as on AlpacaEval's leaderboards.

    `win_rate` is the mean preference, a draw counting half; `standard_error` that of this mean, null for a single row.
    `discrete_win_rate` takes each preference for a whole win or loss. `avg_length` is the mean length of output 2 in
    characters, rounded down. Rows without a preference are in `n_unparsed` and in nothing else.
    """

    win_rate: float | None
    standard_error: float | None
    n_wins: int
    n_wins_base: int
    n_draws: int
    n_total: int
    n_unparsed: int
    discrete_win_rate: float | None
    avg_length: int | None


def win_rate(rows: Sequence[Annotation]) -> WinRate:
    """The win rate of some annotations of one model."""
    found = [row.preference for row in rows if row.preference is not None]
    count = len(found)
    wins, losses = sum(value > DRAW for value in found), sum(value < DRAW for value in found)
    draws = count - wins - losses
    return WinRate(
        win_rate=100 * (fmean(found) - 1) if found else None,
        standard_error=100 * stdev(found) / math.sqrt(count) if count > 1 else None,
        n_wins=wins,
        n_wins_base=losses,
        n_draws=draws,
        n_total=count,
        n_unparsed=len(rows) - count,
        discrete_win_rate=100 * (wins + draws / 2) / count if found else None,
        avg_length=int(fmean(len(row.output_2) for row in rows)) if rows else None,
    )
