"""What the evaluation says, and how the page says it: did the loop help?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from humpback.report.text import SPACE, number, signed

BASE, REFERENCE, BACKWARD = "base", "m0", "backward"
Reading = Literal["better", "worse", "no difference", "not measured"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float

    @property
    def is_known(self) -> bool:
        """Whether all three are numbers."""
        return all(math.isfinite(value) for value in (self.mean, self.low, self.high))


@dataclass(frozen=True, slots=True)
class ModelLoss:
    """One model on one set: its loss and, for a forward model other than M_0, the difference from M_0."""

    name: str
    loss: Interval
    against_m0: Interval | None

    @property
    def reading(self) -> Reading:
        """Better when the whole interval of the difference is below zero, worse when it is above."""
        difference = self.against_m0
        if difference is None or not difference.is_known:
            return "not measured"
        if difference.high < 0:
            return "better"
        return "worse" if difference.low > 0 else "no difference"


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """Every model's loss on one set of pairs, the backward model's apart: it is asked for the instructions."""

    name: str
    pairs: int
    models: list[ModelLoss]
    backward: Interval | None

    @property
    def title(self) -> str:
        """The set in words."""
        return "the seed’s held-out pairs" if self.name == "seed" else f"the set “{self.name}”"

    def model(self, name: str) -> ModelLoss | None:
        """The model called `name`, if it was measured."""
        return next((model for model in self.models if model.name == name), None)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The first lines of the page. `tone` colours them."""

    tone: Literal["better", "worse", "mixed", "none", "scripted"]
    headline: str
    sentences: list[str]


def evaluation_sets(result: Mapping[str, Any]) -> list[EvaluationSet]:
    """The sets in `evaluation.json`, in its order; models from the base model to the last one."""
    sets = []
    for name, part in result.get("sets", {}).items():
        rows = part.get("models", {})
        forward = sorted((model for model in rows if model != BACKWARD), key=_order)
        models = [
            ModelLoss(model, _interval(rows[model]["loss"]), _optional_interval(rows[model].get("against_m0")))
            for model in forward
        ]
        backward = _interval(rows[BACKWARD]["loss"]) if BACKWARD in rows else None
        sets.append(EvaluationSet(name, int(part.get("pairs", 0)), models, backward))
    return sets


def verdict(sets: list[EvaluationSet], last: str, *, is_scripted: bool) -> Verdict:
    """What the evaluation says of the model called `last` beside M_0, and no more than it says."""
    if is_scripted:
        return Verdict(
            "scripted",
            "A dry run: no model was trained.",
            ["Scripted engine: no model was trained; the figures mean nothing. They show that the configuration "
             "runs from end to end and what this page looks like."],
        )  # fmt: skip
    measured = [(part, found) for part in sets if (found := part.model(last)) and found.reading != "not measured"]
    if not measured:
        return Verdict("none", "Not measured.", [f"The evaluation holds no comparison of {last} with m0."])
    readings = {found.reading for _, found in measured}
    sentences = [_sentence(part, found) for part, found in measured]
    if readings == {"better"}:
        return Verdict("better", "It helped, by held-out loss.", sentences)
    if readings == {"worse"}:
        return Verdict("worse", "It did not help: the model got worse, by held-out loss.", sentences)
    if readings == {"no difference"}:
        return Verdict("none", "No difference that this evaluation can tell.", sentences)
    if "worse" not in readings:
        return Verdict(
            "mixed", "It helped on some sets, by held-out loss, and made no difference on others.", sentences
        )
    if "better" not in readings:
        return Verdict("worse", "It did not help: worse on some sets, and no difference on others.", sentences)
    return Verdict("mixed", "Mixed: better on some sets, worse on others.", sentences)


def with_stop(said: Verdict, rounds: Sequence[Mapping[str, Any]]) -> Verdict:
    """The verdict and, where the loop stopped because a model was worse, a sentence on that.

    `rounds` are the facts of the verdicts of round 1, 2, ...; none where the run was not told to stop.
    """
    stopped = next((round_ for round_, facts in enumerate(rounds, start=1) if facts["stop"]), None)
    if stopped is None:
        return said
    facts = rounds[stopped - 1]
    found = Interval(**{name: facts["difference"][name] for name in ("mean", "low", "high")})
    kept = facts["kept"].removeprefix("models/")
    sentence = (
        f"The loop stopped after round {stopped}: on {number(facts['difference']['pairs'])} seed pairs set aside, "
        f"m{stopped} is worse than {kept} by {signed(found.mean)} nats per token (95{SPACE}% interval "
        f"{signed(found.low)} to {signed(found.high)}). {kept} is kept, and what later rounds show is carried over."
    )
    return replace(said, sentences=[sentence, *said.sentences])


def _sentence(part: EvaluationSet, found: ModelLoss) -> str:
    difference = found.against_m0
    assert difference is not None
    words = {
        "better": f"{found.name} finds the human answers more likely than m0, the model tuned on the seed alone",
        "worse": f"{found.name} finds the human answers less likely than m0, the model tuned on the seed alone",
        "no difference": f"{found.name} cannot be told from m0, the model tuned on the seed alone",
    }[found.reading]
    return (
        f"On {part.title} ({number(part.pairs)}), {words}: the mean negative log-likelihood per token differs by "
        f"{signed(difference.mean)} nats (95{SPACE}% interval {signed(difference.low)} to {signed(difference.high)}; "
        "below zero is better)."
    )


def _order(name: str) -> tuple[int, int, str]:
    if name == BASE:
        return (0, 0, name)
    return (1, int(name[1:]), name) if name[1:].isdigit() else (2, 0, name)


def _interval(row: Mapping[str, Any]) -> Interval:
    return Interval(*(_float(row.get(key)) for key in ("mean", "low", "high")))


def _optional_interval(row: Mapping[str, Any] | None) -> Interval | None:
    return None if row is None else _interval(row)


def _float(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
