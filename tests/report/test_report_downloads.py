"""CSV under every table: the numbers as numbers, and no cell that a spreadsheet runs."""

from __future__ import annotations

import base64
import csv
import io
import re

import pytest

from humpback.report.downloads import table_csv, with_downloads

PAGE = (
    '<div class="scroll"><table><caption>Loss on “a”, 3 pairs</caption>\n<thead><tr><th scope="col">Model</th>'
    '<th class="n">Loss</th></tr></thead><tbody><tr><th scope="row">m1</th>'
    '<td class="n">\N{MINUS SIGN}1,234.5</td></tr>'
    "</tbody>\n</table></div>\n<p>and on</p>"
)


def linked(page: str) -> list[tuple[str, list[list[str]]]]:
    found = re.findall(r'<a download="([^"]+)" href="data:text/csv;base64,([^"]+)">', page)
    return [(name, list(csv.reader(io.StringIO(base64.b64decode(data).decode())))) for name, data in found]


def test_every_table_has_its_numbers():
    page = with_downloads(PAGE * 2)
    assert linked(page) == [("loss-on-a-3-pairs.csv", [["Model", "Loss"], ["m1", "-1,234.5"]])] * 2
    assert re.sub(r'\n<p class="download">.*?</p>', "", page) == PAGE * 2


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-2+3", "'-2+3"),
        ("-0.0123", "-0.0123"),
        ("\N{MINUS SIGN}5e-5", "-5e-5"),
        ("+0.0012", "+0.0012"),
        ("&lt;b&gt; a, &quot;b&quot;", '<b> a, "b"'),
    ],
)
def test_no_cell_is_a_formula(cell, written):
    (row,) = csv.reader(io.StringIO(table_csv(f"<table><tr><td>{cell}</td></tr></table>")))
    assert row == [written]
