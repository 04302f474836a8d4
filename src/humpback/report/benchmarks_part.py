"""The paper's benchmarks in a run's report: the base model, M_0 and the last model side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from humpback.evaluation.harness.tables import TITLES
from humpback.report.answers_part import share_text
from humpback.report.measured import NumberTable, Part
from humpback.report.text import number

METRICS = {"acc": "", "acc_norm": ", by length", "pct_stereotype": ""}


def benchmark_parts(found: Mapping[str, Any]) -> list[Part]:
    """One section with a table for each of the paper's tables of which something was measured."""
    models: Mapping[str, Mapping[str, Any]] = found["models"]
    tables = [
        _table(title, {name: tables[f"table_{place}"] for name, tables in models.items()})
        for place, title in TITLES.items()
        if all(f"table_{place}" in tables for tables in models.values())
    ]
    return [Part("", tables=tables, notes=_notes(found))]


def _table(title: str, lines: Mapping[str, list[dict[str, Any]]]) -> NumberTable:
    first = next(iter(lines.values()))
    rows = []
    for place, line in enumerate(first):
        for metric, told in METRICS.items():
            if metric in line["shares"]:
                shares = [model[place]["shares"][metric] for model in lines.values()]
                rows.append([line["name"] + told, number(shares[0]["count"]), *map(share_text, shares)])
    return NumberTable(title, ["", "rows", *lines], rows)


def _notes(found: Mapping[str, Any]) -> list[str]:
    notes = [
        "lm-evaluation-harness; 95 % intervals of each share by itself. The rows are the same for all models, so a "
        "difference can be surer than two intervals that overlap."
    ]
    if found["limit"]:
        notes.append(f"Only the first {number(found['limit'])} rows of each task, of MMLU of each subject.")
    if found["missing"]:
        notes.append(f"No file was found of {', '.join(found['missing'])}.")
    return notes
