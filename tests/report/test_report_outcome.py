"""What the page says of an evaluation: no more than its intervals say."""

from __future__ import annotations

import math
from typing import Any

import pytest

from humpback.report.outcome import evaluation_sets, verdict

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
