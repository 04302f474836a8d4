"""The page of `humpback evaluate scaling`."""

from __future__ import annotations

from humpback.evaluation.scaling import Estimate, Measured, Scaling
from humpback.report.measured import MeasuredPage, NumberTable, Part, render_measured
from humpback.report.scaling_plot import scaling_figure
from humpback.report.text import number, short, signed

_LEAD = (
    "How the quality of a model grows with the rows that it is trained on: value = alpha · log N + C, with the natural "
    "logarithm, as figures 3, 4, 5 and 7 of the paper."
)


def scaling_page(found: Scaling) -> str:
    """The page as HTML."""
    direction = "lower is better" if found.lower_is_better else "higher is better"
    sections = [_section(part, found, direction) for part in found.measured]
    return render_measured(MeasuredPage("Scaling of data", _LEAD, sections))


def _section(part: Measured, found: Scaling, direction: str) -> Part:
    sign = "A negative alpha" if found.lower_is_better else "A positive alpha"
    pairs = "" if part.base is None else f"Measured on {number(part.pairs)} held-out pairs. "
    return Part(
        short(part.name, 60),
        text=[f"{sign} says that more rows help: {direction}. Twice the rows change a model by alpha · log 2."],
        figures=[scaling_figure(part, found.unit, direction)],
        tables=[_table(part)],
        notes=[
            f"{pairs}Steps: {found.steps}.",
            f"Intervals are 95 % percentile bootstraps over {part.fits.over}.",
        ],
    )


def _table(part: Measured) -> NumberTable:
    series = part.fits.series
    digits = 2 if max(abs(one.alpha.value) for one in series) >= 1 else 4
    rows = [
        [
            short(one.name, 30),
            _slope(one.alpha, digits),
            signed(one.per_doubling.value, digits),
            _level(one.constant, digits),
            _slope(one.against_first, digits),
        ]
        for one in series
    ]
    if part.base is not None:
        rows.append(["untrained", number(None), number(None), _level(part.base, digits), number(None)])
    value = "C" if part.base is None else "C, or value"
    columns = ["set", "alpha", "per doubling", value, f"alpha less that of {short(series[0].name, 30)}"]
    return NumberTable("Lines, with 95 % intervals", columns, rows)


def _slope(value: Estimate | None, digits: int) -> str:
    if value is None:
        return number(None)
    if value.low is None:
        return signed(value.value, digits)
    return f"{signed(value.value, digits)} ({signed(value.low, digits)} to {signed(value.high, digits)})"


def _level(value: Estimate, digits: int) -> str:
    if value.low is None:
        return number(value.value, digits)
    return f"{number(value.value, digits)} ({number(value.low, digits)} to {number(value.high, digits)})"
