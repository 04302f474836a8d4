"""What figures are made of: pieces of inline SVG, so that a page needs no script and no file beside it.

All figures are 480 units wide, which keeps their labels readable on a phone; colours are classes of the style sheet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

WIDTH = 480
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 14, 46
COLOURS = 6

Scale = Callable[[float], float]


def scale_between(low: float, high: float, start: float, end: float) -> Scale:
    """The place of a value: `low` stands at `start`, `high` at `end`."""
    span = (high - low) or 1.0
    return lambda value: start + (value - low) / span * (end - start)


def nice_ticks(low: float, high: float, count: int) -> list[float]:
    """About `count` round values in [low, high], steps of 1, 2 or 5 times a power of ten."""
    if high <= low:
        return [low]
    raw = (high - low) / max(1, count)
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * unit for factor in (1, 2, 5, 10) if factor * unit >= raw * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)] or [low]


def x_axis(ticks: Sequence[float], x: Scale, height: float, label: str) -> str:
    """The horizontal axis with its ticks, `label` below its right end; `height` is the figure's."""
    floor = height - BOTTOM
    start = min(x(tick) for tick in ticks)
    parts = [path([(min(start, LEFT), floor), (WIDTH - RIGHT, floor)], "axis")]
    for tick, written in zip(ticks, _labels(ticks), strict=True):
        parts.append(path([(x(tick), floor), (x(tick), floor + 4)], "axis"))
        parts.append(text_at(x(tick), floor + 17, written, "middle", "tick"))
    parts.append(text_at(WIDTH - RIGHT, height - 8, label, "end", "name"))
    return "".join(parts)


def y_axis(ticks: Sequence[float], y: Scale) -> str:
    """Lines across the figure at the ticks, their values on the left."""
    parts = []
    for tick, label in zip(ticks, _labels(ticks), strict=True):
        parts.append(path([(LEFT, y(tick)), (WIDTH - RIGHT, y(tick))], "grid"))
        parts.append(text_at(LEFT - 7, y(tick) + 4, label, "end", "tick"))
    return "".join(parts)


def y_name(label: str, top: float) -> str:
    """The vertical axis's name, turned upwards."""
    middle = top + 80
    return (
        f'<text class="name" text-anchor="middle" transform="translate(13 {middle:.1f}) rotate(-90)">'
        f"{escape(label)}</text>"
    )


def rect(x: float, y: float, width: float, height: float, name: str) -> str:
    """A rectangle of class `name`."""
    return f'<rect class="{name}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def path(points: Sequence[tuple[float, float]], name: str) -> str:
    """A line through some points, of class `name`."""
    d = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path class="{name}" d="M{d}"/>'


def text_at(x: float, y: float, text: str, anchor: str, name: str) -> str:
    """A text at a place, of class `name`; escaped."""
    return f'<text class="{name}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def svg_of(height: float, alternative: str, parts: Sequence[str]) -> str:
    """The figure: all parts, and `alternative` for those who cannot see it."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(alternative)}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )


def _labels(ticks: Sequence[float]) -> list[str]:
    """The ticks written with as many decimals as the one that needs most."""
    digits = max(len(f"{tick:.6f}".rstrip("0").partition(".")[2]) for tick in ticks)
    return [f"{tick:,.{digits}f}".replace("-", "\N{MINUS SIGN}") for tick in ticks]
