"""Pages about one measurement, in the style of a run's report: sections of figures, tables and notes."""

from __future__ import annotations

from dataclasses import dataclass, field

from humpback.report.downloads import with_downloads
from humpback.report.pages import environment, page_style
from humpback.report.plots import Figure

TEMPLATE_FILE = "measured.html.jinja"


@dataclass(frozen=True, slots=True)
class NumberTable:
    """A table whose first column names the rows."""

    caption: str
    columns: list[str]
    rows: list[list[str]]


@dataclass(frozen=True, slots=True)
class Part:
    """One section: text, figures beside one another, tables, notes."""

    title: str
    text: list[str] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    tables: list[NumberTable] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MeasuredPage:
    """A page: its title, what it is about in a sentence or two, and its sections."""

    title: str
    lead: str
    sections: list[Part]


def render_measured(page: MeasuredPage) -> str:
    """The whole page: HTML with its style inside, no script, and nothing fetched from anywhere."""
    return with_downloads(environment().get_template(TEMPLATE_FILE).render(page=page, style=page_style()))
