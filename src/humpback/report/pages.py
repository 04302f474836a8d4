"""What all pages share: the templates with their filters, and the style."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from humpback.report import text

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

STYLE_FILES = ("style.css", "sunburst.css")


def page_style() -> Markup:
    """The style sheets that stand inside a page."""
    from markupsafe import Markup

    files = resources.files("humpback.report")
    style = "\n".join(files.joinpath(name).read_text(encoding="utf-8") for name in STYLE_FILES)
    return Markup(style)  # noqa: S704 - the package's own files


def environment() -> Environment:
    """The templates; what they are given is escaped, and what is missing is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("humpback", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("number", "signed", "duration", "compact", "share", "scientific", "short"):
        environment.filters[name] = getattr(text, name)
    environment.filters["drawn"] = lambda figure: Markup(figure.svg)  # noqa: S704 - figures escape their labels
    return environment
