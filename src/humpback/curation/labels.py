"""A user's own labels: what they say of a selection, and what a calibrated judge learns from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from humpback.errors import InputError
from humpback.judge.fit import GOOD, fit_judge, out_of_fold
from humpback.judge.fitness import area
from humpback.records import Planted
from humpback.tables import BrokenRow, read_rows

LABELLED_BAD = "labelled_bad"
"""The kind of defect that a user's labels name."""

LEAST_BAD = 10
"""Bad labels from which on they become a kind of their own (ours): a detector of fewer is a detector of those pairs."""

YES, NO = frozenset({"true", "1", "yes", "good"}), frozenset({"false", "0", "no", "bad"})

Signals = Mapping[str, float]


def read_labels(file: Path) -> dict[str, bool]:
    """Whether a pair is good, by the candidate's id. A table with the columns `id` and `good`, in any form we read.

    Raises:
        InputError: there is no such file, a row has no label or one that is neither, or two rows differ on a pair.
    """
    if not file.is_file():
        raise InputError(f"curate.labels: {file}: no such file")
    labels: dict[str, bool] = {}
    for row in read_rows(file, max_broken_fraction=0.0):
        if isinstance(row, BrokenRow):
            raise InputError(f"{file}: line {row.line}: {row.detail}")
        row_id, said = row.values.get("id"), str(row.values.get("good", "")).strip().casefold()
        if row_id is None or said not in YES | NO:
            raise InputError(f"{file}: line {row.line}: a label needs `id` (of a candidate) and `good` (true or false)")
        if labels.setdefault(str(row_id), said in YES) != (said in YES):
            raise InputError(f"{file}: line {row.line}: {row_id} is labelled good and bad")
    if not labels:
        raise InputError(f"{file}: holds no labels")
    return labels


def refitted(
    planted: Sequence[Planted], signals: Mapping[str, Signals], labels: Mapping[str, bool]
) -> tuple[dict[str, float], dict[str, float]]:
    """How probably each pair is good, by a judge that is fitted to planted defects and labels together.

    Good labels are good pairs; bad ones are a kind of their own where there are `LEAST_BAD`, and otherwise nothing
    is learnt from them.

    Args:
        planted: the judge's pairs with their signals.
        signals: those of all candidates, by id.
        labels: by id; those of other pairs are passed over.

    Returns:
        Probabilities of all candidates, and of the labelled ones by judges that had not seen their labels.
    """
    known = [row_id for row_id in labels if row_id in signals]
    bad = sum(not labels[row_id] for row_id in known)
    learnt = [row_id for row_id in known if labels[row_id] or bad >= LEAST_BAD]
    rows = [row.signals for row in planted] + [signals[row_id] for row_id in learnt]
    kinds = [row.kind for row in planted] + [GOOD if labels[row_id] else LABELLED_BAD for row_id in learnt]
    groups = [row.pair for row in planted] + learnt
    judge = fit_judge(rows, kinds, groups)
    everyone = judge.p_good(list(signals.values()))
    unseen = 1 / (1 + np.exp(judge.slope * out_of_fold(rows, kinds, groups)[len(planted) :] + judge.level))
    found = dict(zip(signals, map(float, everyone), strict=True))
    return found, {row_id: found[row_id] for row_id in known} | dict(zip(learnt, map(float, unseen), strict=True))


@dataclass(frozen=True, slots=True)
class Quality:
    """A selection against labels, as in table 7: `good` of `labelled` pairs are good.

    `precision` is the share of good pairs among the labelled ones that would be kept (None: none would), `recall` the
    share of the good ones that would be kept, `auc` how often a good pair is above a bad one (both None without them).
    """

    labelled: int
    good: int
    kept: int
    precision: float | None
    recall: float | None
    auc: float | None


def quality(scores: Mapping[str, float], labels: Mapping[str, bool], lowest: float) -> Quality:
    """How the rule that keeps scores from `lowest` on does on labelled pairs."""
    known = [row_id for row_id in labels if row_id in scores]
    good = np.asarray([scores[row_id] for row_id in known if labels[row_id]])
    bad = np.asarray([scores[row_id] for row_id in known if not labels[row_id]])
    kept_good, kept_bad = int((good >= lowest).sum()), int((bad >= lowest).sum())
    return Quality(
        labelled=len(known),
        good=len(good),
        kept=kept_good + kept_bad,
        precision=kept_good / (kept_good + kept_bad) if kept_good + kept_bad else None,
        recall=kept_good / len(good) if len(good) else None,
        auc=area(bad, good) if len(good) and len(bad) else None,
    )
