"""From a judge's words to a score or a reason."""

from __future__ import annotations

import math

import pytest

from humpback.prompts import Verdict, expected_score, parse_verdict

SCORES = {
    "Score: 4": 4,
    "The reply is clear.\nScore: 3": 3,
    "Score:5": 5,
    "SCORE : 2": 2,
    "score = 1": 1,
    "Rating: 4": 4,
    "Score: **4**": 4,
    "**Score:** 4": 4,
    "**Score: 4**": 4,
    "__Score__: `4`": 4,
    "### Score\n\n4": 4,
    "Score:\n3": 3,
    '{"reason": "good", "score": 4}': 4,
    '{"score": "4"}': 4,
    "Score: [4]": 4,
    "Score: (4)": 4,
    "Score: <4>": 4,
    "Score: 4.": 4,
    "Score: 4, because it is clear.": 4,
    "Score: 4 - it is clear": 4,
    "Score: 4 — clear.": 4,
    "Score: 4 stars": 4,
    "Score: 4, because it covers most of the request, 3 of 4 points.": 4,
    "Score: 4/5, I would say.": 4,
    "Score: 4 of 5 points": 4,
    "Score: 4/5": 4,
    "Score: 4 / 5": 4,
    "Score: **4**/5": 4,
    "Score: 4 out of 5": 4,
    "Score: 4 out of five": 4,
    "Score: 4 (out of 5)": 4,
    "Score: 4 on a scale of 1 to 5": 4,
    "Score (1-5): 4": 4,
    "The score is 4.": 4,
    "My rating is: 2": 2,
    "Score: 3.5": 3.5,
    "Score: 3,5": 3.5,
    "Score: 4.0": 4,
    "Score: 4.5/5": 4.5,
    "Score: ٤": 4,
    "Score: ４": 4,
    "a Score: 5 would need sources. Score: 2": 2,
    "Score: 9, no, that is no score. Score: 3": 3,
    "Score: 2\n\nA score of 5 would need sources.": 2,
    "Score: 4\nReason for the score: it is clear and has 3 examples.": 4,
}
UNPARSED = {
    "": "empty",
    " \n": "empty",
    "The reply is good.": "no_score",
    "4": "no_score",
    "Score:": "no_score",
    "Score: good": "no_score",
    "Scoreboard: 4": "no_score",
    "max_score: 5": "no_score",
    "Scores: 4, 3": "no_score",
    "A score of 5 would need sources.": "no_score",
    "A score 5 answer has no such faults.": "no_score",
    "Published in 1986, with 4 figures.": "no_score",
    "Score: four": "no_grade",
    "Score: N/A": "no_grade",
    "a Score: 5 would need sources. Score: none": "no_grade",
    "a Score: 5 would need sources. Score: two": "no_grade",
    "Score: 10": "out_of_range",
    "Score: 1986": "out_of_range",
    "Score: 0": "out_of_range",
    "Score: 6": "out_of_range",
    "Score: 5.5": "out_of_range",
    "Score: 0.5": "out_of_range",
    "Score: -4": "out_of_range",
    "Score: 45": "out_of_range",
    "Score: 4/10": "other_scale",
    "Score: 5/6": "other_scale",
    "Score: 4 / 100": "other_scale",
    "Score: 4/50": "other_scale",
    "Score: 4 out of 10": "other_scale",
    "Score: 4 of 10": "other_scale",
    "Score: 4 (out of 10)": "other_scale",
    "Score: 4 points out of 10": "other_scale",
    "Score: 4 on a scale from 1 to 10": "other_scale",
    "Score: 4%": "no_grade",
    "Score: 3-4": "no_grade",
    "Score: 3–4": "no_grade",
    "Score: 3 - 4": "no_grade",
    "Score: 3 to 4": "no_grade",
    "Score: 4 or 5": "no_grade",
    "Score: 1, 2, 3, 4 or 5": "no_grade",
    "Score: ~4": "no_grade",
    "Score: 4+": "no_grade",
    "Score: 4th": "no_grade",
    "Score: 4x": "no_grade",
    "Score: 4½": "no_grade",
    "Score: 4.25": "no_grade",
    "Score: 3.14159": "no_grade",
    "Score: 4,000": "no_grade",
    "Score: 4.5.1": "no_grade",
    "Score: 4:30": "no_grade",
}


@pytest.mark.parametrize(("text", "score"), SCORES.items())
def test_scores_are_read(text, score):
    assert parse_verdict(text) == Verdict(score)


@pytest.mark.parametrize(("text", "reason"), UNPARSED.items())
def test_everything_else_is_unparsed_with_a_reason(text, reason):
    assert parse_verdict(text) == Verdict(None, reason)


def test_a_long_judgement_is_read_at_once():
    assert parse_verdict("score (" * 20_000 + "\nScore: 3").score == 3
    assert parse_verdict("Score:" + " " * 50_000 + "x").score is None


def test_expected_score_by_hand():
    probabilities = [0.1, 0.2, 0.4, 0.2, 0.1]
    mean, found = expected_score([math.log(p / 7) for p in probabilities])  # need not sum to one
    assert mean == pytest.approx(3.0)
    assert found == pytest.approx(probabilities)
    assert expected_score([math.log(p) for p in (0.5, 0.1, 0.1, 0.1, 0.2)])[0] == pytest.approx(2.4)


def test_expected_score_is_exact_at_the_ends_and_far_from_one():
    assert expected_score([-1000.0, -2000.0, -2000.0, -2000.0, -2000.0])[0] == 1.0
    assert expected_score([-2000.0, -2000.0, -2000.0, -2000.0, -1000.0])[0] == 5.0
    assert expected_score([-3.0] * 5)[0] == pytest.approx(3.0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_probability_that_is_no_number_gives_no_score(bad):
    assert expected_score([-1.0, -1.0, bad, -1.0, -1.0]) == (None, [])
