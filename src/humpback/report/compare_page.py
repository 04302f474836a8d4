"""Several runs on one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from humpback.report.collect import Report
from humpback.report.figures import Whisker, interval_plot
from humpback.report.measured import MeasuredPage, NumberTable, Part
from humpback.report.outcome import Interval
from humpback.report.plots import Figure
from humpback.report.text import SPACE, compact, duration, number, share, short, signed

SHOWN_VALUE = 80  # characters of a setting


def compare_page(
    runs: Sequence[tuple[str, Report]],
    differences: Mapping[str, Sequence[tuple[str, Interval]]],
    settings: Mapping[str, Sequence[str]],
) -> MeasuredPage:
    """The page.

    Args:
        runs: the label and the report of each; the first is what the others are compared with.
        differences: by set, each other run's last model against the first run's, where both saw the same pairs.
        settings: by field, its value in each run, where they differ.
    """
    labels = [label for label, _ in runs]
    lead = f"{labels[0]} beside {', '.join(labels[1:])}."
    sections = [_verdicts(runs), _losses(runs), _against_first(labels[0], differences), _cost(runs), _sets(runs)]
    rows = [[name, *(short(value, SHOWN_VALUE) for value in values)] for name, values in settings.items()]
    table = NumberTable("Settings that differ", ["setting", *labels], rows)
    sections.append(Part("Settings", [] if rows else ["All settings are the same."], tables=[table] if rows else []))
    return MeasuredPage("Runs compared", lead, sections)


def _verdicts(runs: Sequence[tuple[str, Report]]) -> Part:
    rows = [[label, report.verdict.headline] for label, report in runs]
    return Part("Did it help?", tables=[NumberTable("What each run says of itself", ["run", "verdict"], rows)])


def _losses(runs: Sequence[tuple[str, Report]]) -> Part:
    names = list(dict.fromkeys(part.name for _, report in runs for part in report.evaluation))
    tables = []
    for name in names:
        rows = []
        for label, report in runs:
            part = next((one for one in report.evaluation if one.name == name), None)
            for model in part.models if part is not None else []:
                change = "–" if model.against_m0 is None else signed(model.against_m0.mean)
                interval = f"{number(model.loss.low, 3)} to {number(model.loss.high, 3)}"
                rows.append([f"{label} {model.name}", number(model.loss.mean, 3), interval, change])
        columns = ["model", "loss", f"95{SPACE}% interval", "against its m0"]
        tables.append(NumberTable(f"Held-out loss on {short(name, 80)}, nats per token", columns, rows))
    return Part("Held-out losses", tables=tables)


def _against_first(first: str, differences: Mapping[str, Sequence[tuple[str, Interval]]]) -> Part:
    title = f"Last models against that of {first}"
    if not differences:
        return Part(title, ["The runs were not measured on the same pairs, so their models are not compared."])
    figures = [_figure(first, name, found) for name, found in differences.items()]
    return Part(title, ["Pair by pair on the same held-out pairs; below zero is better."], figures)


def _figure(first: str, name: str, found: Sequence[tuple[str, Interval]]) -> Figure:
    rows = [Whisker(label, one.mean, one.low, one.high, _tone(one)) for label, one in found]
    told = "; ".join(f"{row.name} {signed(row.mean)} ({signed(row.low)} to {signed(row.high)})" for row in rows)
    svg = interval_plot(
        rows,
        x_label="difference in loss, nats per token (left is better)",
        zero_label=short(first, 20),
        alternative=f"Differences in loss from {first} with 95{SPACE}% intervals: {told}.",
    )
    caption = f"On {short(name, 80)}: difference from {short(first, 40)}, with 95{SPACE}% intervals."
    numbers = [[row.name, signed(row.mean), signed(row.low), signed(row.high)] for row in rows]
    return Figure(svg, caption, ["run", "difference", "low", "high"], numbers)


def _tone(one: Interval) -> str:
    return "good" if one.high < 0 else "bad" if one.low > 0 else "even"


def _cost(runs: Sequence[tuple[str, Report]]) -> Part:
    rows = [
        [
            label,
            f"{number(report.cost.kept)} of {number(report.cost.candidates)}",
            share(report.cost.kept, report.cost.candidates),
            duration(report.cost.seconds),
            compact(report.cost.tokens),
            "; ".join(report.cost.hardware) or "–",
        ]
        for label, report in runs
    ]
    columns = ["run", "kept", "share", "time", "tokens trained on", "hardware"]
    return Part("Cost", tables=[NumberTable("What each run took", columns, rows)])


def _sets(runs: Sequence[tuple[str, Report]]) -> Part:
    funnel = [
        [label, stage.title, number(stage.incoming), number(stage.kept)]
        for label, report in runs
        for stage in report.funnel.stages
    ]
    lengths = [
        [f"{label}: {one.name}", number(one.rows), _spread(one.instruction), _spread(one.output)]
        for label, report in runs
        for one in report.lengths
    ]
    return Part(
        "Data",
        tables=[
            NumberTable("What stayed", ["run", "stage", "in", "kept"], funnel),
            NumberTable("Lengths in characters", ["set", "examples", "instruction", "output"], lengths),
        ],
    )


def _spread(found: tuple[float, float]) -> str:
    return f"{number(found[0])} ± {number(found[1])}"
