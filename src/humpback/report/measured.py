"""Pages about one measurement, in the style of a run's report: sections of figures, tables and notes."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import resources

from humpback.report.plots import Figure
from humpback.report.render import STYLE_FILE, _environment

TEMPLATE_FILE, PLOT_STYLE_FILE = "measured.html.jinja", "sunburst.css"


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
    from markupsafe import Markup

    files = resources.files("humpback.report")
    style = "\n".join(files.joinpath(name).read_text(encoding="utf-8") for name in (STYLE_FILE, PLOT_STYLE_FILE))
    template = _environment().get_template(TEMPLATE_FILE)
    return template.render(page=page, style=Markup(style))  # noqa: S704 - the package's own files
