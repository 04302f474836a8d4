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
PAPER_PROMPTS = 805


class Kind(StrEnum):
    """The classes of table 4."""

    NON_DISTILLED = "non-distilled"
    DISTILLED = "distilled"
    PROPRIETARY = "proprietary"


@dataclass(frozen=True, slots=True)
class Entry:
    """One model: its win rate and standard error in per cent, by one judge against one model on so many prompts.

    `labelled` is the number of human-made examples that it was tuned on, None where that is not known.
    """

    model: str
    kind: Kind
    labelled: int | None
    win_rate: float
    standard_error: float | None
    judge: str
    baseline: str
    prompts: int
    is_paper: bool = False

    @property
    def terms(self) -> tuple[str, str, int]:
        """What must be alike for two win rates to stand in one column: judge, baseline, prompts."""
        return self.judge, self.baseline, self.prompts


def _paper(model: str, kind: Kind, win_rate: float, labelled: int | None = None) -> Entry:
    return Entry(
        model, kind, labelled, win_rate, None, "alpaca_eval_gpt4", PAPER_BASELINE, PAPER_PROMPTS, is_paper=True
    )


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
        prompts = int(found["n_total"]) + int(found["n_unparsed"])
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{file}: is not what `humpback evaluate winrate` prints; keep its output in a file") from None
    return Entry(names[0], kind, labelled, rate, deviation, names[1], names[2], prompts)


def leaderboard(ours: Sequence[Entry]) -> list[list[Entry]]:
    """Tables of one judge, one baseline and one number of prompts each, best model first; the user's is the first.

    That is one table where the user's models were judged as the paper's were, else two.

    Raises:
        InputError: the user's models were not all judged alike: their win rates cannot stand in one column.
    """
    for place, what in enumerate(("judges", "baselines", "numbers of prompts")):
        if len({entry.terms[place] for entry in ours}) > 1:
            listed = "; ".join(f"{entry.model}: {entry.terms[place] or '(no name)'}" for entry in ours)
            raise InputError(
                f"different {what} in one column ({listed}): such win rates cannot be compared; judge all models "
                "alike, or list them in calls of their own"
            )
    is_comparable = all(
        entry.judge in PAPER_JUDGES and entry.terms[1:] == (PAPER_BASELINE, PAPER_PROMPTS) for entry in ours
    )
    tables = [[*ours, *PAPER]] if is_comparable else [list(ours), list(PAPER)]
    return [sorted(table, key=lambda entry: -entry.win_rate) for table in tables]
