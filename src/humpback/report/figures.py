"""Plots as inline SVG: histograms, curves and intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from humpback.report.drawing import (
    BOTTOM,
    COLOURS,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    nice_ticks,
    path,
    rect,
    scale_between,
    svg_of,
    text_at,
    x_axis,
    y_axis,
    y_name,
)

_POINTS = 40  # ours: means of so many stretches show where a loss goes; single batches only jump


@dataclass(frozen=True, slots=True)
class Mark:
    """A labelled vertical line in a histogram; `style` is `solid` or `dashed`."""

    value: float
    label: str
    style: str


@dataclass(frozen=True, slots=True)
class Line:
    """One curve; `colour` counts from 0 and repeats after six, with another dash."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    colour: int


@dataclass(frozen=True, slots=True)
class Whisker:
    """One row of an interval plot; `tone` is a class of the style sheet."""

    name: str
    mean: float
    low: float
    high: float
    tone: str


def histogram(
    edges: Sequence[float],
    stacks: Sequence[Sequence[int]],
    classes: Sequence[str],
    marks: Sequence[Mark],
    *,
    x_label: str,
    y_label: str,
    alternative: str,
) -> str:
    """Counts over bins, stacked from the bottom up, with labelled vertical lines."""
    height, top = 240, TOP + 16 * len(marks)
    highest = max([sum(counts) for counts in zip(*stacks, strict=True)], default=0)
    ticks = [tick for tick in nice_ticks(0, max(1, highest), 4) if tick == int(tick)]
    x = scale_between(edges[0], edges[-1], LEFT, WIDTH - RIGHT)
    y = scale_between(0, max(ticks[-1], highest, 1), height - BOTTOM, top)
    parts = [y_axis(ticks, y), x_axis(nice_ticks(edges[0], edges[-1], 8), x, height, x_label), y_name(y_label, top)]
    for index in range(len(edges) - 1):
        base = 0
        for counts, name in zip(stacks, classes, strict=True):
            if counts[index]:
                left, right = x(edges[index]) + 0.6, x(edges[index + 1]) - 0.6
                low, high = y(base), y(base + counts[index])
                parts.append(rect(left, high, max(0.8, right - left), low - high, name))
                base += counts[index]
    for row, mark in enumerate(marks):
        at, level = x(mark.value), TOP + 16 * row
        anchor = "end" if at > WIDTH * 0.6 else "start"
        shift = -5 if anchor == "end" else 5
        parts.append(path([(at, level - 6), (at, y(0))], f"mark {mark.style}"))
        parts.append(text_at(at + shift, level + 3, mark.label, anchor, "label"))
    return svg_of(height, alternative, parts)


def line_plot(lines: Sequence[Line], *, x_label: str, y_label: str, alternative: str) -> str:
    """Curves over one pair of axes with a legend above; long ones are thinned to means of equal stretches."""
    thinned = [(line, *thin(line.xs, line.ys, _POINTS)) for line in lines]
    columns = 4
    top = TOP + 18 * math.ceil(len(lines) / columns) + 6
    height = top + 180 + BOTTOM
    xs = [value for _, values, _ in thinned for value in values]
    ys = [value for _, _, values in thinned for value in values]
    ticks = nice_ticks(min(ys), max(ys), 5)
    x = scale_between(0, max(xs), LEFT, WIDTH - RIGHT)
    y = scale_between(min(ticks[0], *ys), max(ticks[-1], *ys), height - BOTTOM, top)
    parts = [y_axis(ticks, y), x_axis(nice_ticks(0, max(xs), 5), x, height, x_label), y_name(y_label, top)]
    for index, (line, steps, values) in enumerate(thinned):
        name = f"line c{line.colour % COLOURS} d{line.colour // COLOURS % 3}"
        parts.append(path([(x(step), y(value)) for step, value in zip(steps, values, strict=True)], name))
        left, level = LEFT + 106 * (index % columns), TOP + 18 * (index // columns)
        parts.append(path([(left, level), (left + 22, level)], name))
        parts.append(text_at(left + 28, level + 4, line.name, "start", "label"))
    return svg_of(height, alternative, parts)


def interval_plot(rows: Sequence[Whisker], *, x_label: str, zero_label: str, alternative: str) -> str:
    """Means with their intervals, one below the other, beside a line at zero."""
    top, step, left = TOP + 14, 30, 64
    height = top + step * len(rows) + BOTTOM
    ends = [value for row in rows for value in (row.low, row.high)]
    reach = max([abs(value) for value in ends] + [1e-4]) * 1.08
    low = min(0.0, *ends) - 0.08 * reach
    high = max(0.0, *ends) + 0.08 * reach
    x = scale_between(low, high, left, WIDTH - RIGHT)
    anchor = "start" if x(0) < WIDTH / 2 else "end"
    parts = [
        x_axis(nice_ticks(low, high, 5), x, height, x_label),
        path([(x(0), TOP - 4), (x(0), height - BOTTOM)], "mark dashed"),
        text_at(x(0) + (5 if anchor == "start" else -5), TOP + 5, zero_label, anchor, "label"),
    ]
    for index, row in enumerate(rows):
        level = top + step * (index + 0.5)
        parts.append(text_at(left - 12, level + 4, row.name, "end", "label"))
        parts.append(path([(x(row.low), level), (x(row.high), level)], f"whisker {row.tone}"))
        parts += [
            path([(x(end), level - 5), (x(end), level + 5)], f"whisker {row.tone}") for end in (row.low, row.high)
        ]
        parts.append(f'<circle class="dot {row.tone}" cx="{x(row.mean):.1f}" cy="{level:.1f}" r="5"/>')
    return svg_of(height, alternative, parts)


def thin(xs: Sequence[float], ys: Sequence[float], most: int) -> tuple[list[float], list[float]]:
    """At most so many points: the means of equal stretches."""
    size = math.ceil(len(xs) / most)
    groups = [slice(start, start + size) for start in range(0, len(xs), size)]
    return [_mean(xs[group]) for group in groups], [_mean(ys[group]) for group in groups]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
