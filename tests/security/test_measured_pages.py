"""Pages about measurements show names, settings and texts of others as text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import humpback
from humpback.report.figures import Whisker, interval_plot
from humpback.report.measured import MeasuredPage, NumberTable, Part, render_measured
from humpback.report.plots import Figure

PACKAGE = Path(humpback.__file__).parent
HOSTILE = "</title></style></table><script>alert(1)</script><img src=x onerror=alert(1)>\"'>{{ 7*7 }}"


class Found(HTMLParser):
    """The tags of a page, and the attributes of all."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_a_page_of_hostile_words_holds_no_script():
    drawing = interval_plot([Whisker(HOSTILE, 1, 0, 2, "x")], x_label=HOSTILE, zero_label=HOSTILE, alternative=HOSTILE)
    figure = Figure(drawing, HOSTILE, [HOSTILE], [[HOSTILE]])
    table = NumberTable(HOSTILE, [HOSTILE, f"={HOSTILE}"], [[HOSTILE, f"=1+1{HOSTILE}"]])
    page = render_measured(MeasuredPage(HOSTILE, HOSTILE, [Part(HOSTILE, [HOSTILE], [figure], [table], [HOSTILE])]))
    assert page.count("&lt;script&gt;alert(1)") >= 10
    assert "{{ 7*7 }}" in page
    found = Found()
    found.feed(page)
    assert not found.tags & {"script", "img"}
    assert not [name for name in found.attributes if name.startswith("on")]
    assert page.count("</title>") == page.count("</style>") == 1


def test_no_template_lets_markup_through():
    templates = sorted(PACKAGE.glob("*/**/*.html.jinja"))
    assert len(templates) >= 10
    for template in templates:
        assert not re.search(r"\|\s*safe\b|autoescape", template.read_text(encoding="utf-8")), template


def test_scripts_of_the_review_write_text_alone():
    """`innerHTML` and its like turn text into markup."""
    for script in (PACKAGE / "review" / "static").glob("*.js"):
        text = script.read_text(encoding="utf-8")
        found = re.findall(r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|new Function)\b", text)
        assert not found, (script, found)
