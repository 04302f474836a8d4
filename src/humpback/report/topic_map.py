"""The map of topics, drawn: a point an instruction, coloured by its set, and words for each region."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from humpback.evaluation.diversity import Topic, TopicMap
from humpback.report.drawing import COLOURS, WIDTH, Scale, scale_between, svg_of, text_at
from humpback.report.plots import Figure
from humpback.report.text import number, share, short

_EDGE, _HEIGHT = 16.0, 380.0
_COLUMNS, _COLUMN, _ROW = 3, 150.0, 18.0
_LINE, _LETTER = 15.0, 7.4  # room that a label takes
_LONGEST = 26  # letters of one
_NAME = 20  # letters of a set's name


def topic_map_figure(found: TopicMap) -> Figure:
    """The points of all sets in one square, and a legend above."""
    sets = list(dict.fromkeys(point.set for point in found.points))
    top = _ROW * math.ceil(len(sets) / _COLUMNS) + _EDGE
    x, y = scale_between(0, 1, _EDGE, WIDTH - _EDGE), scale_between(0, 1, top, top + _HEIGHT)
    style = {name: f"s{index % COLOURS}" for index, name in enumerate(sets)}
    parts = list(_legend(sets))
    parts += [_dot(x(point.x), y(point.y), f"point {style[point.set]}", 2.6) for point in found.points]
    parts += _labels(found.topics, x, y)
    told = "; ".join(f"{short(topic.label, _LONGEST)}: {_shares(topic, sets)}" for topic in found.topics)
    alternative = f"Map of {len(found.points)} instructions by topic. Shares of the sets in its regions: {told}."
    caption = (
        f"{number(len(found.points))} instructions drawn by lot, by {found.method}. Words name the regions that they "
        "are most typical of."
    )
    columns = ["region", *(short(name, _NAME) for name in sets)]
    return Figure(svg_of(top + _HEIGHT + _EDGE, alternative, parts), caption, columns, _rows(found, sets))


def _legend(sets: Sequence[str]) -> Iterator[str]:
    for index, name in enumerate(sets):
        left, level = _EDGE + _COLUMN * (index % _COLUMNS), _ROW * (index // _COLUMNS) + 8
        yield _dot(left, level, f"point strong s{index % COLOURS}", 4.5)
        yield text_at(left + 10, level + 4, short(name, _NAME), "start", "label")


def _labels(topics: Sequence[Topic], x: Scale, y: Scale) -> Iterator[str]:
    """The regions' words at their middles, moved down where they would cover one another."""
    placed: list[tuple[float, float, float]] = []
    for topic in sorted(topics, key=lambda topic: topic.y):
        label = short(topic.label, _LONGEST)
        half = len(label) * _LETTER / 2
        across, level = min(max(x(topic.x), half), WIDTH - half), y(topic.y)
        for other, line, reach in placed:  # from the top down
            if abs(other - across) < reach + half and abs(line - level) < _LINE:
                level = line + _LINE
        placed.append((across, level, half))
        placed.sort(key=lambda place: place[1])
        yield text_at(across, level, label, "middle", "label halo")


def _rows(found: TopicMap, sets: Sequence[str]) -> list[list[str]]:
    totals = {name: sum(point.set == name for point in found.points) for name in sets}
    rows = []
    for topic in found.topics:
        counts = [f"{number(topic.counts[name])} ({share(topic.counts[name], totals[name])})" for name in sets]
        rows.append([short(topic.label, _LONGEST), *counts])
    return rows


def _shares(topic: Topic, sets: Sequence[str]) -> str:
    total = sum(topic.counts.values())
    return ", ".join(f"{short(name, _NAME)} {share(topic.counts[name], total)}" for name in sets)


def _dot(x: float, y: float, style: str, radius: float) -> str:
    return f'<circle class="{style}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>'
