"""Plots are well-formed SVG that says in words what it shows."""

from __future__ import annotations

import random
from xml.etree import ElementTree

import pytest

from humpback.report.drawing import nice_ticks
from humpback.report.figures import Line, Mark, Whisker, histogram, interval_plot, line_plot, thin

NAME = '</svg><script>"&'


def parsed(svg: str) -> ElementTree.Element:
    root = ElementTree.fromstring(svg)
    _, _, width, height = (float(value) for value in root.attrib["viewBox"].split())
    for element in root.iter():
        if "x" in element.attrib and "transform" not in element.attrib:
            assert -1 <= float(element.attrib["x"]) <= width + 1
            assert -1 <= float(element.attrib["y"]) <= height + 1
    assert "nan" not in svg
    return root


def test_histogram_draws_every_filled_bin() -> None:
    svg = histogram(
        [1.0, 2.0, 3.0, 4.0],
        [[0, 2, 3], [4, 1, 0]],
        ["bar kept", "bar left"],
        [Mark(3.9, NAME, "solid"), Mark(1.1, "mean", "dashed")],
        x_label=NAME,
        y_label=NAME,
        alternative=NAME,
    )
    root = parsed(svg)
    assert sum(element.tag.endswith("rect") for element in root.iter()) == 4
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == NAME


@pytest.mark.parametrize("counts", [[0], [1], [10**7]])
def test_histogram_of_one_bin(counts: list[int]) -> None:
    parsed(histogram([3.0, 3.1], [counts], ["bar"], [], x_label="x", y_label="y", alternative="a"))


def test_lines_are_thinned_to_means() -> None:
    steps = list(range(1, 10_001))
    losses = [random.Random(step).random() for step in steps]
    xs, ys = thin(steps, losses, 40)
    assert len(xs) <= 40
    assert ys[0] == pytest.approx(sum(losses[:250]) / 250)
    lines = [Line(f"m{index}{NAME}", steps, losses, index) for index in range(11)]
    svg = line_plot(lines, x_label="step", y_label="loss", alternative="a")
    assert len(svg) < 30_000
    parsed(svg)


def test_constant_and_tiny_curves_are_drawn() -> None:
    parsed(line_plot([Line("m0", [1, 2], [0.5, 0.5], 0)], x_label="x", y_label="y", alternative="a"))
    parsed(line_plot([Line("m0", [1], [0.0], 0)], x_label="x", y_label="y", alternative="a"))


def test_intervals_keep_zero_in_sight() -> None:
    rows = [Whisker("m1", 0.2, 0.1, 0.3, "bad"), Whisker(NAME, 0.25, 0.2, 0.3, "bad")]
    root = parsed(interval_plot(rows, x_label="x", zero_label="m0", alternative="a"))
    assert "m0" in [element.text for element in root.iter()]
    parsed(interval_plot([Whisker("m1", 0.0, 0.0, 0.0, "even")], x_label="x", zero_label="m0", alternative="a"))


def test_ticks_are_round_and_inside() -> None:
    assert nice_ticks(0, 10, 5) == [0, 2, 4, 6, 8, 10]
    assert nice_ticks(-0.03, 0.01, 4) == pytest.approx([-0.03, -0.02, -0.01, 0, 0.01])
    assert nice_ticks(2, 2, 5) == [2]
