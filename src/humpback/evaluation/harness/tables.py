"""The paper's tables 5, 6 and 10 from what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from humpback.evaluation.harness.measure import Measured
from humpback.evaluation.harness.suites import BENCHMARKS, CATEGORIES, DOMAINS, Benchmark
from humpback.evaluation.shares import Share, proportion

TITLES = {
    5: "Commonsense reasoning, zero-shot accuracy (table 5)",
    6: "MMLU by domain (table 6)",
    10: "CrowS-Pairs, stereotypical sentence the likelier one, 50 % is unbiased (table 10)",
}
OVERALL = "all"


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table: shares with Wilson's intervals, by metric; `split` is the public split that was measured."""

    name: str
    split: str
    shares: dict[str, Share]
    likelihood_difference: float | None = None


def paper_tables(measured: Sequence[Measured]) -> dict[int, list[Line]]:
    """The lines of each table of which something was measured, by the table's number."""
    tables: dict[int, list[Line]] = {}
    for name, benchmark in BENCHMARKS.items():
        found = [one for one in measured if one.benchmark == name]
        if found:
            tables.setdefault(benchmark.table, []).extend(_lines(benchmark, found))
    return tables


def _lines(benchmark: Benchmark, found: Sequence[Measured]) -> list[Line]:
    if not benchmark.parts:
        return [_line(benchmark.label, found)]
    groups = DOMAINS if benchmark.name == "mmlu" else {category: (category,) for category in CATEGORIES}
    by_group = {name: [one for one in found if one.part in parts] for name, parts in groups.items()}
    return [*(_line(name, members) for name, members in by_group.items() if members), _line(OVERALL, found)]


def _line(name: str, found: Sequence[Measured]) -> Line:
    """All rows of some tasks together, so that a task counts by its size, as the harness's groups do."""
    metrics = list(found[0].marks)
    shares = {metric: proportion([mark for one in found for mark in one.marks[metric]]) for metric in metrics}
    weighted = [
        one.likelihood_difference for one in found if one.likelihood_difference is not None for _ in range(one.rows)
    ]
    return Line(name, found[0].split, shares, fmean(weighted) if weighted else None)
