"""Writes the report."""

from __future__ import annotations

from humpback.stages.context import Outcome, StageContext

VERSION = 1


def write_report(context: StageContext) -> Outcome:
    (context.output.path / "index.html").write_text("todo")
    return Outcome()
