"""Signals of likelihood, each against one made by hand that lacks its defect."""

from __future__ import annotations

import pytest

from humpback.judge.likelihood import likelihood_signals

TOKENS = 60
PLAIN = [-3.0] * TOKENS + [-4.0]
GOOD = [-2.0] * TOKENS + [-0.5]


def with_values(places: range, value: float) -> list[float]:
    return [value if place in places else known for place, known in enumerate(GOOD)]


DEFECTS = {
    "unlikely": [-3.5] * TOKENS + [-0.5],
    "no_gain": [-3.5] * TOKENS + [-0.5],
    "no_gain_late": with_values(range(30, 60), -4.0),
    "no_gain_lowest": with_values(range(20, 40), -4.0),
    "no_gain_early": with_values(range(16), -4.0),
    "opening": with_values(range(12), -5.0),
    "opening_word": with_values(range(1), -9.0),
    "opening_first": with_values(range(3), -9.0),
    "seam_drop": with_values(range(30, 33), -9.0),
    "opening_drop": with_values(range(12), -5.0),
    "closing": with_values(range(50, 60), -5.0),
    "no_end_gain": [*GOOD[:-1], -7.0],
    "lowest": with_values(range(20, 36), -5.0),
    "lowest_drop": with_values(range(20, 36), -5.0),
    "jump": with_values(range(30, 38), -6.0),
    "worst": with_values(range(30, 33), -12.0),
    "known": with_values(range(30, 50), -0.01),
    "known_share": with_values(range(30, 50), -0.01),
}


@pytest.mark.parametrize(("name", "found"), DEFECTS.items())
def test_a_signal_grows_with_its_defect(name, found):
    assert likelihood_signals(found, PLAIN)[name] > likelihood_signals(GOOD, PLAIN)[name]


def test_signals_of_the_plain_pass():
    usual = likelihood_signals(GOOD, PLAIN)
    assert likelihood_signals(GOOD, [-1.0] * TOKENS + [-4.0])["bland"] > usual["bland"] == -3.0
    assert likelihood_signals(GOOD, [*PLAIN[:-1], -9.0])["no_end_alone"] > usual["no_end_alone"] == 4.0


def test_values_by_hand():
    found = likelihood_signals([-1.0, -3.0, -0.5], [-2.0, -2.0, -1.0])
    assert found["unlikely"] == pytest.approx(2.0)
    assert found["no_gain"] == pytest.approx(0.0)
    assert found["bland"] == pytest.approx(-2.0)
    assert found["no_end_gain"] == pytest.approx(-0.5)
    assert found["no_end_alone"] == pytest.approx(1.0)
    assert found["jump"] == 0.0  # too short to have two sides


@pytest.mark.parametrize("length", [1, 2, 8, 9, 16, 17, 25])
def test_short_answers_have_all_signals(length):
    found = likelihood_signals([-1.0] * (length + 1), [-2.0] * (length + 1))
    assert found.keys() == likelihood_signals(GOOD, PLAIN).keys()
    assert found["no_gain"] == pytest.approx(-1.0)
    assert found["lowest_drop"] == pytest.approx(0.0)


def test_an_answer_of_an_end_alone():
    assert likelihood_signals([-5.0], [-1.0])["no_gain"] == pytest.approx(4.0)
