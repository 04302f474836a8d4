"""Values over log N, sets side by side: points with their intervals, and the lines fitted to them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from humpback.evaluation.scaling import Estimate, FittedSeries, Measured
from humpback.report.drawing import (
    BOTTOM,
    COLOURS,
    LEFT,
    RIGHT,
    WIDTH,
    Scale,
    nice_ticks,
    path,
    scale_between,
    svg_of,
    text_at,
    x_axis,
    y_axis,
    y_name,
)
from humpback.report.plots import Figure
from humpback.report.text import number, short, signed

_HEIGHT = 220
_COLUMNS, _COLUMN, _ROW = 3, 138, 18
_LABEL = 44  # room that the label of an N takes


def scaling_figure(found: Measured, unit: str, direction: str) -> Figure:
    """The sets of one measurement in one pair of axes, N on a logarithmic one; `direction` says which way is better."""
    series = found.fits.series
    top = _ROW * math.ceil((len(series) + 1) / _COLUMNS) + 20
    height = top + _HEIGHT + BOTTOM
    ns = sorted({point.n for part in series for point in part.points})
    shown = [point.value for part in series for point in part.points]
    shown += [point.value for part in series for point in part.line]
    levels = [level for value in shown for level in _reach(value)]
    levels += [found.base.value] if found.base is not None else []
    ticks = nice_ticks(min(levels), max(levels), 5)
    across = scale_between(math.log(ns[0]), math.log(ns[-1]), LEFT + 14, WIDTH - RIGHT - 14)
    y = scale_between(min(ticks[0], *levels), max(ticks[-1], *levels), height - BOTTOM, top)

    def x(n: float) -> float:
        return across(math.log(n))

    parts = [
        y_axis(ticks, y),
        x_axis(_labelled(ns, x), x, height, "rows trained on (logarithmic)"),
        y_name(unit, top),
    ]
    if found.base is not None:
        parts.append(path([(LEFT, y(found.base.value)), (WIDTH - RIGHT, y(found.base.value))], "mark dashed"))
    for index, part in enumerate(series):
        parts += _drawn(part, index, x, y)
    parts += _legend([part.name for part in series], has_base=found.base is not None)
    told = "; ".join(f"{short(part.name, 30)} {_told(part.alpha)}" for part in series)
    svg = svg_of(height, f"{unit} over the logarithm of the rows trained on. Slopes: {told}.", parts)
    name = "" if found.name == unit else f"{short(found.name, 60)}: "
    caption = (
        f"{name}{unit}, {direction}. Lines are alpha · log N + C; shades and bars are 95 % "
        f"intervals over {found.fits.over}."
    )
    rows = [
        [short(part.name, 30), number(point.n), number(point.value.value, 4), *_ends(point.value)]
        for part in series
        for point in part.points
    ]
    return Figure(svg, caption, ["set", "rows", unit, "from", "to"], rows)


def _drawn(part: FittedSeries, index: int, x: Scale, y: Scale) -> Iterator[str]:
    colour = index % COLOURS
    dash = f"d{index // COLOURS % 3}"
    if all(point.value.low is not None for point in part.line):
        lower = [(x(point.n), y(_reach(point.value)[0])) for point in part.line]
        upper = [(x(point.n), y(_reach(point.value)[1])) for point in reversed(part.line)]
        yield path([*lower, *upper], f"band s{colour}")
    yield path([(x(point.n), y(point.value.value)) for point in part.line], f"line c{colour} {dash}")
    for point in part.points:
        low, high = _reach(point.value)
        if low < high:
            yield path([(x(point.n), y(low)), (x(point.n), y(high))], f"reach c{colour}")
        yield (
            f'<circle class="point strong s{colour}" cx="{x(point.n):.1f}" cy="{y(point.value.value):.1f}" r="4.2"/>'
        )


def _legend(names: Sequence[str], *, has_base: bool) -> Iterator[str]:
    entries = [(name, f"line c{index % COLOURS} d{index // COLOURS % 3}") for index, name in enumerate(names)]
    entries += [("untrained", "mark dashed")] if has_base else []
    for index, (name, style) in enumerate(entries):
        left, level = LEFT + _COLUMN * (index % _COLUMNS), 12 + _ROW * (index // _COLUMNS)
        yield path([(left, level), (left + 22, level)], style)
        yield text_at(left + 28, level + 4, short(name, 16), "start", "label")


def _labelled(ns: Sequence[int], x: Scale) -> list[float]:
    """Of many N those whose labels have room; the first and the last among them."""
    found = [float(ns[0])]
    for n in ns[1:]:
        if x(n) - x(found[-1]) >= _LABEL:
            found.append(float(n))
    last = float(ns[-1])
    if found[-1] != last:
        found = [*(found[:-1] or found), last]
    return found


def _reach(value: Estimate) -> tuple[float, float]:
    return (
        value.value if value.low is None else value.low,
        value.value if value.high is None else value.high,
    )


def _ends(value: Estimate) -> tuple[str, str]:
    return number(value.low, 4), number(value.high, 4)


def _told(value: Estimate) -> str:
    return f"{signed(value.value)} ({signed(value.low)} to {signed(value.high)})"
