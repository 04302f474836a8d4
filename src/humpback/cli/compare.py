"""`humpback compare`: several runs on one page."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from humpback.cli.console import console
from humpback.pipeline.compare import Difference, compare_runs
from humpback.report.compare_page import compare_page
from humpback.report.measured import render_measured
from humpback.report.outcome import Interval
from humpback.workspace import write_text


def compare(folders: list[Path], out: Path) -> None:
    """Writes the page and prints how the runs' last models differ."""
    found = compare_runs(folders)
    by_set: dict[str, list[tuple[str, Interval]]] = defaultdict(list)
    for one in found.differences:
        by_set[one.set_name].append((one.run, Interval(one.mean, one.low, one.high)))
        console.print(_line(found.runs[0].name, one), markup=False)
    page = compare_page([(run.name, run.report) for run in found.runs], by_set, found.settings)
    write_text(out, render_measured(page))
    if not found.differences:
        console.print("The runs were not measured on the same pairs, so their models are not compared.")
    console.print(f"{out} written.", markup=False)


def _line(first: str, one: Difference) -> str:
    return (
        f"{one.set_name}: {one.run} against {first} {one.mean:+.4f} nats per token "
        f"(95 % interval {one.low:+.4f} to {one.high:+.4f}, {one.pairs} pairs; below zero is better)"
    )
