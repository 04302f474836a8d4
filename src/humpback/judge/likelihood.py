"""Signals from how likely a model finds an output, token by token, after its instruction and after none.

As the signals of form, each grows with a defect. Those of a whole text alone say little; the opening tells a text that
begins in the middle, the end token one that stops too early, the worst window one with something foreign in it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Logprobs = npt.NDArray[np.float64]

WINDOW = 16
"""Tokens of a window (ours: about a sentence; shorter ones are as noisy as their words)."""

OPENING = 12
"""Tokens of an opening or a closing (ours)."""

SEAM = 3
"""Tokens of a window on the place itself where the text may have been joined (ours)."""

JUMP = 8
"""Tokens on either side of a place where the text may have been joined (ours)."""


def likelihood_signals(asked: Sequence[float], plain: Sequence[float]) -> dict[str, float]:
    """The signals of one output by name.

    Args:
        asked: log-probabilities of its tokens and of the end token behind them, after the instruction.
        plain: the same after an instruction that says nothing.
    """
    with_request, alone = np.asarray(asked, dtype=float), np.asarray(plain, dtype=float)
    found, gains = with_request[:-1], (with_request - alone)[:-1]
    if not len(found):
        found, gains = with_request, with_request - alone
    windows, gained = _windows(found, WINDOW), _windows(gains, WINDOW)
    before, after = _windows(found, JUMP)[:-JUMP], _windows(found, JUMP)[JUMP:]
    mean = float(found.mean())
    return {
        "unlikely": -mean,
        "bland": float((found - gains).mean()),
        "no_gain": -float(gains.mean()),
        "no_gain_early": -float(gains[:WINDOW].mean()),
        "no_gain_late": -float(gains[len(gains) // 2 :].mean()),
        "no_gain_lowest": -float(gained.min()),
        "opening": -float(found[:OPENING].mean()),
        "opening_word": -float(found[0]),
        "opening_first": -float(found[:3].mean()),
        "opening_drop": mean - float(found[:OPENING].mean()),
        "closing": -float(found[-OPENING:].mean()),
        "no_end_alone": -float(alone[-1]),
        "no_end_gain": -float(with_request[-1] - alone[-1]),
        "lowest": -float(windows.min()),
        "lowest_drop": mean - float(windows.min()),
        "jump": float((before - after).max()) if len(before) else 0.0,
        "seam_drop": mean - float(_windows(found, SEAM)[SEAM:].min(initial=mean)),
        "worst": -float(np.sort(found)[:3].mean()),
        "known": float(windows.max()),
        "known_share": float((found > -0.05).mean()),
    }


def _windows(values: Logprobs, size: int) -> Logprobs:
    """Means of all windows of `size` values; of the whole where there are fewer."""
    if len(values) <= size:
        return np.asarray([values.mean()])
    return np.convolve(values, np.full(size, 1 / size), mode="valid")
