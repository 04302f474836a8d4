"""Plots as inline SVG: drawn here, so that the page needs no script and no file beside it.

All are 480 units wide, which keeps their labels readable on a phone; colours are classes of the style sheet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 480
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 14, 46
_POINTS = 40  # ours: means of so many stretches show where a loss goes; single batches only jump
COLOURS = 6

Scale = Callable[[float], float]


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
    height, top = 240, _TOP + 16 * len(marks)
    highest = max([sum(counts) for counts in zip(*stacks, strict=True)], default=0)
    ticks = [tick for tick in nice_ticks(0, max(1, highest), 4) if tick == int(tick)]
    x = _scale(edges[0], edges[-1], _LEFT, WIDTH - _RIGHT)
    y = _scale(0, max(ticks[-1], highest, 1), height - _BOTTOM, top)
    parts = [_y_axis(ticks, y), _x_axis(nice_ticks(edges[0], edges[-1], 8), x, height, x_label), _y_name(y_label, top)]
    for index in range(len(edges) - 1):
        base = 0
        for counts, name in zip(stacks, classes, strict=True):
            if counts[index]:
                left, right = x(edges[index]) + 0.6, x(edges[index + 1]) - 0.6
                low, high = y(base), y(base + counts[index])
                parts.append(_rect(left, high, max(0.8, right - left), low - high, name))
                base += counts[index]
    for row, mark in enumerate(marks):
        at, level = x(mark.value), _TOP + 16 * row
        anchor = "end" if at > WIDTH * 0.6 else "start"
        shift = -5 if anchor == "end" else 5
        parts.append(_path([(at, level - 6), (at, y(0))], f"mark {mark.style}"))
        parts.append(_text(at + shift, level + 3, mark.label, anchor, "label"))
    return _svg(height, alternative, parts)


def line_plot(lines: Sequence[Line], *, x_label: str, y_label: str, alternative: str) -> str:
    """Curves over one pair of axes with a legend above; long ones are thinned to means of equal stretches."""
    thinned = [(line, *thin(line.xs, line.ys, _POINTS)) for line in lines]
    columns = 4
    top = _TOP + 18 * math.ceil(len(lines) / columns) + 6
    height = top + 180 + _BOTTOM
    xs = [value for _, values, _ in thinned for value in values]
    ys = [value for _, _, values in thinned for value in values]
    ticks = nice_ticks(min(ys), max(ys), 5)
    x = _scale(0, max(xs), _LEFT, WIDTH - _RIGHT)
    y = _scale(min(ticks[0], *ys), max(ticks[-1], *ys), height - _BOTTOM, top)
    parts = [_y_axis(ticks, y), _x_axis(nice_ticks(0, max(xs), 5), x, height, x_label), _y_name(y_label, top)]
    for index, (line, steps, values) in enumerate(thinned):
        name = f"line c{line.colour % COLOURS} d{line.colour // COLOURS % 3}"
        parts.append(_path([(x(step), y(value)) for step, value in zip(steps, values, strict=True)], name))
        left, level = _LEFT + 106 * (index % columns), _TOP + 18 * (index // columns)
        parts.append(_path([(left, level), (left + 22, level)], name))
        parts.append(_text(left + 28, level + 4, line.name, "start", "label"))
    return _svg(height, alternative, parts)


def interval_plot(rows: Sequence[Whisker], *, x_label: str, zero_label: str, alternative: str) -> str:
    """Means with their intervals, one below the other, beside a line at zero."""
    top, step, left = _TOP + 14, 30, 64
    height = top + step * len(rows) + _BOTTOM
    ends = [value for row in rows for value in (row.low, row.high)]
    reach = max([abs(value) for value in ends] + [1e-4]) * 1.08
    low = min(0.0, *ends) - 0.08 * reach
    high = max(0.0, *ends) + 0.08 * reach
    x = _scale(low, high, left, WIDTH - _RIGHT)
    anchor = "start" if x(0) < WIDTH / 2 else "end"
    parts = [
        _x_axis(nice_ticks(low, high, 5), x, height, x_label),
        _path([(x(0), _TOP - 4), (x(0), height - _BOTTOM)], "mark dashed"),
        _text(x(0) + (5 if anchor == "start" else -5), _TOP + 5, zero_label, anchor, "label"),
    ]
    for index, row in enumerate(rows):
        level = top + step * (index + 0.5)
        parts.append(_text(left - 12, level + 4, row.name, "end", "label"))
        parts.append(_path([(x(row.low), level), (x(row.high), level)], f"whisker {row.tone}"))
        parts += [
            _path([(x(end), level - 5), (x(end), level + 5)], f"whisker {row.tone}") for end in (row.low, row.high)
        ]
        parts.append(f'<circle class="dot {row.tone}" cx="{x(row.mean):.1f}" cy="{level:.1f}" r="5"/>')
    return _svg(height, alternative, parts)


def nice_ticks(low: float, high: float, count: int) -> list[float]:
    """About `count` round values in [low, high], steps of 1, 2 or 5 times a power of ten."""
    if high <= low:
        return [low]
    raw = (high - low) / max(1, count)
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * unit for factor in (1, 2, 5, 10) if factor * unit >= raw * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)] or [low]


def thin(xs: Sequence[float], ys: Sequence[float], most: int) -> tuple[list[float], list[float]]:
    """At most so many points: the means of equal stretches."""
    size = math.ceil(len(xs) / most)
    groups = [slice(start, start + size) for start in range(0, len(xs), size)]
    return [_mean(xs[group]) for group in groups], [_mean(ys[group]) for group in groups]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _scale(low: float, high: float, start: float, end: float) -> Scale:
    span = (high - low) or 1.0
    return lambda value: start + (value - low) / span * (end - start)


def _y_axis(ticks: Sequence[float], y: Scale) -> str:
    parts = []
    for tick, label in zip(ticks, _labels(ticks), strict=True):
        parts.append(_path([(_LEFT, y(tick)), (WIDTH - _RIGHT, y(tick))], "grid"))
        parts.append(_text(_LEFT - 7, y(tick) + 4, label, "end", "tick"))
    return "".join(parts)


def _x_axis(ticks: Sequence[float], x: Scale, height: float, label: str) -> str:
    floor = height - _BOTTOM
    start = min(x(tick) for tick in ticks)
    parts = [_path([(min(start, _LEFT), floor), (WIDTH - _RIGHT, floor)], "axis")]
    for tick, written in zip(ticks, _labels(ticks), strict=True):
        parts.append(_path([(x(tick), floor), (x(tick), floor + 4)], "axis"))
        parts.append(_text(x(tick), floor + 17, written, "middle", "tick"))
    parts.append(_text(WIDTH - _RIGHT, height - 8, label, "end", "name"))
    return "".join(parts)


def _y_name(label: str, top: float) -> str:
    middle = top + 80
    return (
        f'<text class="name" text-anchor="middle" transform="translate(13 {middle:.1f}) rotate(-90)">'
        f"{escape(label)}</text>"
    )


def _labels(ticks: Sequence[float]) -> list[str]:
    """The ticks written with as many decimals as the one that needs most."""
    digits = max(len(f"{tick:.6f}".rstrip("0").partition(".")[2]) for tick in ticks)
    return [f"{tick:,.{digits}f}".replace("-", "\N{MINUS SIGN}") for tick in ticks]


def _rect(x: float, y: float, width: float, height: float, name: str) -> str:
    return f'<rect class="{name}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def _path(points: Sequence[tuple[float, float]], name: str) -> str:
    d = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path class="{name}" d="M{d}"/>'


def _text(x: float, y: float, text: str, anchor: str, name: str) -> str:
    return f'<text class="{name}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(height: float, alternative: str, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(alternative)}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )
