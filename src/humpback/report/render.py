"""Turns a report into the page."""

from __future__ import annotations

from humpback.report.answers_part import answers_parts
from humpback.report.benchmarks_part import benchmark_parts
from humpback.report.collect import Report
from humpback.report.diversity_page import diversity_parts
from humpback.report.downloads import with_downloads
from humpback.report.numbers import Lengths
from humpback.report.pages import environment, page_style
from humpback.report.plots import Figure, difference_figure, loss_figure, rating_figure

TEMPLATE_FILE = "page.html.jinja"

# Table 2 of the paper (arXiv 2308.06259), in characters, mean and standard deviation.
PAPER_LENGTHS = (
    Lengths("seed", 3_200, (148, 322), (1_072, 818)),
    Lengths("all candidates", 502_133, (352, 134), (1_722, 653)),
    Lengths("A₄, iteration 2", 195_043, (206, 298), (1_985, 649)),
    Lengths("A₅, iteration 2", 41_821, (115, 175), (1_663, 616)),
)


def render_page(report: Report) -> str:
    """The whole page: HTML with its style inside, no script, and nothing fetched from anywhere."""
    page = environment().get_template(TEMPLATE_FILE)
    html = page.render(
        report=report,
        style=page_style(),
        diversity=diversity_parts(report.diversity) if report.diversity is not None else [],
        answers=answers_parts(report.answers) if report.answers is not None else [],
        benchmarks=benchmark_parts(report.benchmarks) if report.benchmarks is not None else [],
        paper_lengths=PAPER_LENGTHS,
        differences=[difference_figure(part) for part in report.evaluation],
        rating_figures=_there([rating_figure(found) for found in report.ratings]),
        loss_figures=_there(
            [
                loss_figure(
                    [training for training in report.trainings if training.model != "backward"],
                    "Forward models: loss on the answers they are trained on, means of equal stretches of steps. "
                    "Models are trained on different sets, so the levels do not rank them.",
                ),
                loss_figure(
                    [training for training in report.trainings if training.model == "backward"],
                    "Backward model: loss on the instructions, means of equal stretches of steps.",
                ),
            ]
        ),
    )
    return with_downloads(html)


def _there(figures: list[Figure | None]) -> list[Figure]:
    return [figure for figure in figures if figure is not None]
