"""The page of `humpback evaluate diversity`."""

from __future__ import annotations

from humpback.evaluation.diversity import Diversity, SetDiversity
from humpback.report.measured import MeasuredPage, NumberTable, Part, render_measured
from humpback.report.sunburst import sunburst_figure
from humpback.report.text import number, share, short
from humpback.report.topic_map import topic_map_figure

_LEAD = (
    "What instructions ask for, how variously they say it, and what they are about: sets side by side, after figure 2 "
    "of the paper."
)


def diversity_page(found: Diversity) -> str:
    """The page as HTML."""
    return render_measured(MeasuredPage("Diversity of instructions", _LEAD, diversity_parts(found)))


def diversity_parts(found: Diversity) -> list[Part]:
    """The sections: verbs and objects, the numbers, and the map of topics."""
    sections = [_verbs(found), _numbers(found)]
    if found.map is not None:
        sections.append(
            Part(
                "Topics",
                figures=[topic_map_figure(found.map)],
                notes=[
                    "Points of different sets in the same place are about the same. Directions, areas and the width "
                    f"of gaps mean nothing. The space: {found.space}."
                ],
            )
        )
    return sections


def _verbs(found: Diversity) -> Part:
    shares = "; ".join(f"{short(part.name, 40)}: {share(part.parsed, 1)}" for part in found.sets)
    figures = [sunburst_figure(part.name, part.verbs) for part in found.sets]
    return Part(
        "Verbs and objects",
        text=[f"Share of instructions with a root verb and a direct object, which the figures count: {shares}."],
        figures=[figure for figure in figures if figure is not None],
        notes=[
            f"Parsed with {found.parser}, which reads English. Angles are shares of the instructions whose verb is "
            "among the most common ones; the faint parts of the outer ring are objects that are not listed."
        ],
    )


def _numbers(found: Diversity) -> Part:
    columns = ["measure", *(short(part.name, 24) for part in found.sets)]
    rows = [
        ["instructions", *(number(part.instructions) for part in found.sets)],
        ["with a root verb", *(share(part.with_verb, 1) for part in found.sets)],
        ["with a verb and an object", *(share(part.parsed, 1) for part in found.sets)],
        *([f"distinct-{n}", *(number(part.distinct[n], 3) for part in found.sets)] for n in found.sets[0].distinct),
        ["entropy of root verbs, bits", *(number(part.verb_entropy_bits, 2) for part in found.sets)],
        ["mean distance of two instructions", *(number(part.spread, 3) for part in found.sets)],
    ]
    if found.seed is not None:
        rows.append(["mean distance to the nearest seed instruction", *(_nearest(part) for part in found.sets)])
        levels = next((list(part.nearest_seed.quantiles) for part in found.sets if part.nearest_seed), [])
        rows += [[f"its {level} % quantile", *(_nearest(part, level) for part in found.sets)] for level in levels]
    notes = [
        f"Distinct-n and the entropy depend on the size of a set and are taken on {number(found.lot)} instructions of "
        f"each, drawn by lot. Distances are 1 less the cosine in a space of words, not of meanings: {found.space}. "
        "They compare the sets of one page and no others."
    ]
    if found.seed is not None:
        notes.append(f"For {short(found.seed, 40)} itself the nearest other instruction is taken.")
    return Part("Numbers", tables=[NumberTable("Diversity of each set", columns, rows)], notes=notes)


def _nearest(part: SetDiversity, level: str | None = None) -> str:
    if part.nearest_seed is None:
        return number(None)
    return number(part.nearest_seed.mean if level is None else part.nearest_seed.quantiles[level], 3)
