"""How well each round's judge told planted defects from good pairs, as a table of kinds by rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FITNESS_FILE = "fitness.json"  # beside each round's judge
MEAN = "mean of the kinds"


@dataclass(frozen=True, slots=True)
class Area:
    """Area under the curve with its 95 % interval; the mean of the kinds has none."""

    auc: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class JudgeKind:
    """One kind of defect; None in a round in which none could be planted."""

    kind: str
    rounds: list[Area | None]


def judge_kinds(rounds: Sequence[Mapping[str, Any]]) -> list[JudgeKind]:
    """The kinds in their order, their mean last, from what each round's judge wrote; empty without judges."""
    areas = [{one["kind"]: Area(one["auc"], one["low"], one["high"]) for one in found["kinds"]} for found in rounds]
    names = dict.fromkeys(name for by_kind in areas for name in by_kind)
    rows = [JudgeKind(name.replace("_", " "), [by_kind.get(name) for by_kind in areas]) for name in names]
    return [*rows, JudgeKind(MEAN, [Area(found["mean"]) for found in rounds])] if rounds else []
