"""The kinds of defects that the judge is calibrated on, and how one is planted in a good pair."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from humpback.judge import cuts, insertions, replacements
from humpback.judge.banks import Material, Portion
from humpback.judge.layout import Layout
from humpback.judge.lenders import Lenders
from humpback.judge.repeats import repeated
from humpback.randomness import derived_seed
from humpback.records import Example


class Defect(StrEnum):
    """Every kind of planted defect. The list is closed."""

    # the instruction is another one
    OTHER_INSTRUCTION = "other_instruction"  # of any other pair
    NEAR_MISS = "near_miss"  # of the pair most alike
    # the answer lacks a part
    CUT_START = "cut_start"
    CUT_MIDDLE = "cut_middle"
    CUT_END = "cut_end"
    BRIEF = "brief"  # its first sentences alone
    # the answer has something in it that does not belong there
    PROMOTION = "promotion"
    NAVIGATION = "navigation"
    COMMENTS = "comments"
    FORUM_VOICE = "forum_voice"
    BLOG_VOICE = "blog_voice"
    REPEATED = "repeated"
    # the answer is none
    OTHER_LANGUAGE = "other_language"
    ECHO = "echo"
    GENERIC = "generic"


@dataclass(frozen=True, slots=True)
class Planted:
    """A pair with one defect."""

    instruction: str
    output: str


class Planter:
    """Plants defects in pairs. What comes out depends on the pair, the kind, the seed and the lenders alone."""

    def __init__(self, pairs: Sequence[Example], random_seed: int, material: Portion = "all") -> None:
        """`pairs` may lend their instructions; `material` names the half of each bank of texts that is used."""
        self._lenders = Lenders(pairs)
        self._random_seed = random_seed
        self._material = Material(material)

    def plant(self, pair: Example, kind: Defect) -> Planted | None:
        """The pair with a defect of this kind; None where it cannot have one, as one sentence has no middle to lose."""
        rng = Random(derived_seed(self._random_seed, "defect", kind, pair.id))  # noqa: S311
        if kind in {Defect.OTHER_INSTRUCTION, Defect.NEAR_MISS}:
            near = kind is Defect.NEAR_MISS
            instruction = self._lenders.nearest(pair) if near else self._lenders.any_other(pair, rng)
            return None if instruction is None else Planted(instruction, pair.output)
        if not pair.output.strip():
            return None
        output = self._output(pair, kind, rng)
        if output is None or output == pair.output or not output.strip():
            return None
        return Planted(pair.instruction, output)

    def _output(self, pair: Example, kind: Defect, rng: Random) -> str | None:
        layout = Layout(pair.output)
        if kind in _OF_LAYOUT:
            return _OF_LAYOUT[kind](layout, rng)
        if kind is Defect.ECHO:
            return replacements.echo(layout, pair.instruction, self._material, rng)
        if kind is Defect.GENERIC:
            return replacements.generic(pair.instruction, self._material, rng)
        return _WITH_MATERIAL[kind](layout, self._material, rng)


_OF_LAYOUT: dict[Defect, Callable[[Layout, Random], str | None]] = {
    Defect.CUT_START: cuts.cut_start,
    Defect.CUT_MIDDLE: cuts.cut_middle,
    Defect.CUT_END: cuts.cut_end,
    Defect.BRIEF: cuts.brief,
    Defect.REPEATED: repeated,
}
_WITH_MATERIAL: dict[Defect, Callable[[Layout, Material, Random], str | None]] = {
    Defect.PROMOTION: insertions.promotion,
    Defect.NAVIGATION: insertions.navigation,
    Defect.COMMENTS: insertions.comments,
    Defect.FORUM_VOICE: insertions.forum_voice,
    Defect.BLOG_VOICE: insertions.blog_voice,
    Defect.OTHER_LANGUAGE: replacements.other_language,
}
