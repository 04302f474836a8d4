"""Writes the report of a run."""

from __future__ import annotations

from humpback.report import collect_report, render_page
from humpback.stages.context import Outcome, StageContext
from humpback.workspace import write_text

VERSION = 1
PAGE_FILE = "index.html"


def write_report(context: StageContext) -> Outcome:
    """Writes `index.html`: one self-contained page that says whether the loop helped, and shows what it did."""
    report = collect_report(context.config, context.inputs, context.output.path.parent)
    page = render_page(report)
    write_text(context.output.path / PAGE_FILE, page)
    return Outcome({"bytes": len(page.encode("utf-8")), "verdict": report.verdict.headline})
