"""The sunburst of figure 2 of the paper: root verbs in the inner ring, their direct objects in the outer one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from humpback.evaluation.diversity import VerbCount
from humpback.report.drawing import COLOURS, WIDTH, svg_of, text_at
from humpback.report.plots import Figure
from humpback.report.text import number, share, short, visible

_HOLE, _MIDDLE, _EDGE = 44.0, 134.0, 236.0  # radii: of the hole, between the rings, of the whole
_LETTER = 6.3  # mean width of a letter at the size of the style sheet
_LINE = 11.0  # height that a label needs
_PADDING = 8.0  # free on both ends of a label, together
_WHOLE = 0.9995  # of a turn: an arc that ends where it begins is none
_LONGEST = 24  # letters of a word in the table


@dataclass(frozen=True, slots=True)
class _Sector:
    """A piece of a ring: angles in turns, clockwise from the top; radii; what stands in it."""

    start: float
    end: float
    inner: float
    outer: float
    label: str
    style: str


def sunburst_figure(name: str, counts: Sequence[VerbCount]) -> Figure | None:
    """The most common verbs of the set `name` and their most common objects; None where there are none.

    Angles are in proportion to the instructions with these verbs and an object; the faint rest of the outer ring are
    objects that are not listed.
    """
    total = sum(verb.count for verb in counts)
    if not total:
        return None
    title = short(name, 60)
    parts = [part for sector in _sectors(counts, total) for part in _drawn(sector)]
    parts.append(text_at(WIDTH / 2, WIDTH / 2 + 4, short(name, 12), "middle", "label"))
    told = ", ".join(f"{_word(verb)} {share(verb.count, total)}" for verb in counts[:5])
    svg = svg_of(
        WIDTH,
        f"Sunburst of the {len(counts)} most common root verbs in {title} and their most common objects: {told}.",
        parts,
    )
    rows = [[_word(verb), number(verb.count), _objects(verb)] for verb in counts]
    caption = f"{title}: the {len(counts)} most common root verbs, with the most common direct objects of each."
    return Figure(svg, caption, ["verb", "instructions", "objects"], rows)


def _sectors(counts: Sequence[VerbCount], total: int) -> Iterator[_Sector]:
    start = 0.0
    for index, verb in enumerate(counts):
        end = start + verb.count / total
        yield _Sector(start, end, _HOLE, _MIDDLE, verb.verb, f"sector verb s{index % COLOURS}")
        first = start
        for noun in verb.objects:
            last = first + noun.count / total
            yield _Sector(first, last, _MIDDLE, _EDGE, noun.object, f"sector s{index % COLOURS}")
            first = last
        if first < end:
            yield _Sector(first, end, _MIDDLE, _EDGE, "", f"sector rest s{index % COLOURS}")
        start = end


def _drawn(sector: _Sector) -> Iterator[str]:
    end = min(sector.end, sector.start + _WHOLE)
    large = int(end - sector.start > 0.5)
    corners = [
        _point(turn, radius)
        for turn, radius in (
            (sector.start, sector.inner),
            (sector.start, sector.outer),
            (end, sector.outer),
            (end, sector.inner),
        )
    ]
    outer, inner = f"{sector.outer:.0f} {sector.outer:.0f}", f"{sector.inner:.0f} {sector.inner:.0f}"
    yield (
        f'<path class="{sector.style}" d="M{corners[0]}L{corners[1]}A{outer} 0 {large} 1 {corners[2]}'
        f'L{corners[3]}A{inner} 0 {large} 0 {corners[0]}Z"/>'
    )
    middle = (sector.inner + sector.outer) / 2
    letters = int((sector.outer - sector.inner - _PADDING) / _LETTER)
    # Near the hole a sector is narrower than in its middle; what matters is where the label begins.
    room = (sector.end - sector.start) * math.tau * (sector.inner + middle) / 2
    if room < _LINE or not sector.label:
        return
    yield _label(short(sector.label, letters), (sector.start + sector.end) / 2, middle)


def _label(text: str, turn: float, radius: float) -> str:
    """A label along the ray at `turn`, never upside down."""
    x, y = _place(turn, radius)
    angle = 360 * turn - (90 if turn < 0.5 else 270)
    drawn = text_at(0, 4, text, "middle", "label small")
    return f'<g transform="translate({x:.1f} {y:.1f}) rotate({angle:.1f})">{drawn}</g>'


def _place(turn: float, radius: float) -> tuple[float, float]:
    angle = math.tau * turn
    return WIDTH / 2 + radius * math.sin(angle), WIDTH / 2 - radius * math.cos(angle)


def _point(turn: float, radius: float) -> str:
    x, y = _place(turn, radius)
    return f"{x:.1f} {y:.1f}"


def _word(verb: VerbCount) -> str:
    return short(visible(verb.verb), _LONGEST)


def _objects(verb: VerbCount) -> str:
    return ", ".join(f"{short(noun.object, _LONGEST)} {number(noun.count)}" for noun in verb.objects)
