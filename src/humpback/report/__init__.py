"""The report of a run: one self-contained HTML page without scripts."""

from humpback.report.collect import Report, collect
from humpback.report.render import render_page

__all__ = ["Report", "collect", "render_page"]
