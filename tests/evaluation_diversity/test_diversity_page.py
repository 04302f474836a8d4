"""The sunburst and the map as they are drawn, and the command that writes them."""

from __future__ import annotations

import json
import re
import sys
from xml.etree import ElementTree

import pytest

from humpback.cli import app as cli
from humpback.evaluation.diversity import ObjectCount, Place, Topic, TopicMap, VerbCount
from humpback.report.sunburst import sunburst_figure
from humpback.report.topic_map import topic_map_figure

SVG = "{http://www.w3.org/2000/svg}"
COUNTS = [
    VerbCount("write", 60, [ObjectCount("poem", 30), ObjectCount("letter", 20)]),
    VerbCount("make", 39, [ObjectCount("bread", 39)]),
    VerbCount("go", 1, [ObjectCount("way", 1)]),
]


@pytest.fixture
def humpback(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["humpback", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def sectors(svg: str) -> list[tuple[str, list[float]]]:
    """Class and numbers of every sector's path."""
    found = ElementTree.fromstring(svg).iter(f"{SVG}path")
    return [
        (path.get("class"), [float(n) for n in re.findall(r"-?[\d.]+", path.get("d"))])
        for path in found
        if "sector" in path.get("class")
    ]


def test_a_sunburst_has_a_ring_of_verbs_and_one_of_objects():
    figure = sunburst_figure("seed", COUNTS)
    assert figure is not None
    drawn = sectors(figure.svg)
    assert [style.split()[1] for style, _ in drawn].count("verb") == 3
    assert [style.split()[1] for style, _ in drawn].count("rest") == 1  # ten of `write` have other objects
    assert len(drawn) == 3 + 4 + 1
    # `write` has .6 of the instructions, so it begins at the top and is more than half a circle.
    verb = drawn[0][1]
    assert verb[:2] == [240.0, 196.0] and verb[7] == 1
    labels = ["".join(text.itertext()) for text in ElementTree.fromstring(figure.svg).iter(f"{SVG}text")]
    assert labels == ["write", "poem", "letter", "make", "bread", "seed"]  # `go` has no room for its name
    root = ElementTree.fromstring(figure.svg)
    assert root.get("role") == "img" and "write 60" in root.get("aria-label")
    assert figure.rows[0] == ["write", "60", "poem 30, letter 20"]


def test_a_verb_alone_fills_the_circle():
    figure = sunburst_figure("one", [VerbCount("write", 5, [ObjectCount("poem", 5)])])
    assert figure is not None
    for _, numbers in sectors(figure.svg):
        assert numbers[2:4] != numbers[9:11]  # an arc to where it begins would not be drawn
        assert numbers[11:13] != numbers[-2:]


def test_nothing_to_draw():
    assert sunburst_figure("none", []) is None


def test_labels_cannot_break_out():
    hostile = '</text><script>alert("x")</script>'
    figure = sunburst_figure(hostile, [VerbCount(hostile, 5, [ObjectCount(hostile + "\u202e", 5)])])
    topics = [Topic(hostile, 0.5, 0.5, {hostile: 1})]
    drawn = topic_map_figure(TopicMap("m", [Place(hostile, 0, 1, "x")], topics))
    assert figure is not None
    for svg in (figure.svg, drawn.svg):
        assert "<script" not in svg and "\u202e" not in svg
        ElementTree.fromstring(svg)


def test_labels_of_the_map_do_not_cover_one_another():
    topics = [Topic(f"topic{number}", 0.5, 0.5, {"a": 1}) for number in range(4)]
    svg = topic_map_figure(TopicMap("m", [Place("a", 0.1, 0.2, "x")], topics)).svg
    levels = [
        float(text.get("y")) for text in ElementTree.fromstring(svg).iter(f"{SVG}text") if "halo" in text.get("class")
    ]
    assert len(levels) == 4
    assert min(high - low for low, high in zip(sorted(levels), sorted(levels)[1:], strict=False)) >= 14.9


def test_the_command_writes_figures_and_page(humpback, tmp_path):
    for name, text in {"a": "Write a poem about {}.", "b": "How do I bake {} with <b>butter</b>?"}.items():
        words = ("bread", "clouds", "rivers", "stones", "kings", "ships")
        rows = [json.dumps({"instruction": text.format(word)}) for word in words]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(rows) + "\n")
    code, out, err = humpback(
        "evaluate", "diversity", "b.jsonl", "mine=a.jsonl", "--seed", "a.jsonl", "--html", "p.html"
    )
    assert (code, out.count(" instructions, ")) == (0, 3), err
    found = json.loads((tmp_path / "diversity.json").read_text())
    assert [part["name"] for part in found["sets"]] == ["seed", "b", "mine"]
    assert found["sets"][1]["verbs"][0]["verb"] == "bake"
    assert found["sets"][2]["nearest_seed"]["mean"] == pytest.approx(0, abs=1e-9)
    page = (tmp_path / "p.html").read_text()
    assert page.count("<svg") == 4 and "<script" not in page and "<b>butter" not in page
    assert page.count("Sunburst of the") == 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["none.jsonl"], "none.jsonl: no such file"),
        (["x.jsonl", "x.jsonl"], "both are called x; name one of them otherwise, as NAME=FILE"),
        (["."], "is no run's folder"),
    ],
)
def test_what_cannot_be_measured(humpback, tmp_path, arguments, told):
    (tmp_path / "x.jsonl").write_text('{"instruction": "Go."}\n{"instruction": "Come."}\n')
    code, _, err = humpback("evaluate", "diversity", *arguments)
    assert code == 1
    assert err.count("error: ") == 1 and told in err
