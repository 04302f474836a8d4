"""All figures of one annotation file, as JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from humpback.errors import InputError
from humpback.evaluation.judging.orders import Judged, judge_figures
from humpback.evaluation.winrate.annotations import Annotation, read_annotations
from humpback.evaluation.winrate.categories import category_of
from humpback.evaluation.winrate.figures import win_rate
from humpback.evaluation.winrate.length_control import length_adjusted_winrate, length_controlled


def summarise(
    file: Path, length_control: Path | None = None, model: str | None = None, *, breakdown: bool = False
) -> dict[str, Any]:
    """The figures of a file; with `breakdown`, also by `dataset` and by category.

    Where `humpback evaluate judge` wrote the file, also how far both orders agree and the judge leans to the first.

    Raises:
        InputError: a file cannot be used, or no row has a preference.
    """
    rows = read_annotations(file, model)
    figures = win_rate(rows)
    if figures.win_rate is None:
        raise InputError(f"{file}: none of its {len(rows)} rows has a preference from 1 to 2")
    found: dict[str, Any] = {
        "model": rows[0].generator_2,
        "baseline": rows[0].generator_1,
        "annotator": rows[0].annotator,
        **asdict(figures),
    }
    controlled = length_controlled(rows, length_control)
    found["length_controlled_winrate"] = controlled.length_controlled_winrate
    found["lc_standard_error"] = controlled.lc_standard_error
    found["length_controlled_reason"] = controlled.reason
    found["length_adjusted_winrate"] = length_adjusted_winrate(rows)
    if judged := [Judged(*row.orders) for row in rows if row.orders is not None]:
        judge = judge_figures(judged)
        found["order_agreement"], found["first_preferred"] = judge.agreement, judge.first_preferred
    if breakdown:
        found["by_source"] = _by(rows, lambda row: row.dataset or "not stated")
        found["by_category"] = _by(rows, lambda row: row.category or category_of(row.instruction))
    return found


def _by(rows: Sequence[Annotation], key: Callable[[Annotation], str]) -> dict[str, dict[str, Any]]:
    groups: dict[str, list[Annotation]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return {name: asdict(win_rate(groups[name])) for name in sorted(groups)}
