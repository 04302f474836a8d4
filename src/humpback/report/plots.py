"""Which figures the page has: what each one draws, and the same in words for those who cannot see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from humpback.report.collect import Training
from humpback.report.figures import Line, Mark, Whisker, histogram, interval_plot, line_plot, thin
from humpback.report.numbers import RatingRound
from humpback.report.outcome import BASE, REFERENCE, EvaluationSet
from humpback.report.text import SPACE, number, short, signed

_TONES = {"better": "good", "worse": "bad"}


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawn figure, its caption, and the numbers in it as a table."""

    svg: str
    caption: str
    columns: list[str]
    rows: list[list[str]]


def difference_figure(part: EvaluationSet) -> Figure | None:
    """The differences of M_1 and later models from M_0 on one set; the base model is far off and would hide them."""
    rows = []
    for model in part.models:
        known = model.against_m0
        if known is not None and known.is_known and model.name != BASE:
            rows.append(Whisker(model.name, known.mean, known.low, known.high, _TONES.get(model.reading, "even")))
    if not rows:
        return None
    told = "; ".join(f"{row.name} {signed(row.mean)} ({signed(row.low)} to {signed(row.high)})" for row in rows)
    svg = interval_plot(
        rows,
        x_label="difference in loss, nats per token (left is better)",
        zero_label=REFERENCE,
        alternative=f"Differences in loss from m0 with 95{SPACE}% intervals: {told}.",
    )
    return Figure(svg, f"Difference from m0 on {short(part.title, 80)}, with 95{SPACE}% intervals.", [], [])


def rating_figure(found: RatingRound) -> Figure | None:
    """The histogram of one round's ratings; kept candidates are coloured strongly."""
    if not found.rated or found.mean is None:
        return None
    marks = [Mark(found.mean, f"mean {number(found.mean, 2)}", "dashed")]
    if found.lowest_kept is not None:
        marks.append(Mark(found.lowest_kept, f"lowest kept {number(found.lowest_kept, 2)}", "solid"))
    bins = list(zip(found.edges, found.edges[1:], found.kept, found.left, strict=False))
    fullest = max(bins, key=lambda one: one[2] + one[3])
    digits = 3 if found.edges[1] - found.edges[0] < 0.05 else 2
    svg = histogram(
        found.edges,
        [found.kept, found.left],
        ["bar kept", "bar left"],
        marks,
        x_label="rating",
        y_label="candidates",
        alternative=(
            f"Histogram of {number(found.rated)} ratings of round {found.round}: mean {number(found.mean, 2)}, most "
            f"often between {number(fullest[0], digits)} and {number(fullest[1], digits)}; "
            f"{number(sum(found.kept))} candidates were kept."
        ),
    )
    rows = [
        [f"{number(low, digits)}–{number(high, digits)}", number(kept), number(left)]
        for low, high, kept, left in bins
        if kept or left
    ]
    caption = f"Round {found.round}: {number(found.rated)} ratings by m{found.round - 1}."
    return Figure(svg, caption, ["rating", "kept", "not kept"], rows)


def loss_figure(trainings: Sequence[Training], caption: str) -> Figure | None:
    """The training losses of some models over their steps."""
    curves = [(training.model, training.curve) for training in trainings if training.curve is not None]
    if not curves:
        return None
    lines = [Line(name, curve.steps, curve.losses, index) for index, (name, curve) in enumerate(curves)]
    rows, told = [], []
    for name, curve in curves:
        _, means = thin(curve.steps, curve.losses, 10)
        rows.append([name, *(number(mean, 3) for mean in means), *("–" for _ in range(10 - len(means)))])
        told.append(f"{name} from {number(means[0], 3)} to {number(means[-1], 3)}")
    svg = line_plot(
        lines,
        x_label="optimiser step",
        y_label="loss",
        alternative=f"Training loss by step, means of the first and the last tenth: {'; '.join(told)}.",
    )
    return Figure(svg, caption, ["model", *(f"tenth {index}" for index in range(1, 11))], rows)
