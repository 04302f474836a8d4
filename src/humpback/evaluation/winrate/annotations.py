"""Annotation files in AlpacaEval's format: which of two outputs a judge preferred, row by row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from humpback.errors import InputError
from humpback.tables import BrokenRow, Row, read_rows

TEXTS = ("instruction", "output_1", "output_2")
PREFERENCE = "preference"
IN_ORDER, SWAPPED = "preference_in_order", "preference_swapped"
"""Columns that our own judge adds: the preference with output 1 first, and with output 2 first."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """One judged prompt; names are empty where the file has none.

    `preference` runs from 1, output 1 is better, to 2, output 2 is better; 1.5 is a draw and None what could not be
    read out of the judge's answer. `orders` holds the same of each order, where `humpback evaluate judge` wrote it.
    """

    instruction: str
    output_1: str
    output_2: str
    generator_1: str
    generator_2: str
    annotator: str
    dataset: str
    category: str
    preference: float | None
    orders: tuple[float | None, float | None] | None = None


def read_annotations(file: Path, model: str | None = None) -> list[Annotation]:
    """The annotations of a file, in its order: those of `model` where it judges several.

    Raises:
        InputError: there is no such file, a row is no annotation, or it is not clear which two models are compared.
    """
    if not file.is_file():
        raise InputError(f"{file}: no such file; give annotations as AlpacaEval writes them, JSON with `preference`")
    rows = [_annotation(file, row.line, row) for row in read_rows(file, max_broken_fraction=0.0)]
    models = list(dict.fromkeys(row.generator_2 for row in rows))
    if model is not None:
        if model not in models:
            raise InputError(f"{file}: no annotation is of {model}; there are {_listed(models)}")
        rows = [row for row in rows if row.generator_2 == model]
    elif len(models) > 1:
        raise InputError(f"{file}: holds annotations of {len(models)} models, {_listed(models)}; choose one by --model")
    for name in ("generator_1", "annotator"):
        found = list(dict.fromkeys(getattr(row, name) for row in rows))
        if len(found) > 1:
            raise InputError(
                f"{file}: `{name}` differs between rows, {_listed(found)}: a win rate is against one model and by one "
                "judge; split the file"
            )
    return rows


def _annotation(file: Path, line: int, row: Row | BrokenRow) -> Annotation:
    if isinstance(row, BrokenRow):
        raise InputError(f"{file}: row {line}: {row.detail}")
    values = row.values
    if PREFERENCE not in values:
        have = _listed(list(values)) or "nothing"
        raise InputError(f"{file}: row {line}: no `preference` (it has {have}); is this AlpacaEval's annotations file?")
    for name in TEXTS:
        if not isinstance(values.get(name), str):
            raise InputError(f"{file}: row {line}: `{name}` is missing or no text")
    orders = None
    if values.keys() >= {IN_ORDER, SWAPPED}:
        orders = (_preference(file, line, values, IN_ORDER), _preference(file, line, values, SWAPPED))
    return Annotation(
        instruction=values["instruction"],
        output_1=values["output_1"],
        output_2=values["output_2"],
        generator_1=str(values.get("generator_1") or ""),
        generator_2=str(values.get("generator_2") or ""),
        annotator=str(values.get("annotator") or ""),
        dataset=str(values.get("dataset") or ""),
        category=str(values.get("category") or ""),
        preference=_preference(file, line, values, PREFERENCE),
        orders=orders,
    )


def _preference(file: Path, line: int, values: Mapping[str, Any], name: str) -> float | None:
    """AlpacaEval's own reading: 0 is an older way to write a draw, and what lies outside 1 to 2 is no preference."""
    value = values[name]
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{file}: row {line}: `{name}` is {value!r}; it must be a number from 1 to 2, or null")
    if value == 0:
        return 1.5
    return float(value) if not math.isnan(value) and 1 <= value <= 2 else None


def _listed(names: list[str]) -> str:
    shown = ", ".join(name or "(no name)" for name in names[:6])
    return shown if len(names) <= 6 else f"{shown} and {len(names) - 6} more"
