"""The report of a run: one self-contained HTML page without scripts."""

from humpback.report.collect import Report, collect_report
from humpback.report.render import render_page

__all__ = ["Report", "collect_report", "render_page"]
