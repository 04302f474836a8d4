"""The paper's table 4 with a user's own models in it, one judge a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from humpback.errors import InputError

PAPER_JUDGES = frozenset({"alpaca_eval_gpt4"})
"""Annotators that judged as the paper's did: AlpacaEval 1's GPT-4."""

PAPER_BASELINE = "text_davinci_003"


class Kind(StrEnum):
    """The classes of table 4."""

    NON_DISTILLED = "non-distilled"
    DISTILLED = "distilled"
    PROPRIETARY = "proprietary"


@dataclass(frozen=True, slots=True)
class Entry:
    """One model: `labelled` human-made examples (None where not known), win rate and standard error in per cent."""

    model: str
    kind: Kind
    labelled: int | None
    win_rate: float
    standard_error: float | None
    judge: str
    baseline: str
    is_paper: bool = False


def _paper(model: str, kind: Kind, win_rate: float, labelled: int | None = None) -> Entry:
    return Entry(model, kind, labelled, win_rate, None, "alpaca_eval_gpt4", PAPER_BASELINE, is_paper=True)


PAPER = (
    _paper("Humpback 65B", Kind.NON_DISTILLED, 83.71, 3_200),
    _paper("Humpback 33B", Kind.NON_DISTILLED, 79.84, 3_200),
    _paper("Guanaco 65B", Kind.NON_DISTILLED, 71.80),
    _paper("OASST RLHF 33B", Kind.NON_DISTILLED, 66.52),
    _paper("Guanaco 33B", Kind.NON_DISTILLED, 65.96),
    _paper("LIMA 65B", Kind.NON_DISTILLED, 62.70),
    _paper("OASST SFT 33B", Kind.NON_DISTILLED, 54.97),
    _paper("Vicuna 33B", Kind.DISTILLED, 88.99),
    _paper("WizardLM 13B", Kind.DISTILLED, 86.32),
    _paper("airoboros 65B", Kind.DISTILLED, 73.91),
    _paper("Falcon Instruct 40B", Kind.DISTILLED, 45.71),
    _paper("GPT-4", Kind.PROPRIETARY, 95.28),
    _paper("Claude 2", Kind.PROPRIETARY, 91.36),
    _paper("ChatGPT", Kind.PROPRIETARY, 89.37),
    _paper("Claude", Kind.PROPRIETARY, 88.39),
)
"""Table 4 of arXiv 2308.06259: win rates against text-davinci-003, GPT-4 as judge, 805 prompts."""


def read_entry(file: Path, kind: Kind, labelled: int | None) -> Entry:
    """The entry of a file that `humpback evaluate winrate` printed.

    Raises:
        InputError: it is no such file.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        names = [str(found[name]) for name in ("model", "annotator", "baseline")]
        rate, deviation = float(found["win_rate"]), found.get("standard_error")
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{file}: is not what `humpback evaluate winrate` prints; keep its output in a file") from None
    return Entry(names[0], kind, labelled, rate, deviation, names[1], names[2])


def leaderboard(ours: Sequence[Entry]) -> list[Entry]:
    """The user's models, best first; among the paper's where the same judge compared them with the same model.

    Raises:
        InputError: two judges or two baselines stand among them: their win rates cannot stand in one column.
    """
    for name, what in (("judge", "judges"), ("baseline", "baselines")):
        found = list(dict.fromkeys(getattr(entry, name) for entry in ours))
        if len(found) > 1:
            listed = "; ".join(f"{entry.model}: {getattr(entry, name) or '(no name)'}" for entry in ours)
            raise InputError(
                f"{len(found)} {what} in one column ({listed}): judge all models alike, or list them apart"
            )
    comparable = all(entry.judge in PAPER_JUDGES and entry.baseline == PAPER_BASELINE for entry in ours)
    return sorted([*ours, *(PAPER if comparable else ())], key=lambda entry: -entry.win_rate)
