"""What the page says of an evaluation: no more than its intervals say."""

from __future__ import annotations

import math
from typing import Any

import pytest

from humpback.report.outcome import Verdict, evaluation_sets, verdict, with_stop

BETTER, WORSE, NONE = (-0.03, -0.01), (0.01, 0.03), (-0.01, 0.01)


def row(low: float, high: float) -> dict[str, Any]:
    return {"mean": (low + high) / 2, "low": low, "high": high, "pairs": 20}


def result(**sets: tuple[float, float]) -> dict[str, Any]:
    models = {"backward": {"loss": row(2, 3)}, "m0": {"loss": row(1.8, 1.9)}, "base": {"loss": row(2, 2.1)}}
    return {
        "sets": {
            name: {
                "pairs": 20,
                "models": models
                | {f"m{number}": {"loss": row(1.7, 1.8), "against_m0": row(*ends)} for number in (10, 2)},
            }
            for name, ends in sets.items()
        }
    }


@pytest.mark.parametrize(
    ("sets", "tone"),
    [
        ({"seed": BETTER}, "better"),
        ({"seed": WORSE}, "worse"),
        ({"seed": NONE}, "none"),
        ({"seed": BETTER, "other": BETTER}, "better"),
        ({"seed": BETTER, "other": NONE}, "mixed"),
        ({"seed": BETTER, "other": WORSE}, "mixed"),
        ({"seed": NONE, "other": WORSE}, "worse"),
        ({"seed": (-0.03, 0.0)}, "none"),
        ({"seed": (math.nan, math.nan)}, "none"),
    ],
)
def test_tone_follows_the_intervals(sets: dict[str, tuple[float, float]], tone: str) -> None:
    found = verdict(evaluation_sets(result(**sets)), "m2", is_scripted=False)
    assert found.tone == tone


def test_sentence_holds_the_figures() -> None:
    found = verdict(evaluation_sets(result(seed=WORSE)), "m2", is_scripted=False)
    assert "worse" in found.headline
    (sentence,) = found.sentences
    for piece in ("held-out pairs (20)", "m2", "less likely", "+0.0200", "+0.0100 to +0.0300"):
        assert piece in sentence


def test_no_comparison_is_no_verdict() -> None:
    assert verdict([], "m2", is_scripted=False).headline == "Not measured."


def test_scripted_figures_mean_nothing() -> None:
    found = verdict(evaluation_sets(result(seed=BETTER)), "m2", is_scripted=True)
    assert found.tone == "scripted"
    assert "no model was trained; the figures mean nothing" in found.sentences[0]


def test_models_stand_in_order_and_the_backward_one_apart() -> None:
    (part,) = evaluation_sets(result(seed=BETTER))
    assert [model.name for model in part.models] == ["base", "m0", "m2", "m10"]
    assert part.backward is not None
    assert part.backward.mean == 2.5


def test_a_stopped_loop_is_told_first() -> None:
    said = Verdict("none", "No difference that this evaluation can tell.", ["On the set."])
    facts = {"kept": "models/m0", "difference": {"mean": 0.05, "low": 0.02, "high": 0.08, "pairs": 60}}
    told = with_stop(said, [facts | {"stop": False}, facts | {"stop": True, "kept": "models/m1"}])
    assert (told.tone, told.headline, told.sentences[1:]) == (said.tone, said.headline, said.sentences)
    assert told.sentences[0].startswith(
        "The loop stopped after round 2: on 60 seed pairs set aside, m2 is worse than m1"
    )
    assert with_stop(said, [facts | {"stop": False}]) == said == with_stop(said, [])
