"""Fitting the judge, on signals made by hand."""

from __future__ import annotations

import random

import numpy as np
import pytest

from humpback.judge.fit import GOOD, Judge, fit_judge, out_of_fold
from humpback.judge.fitness import area

SIGNALS = ("a", "b", "c")


def made(seed: int, pairs: int = 40) -> tuple[list[dict[str, float]], list[str], list[str]]:
    """Good pairs at zero; each kind far out in a signal of its own, c in none of them."""
    rng = random.Random(seed)
    rows, kinds, groups = [], [], []
    for number in range(pairs):
        for kind, shift in ((GOOD, {}), ("in_a", {"a": 4.0}), ("in_b", {"b": 4.0})):
            rows.append({name: rng.gauss(shift.get(name, 0.0), 1.0) for name in SIGNALS})
            kinds.append(kind)
            groups.append(str(number))
    return rows, kinds, groups


@pytest.fixture(scope="module")
def judge() -> Judge:
    return fit_judge(*made(0))


def test_each_kind_is_found_by_its_own_signal(judge):
    odds = dict(zip(judge.kinds, judge.odds([{"a": 5.0, "b": 0.0, "c": 0.0}])[0], strict=True))
    assert odds["in_a"] > 2 > -2 > odds["in_b"]


def test_pairs_never_seen(judge):
    rows, kinds, _ = made(1)
    found = judge.defectiveness(rows)
    labels = np.asarray(kinds)
    for kind in ("in_a", "in_b"):
        assert area(found[labels == GOOD], found[labels == kind]) > 0.97


def test_no_signal_speaks_for_a_defect_by_being_low(judge):
    assert (judge.weights[:, 1:] >= 0).all()
    usual = {"a": 0.0, "b": 0.0, "c": 0.0}
    for name in SIGNALS:
        rising = [usual | {name: value} for value in (-9.0, -1.0, 0.0, 1.0, 5.0, 50.0)]
        assert (np.diff(judge.defectiveness(rising)) >= 0).all()


def test_odds_are_those_of_a_mixture(judge):
    row = {"a": 2.0, "b": 1.0, "c": -1.0}
    odds = judge.odds([row])[0]
    assert judge.defectiveness([row])[0] == pytest.approx(np.log(np.exp(odds).sum()))


def test_a_likelier_output_is_better_where_no_defect_speaks():
    rows, kinds, groups = made(0)
    rng = random.Random(1)
    judge = fit_judge([row | {"unlikely": rng.gauss(3.0, 0.5)} for row in rows], kinds, groups)
    usual = {"a": 0.0, "b": 0.0, "c": 0.0}
    at = judge.signals.index("unlikely")
    centre, spread = judge.centre[at], judge.spread[at]
    steps = [usual | {"unlikely": centre + number * spread} for number in (-9, -3, -1, 0)]
    found = judge.defectiveness(steps) - np.logaddexp.reduce(judge.odds(steps), axis=1)
    assert found == pytest.approx([-1.5, -1.5, -0.5, 0.0])
    assert (np.diff(judge.p_good(steps)) < 0).tolist()[1:] == [True, True]


def test_probabilities_hold_on_other_pairs(judge):
    rows, kinds, _ = made(2, pairs=300)
    sure = judge.p_good(rows)
    assert 0.0 < sure.min() < 0.05 and 0.9 < sure.max() < 1.0
    weights = np.where(np.asarray(kinds) == GOOD, 1.0, 0.5)  # as many good as not
    middle = (sure > 0.3) & (sure < 0.7)
    share = np.average(np.asarray(kinds)[middle] == GOOD, weights=weights[middle])
    assert share == pytest.approx(sure[middle].mean(), abs=0.15)


def test_text_and_back(judge):
    rows, _, _ = made(3, pairs=4)
    assert (Judge.from_json(judge.to_json()).p_good(rows) == judge.p_good(rows)).all()


def test_the_order_of_pairs_has_no_say(judge):
    rows, kinds, groups = made(0)
    order = random.Random(5).sample(range(len(rows)), len(rows))
    other = fit_judge([rows[i] for i in order], [kinds[i] for i in order], [groups[i] for i in order])
    assert other.p_good(rows) == pytest.approx(judge.p_good(rows), abs=0.05)


def test_nothing_that_shares_a_group_is_fitted_to():
    """Pairs whose group alone gives them away are told by a judge that saw the group, and not out of fold."""
    rng = random.Random(0)
    rows, kinds, groups = [], [], []
    for number in range(12):
        for kind in (GOOD, "bad"):
            rows.append({f"g{n}": float(n == number and kind == "bad") for n in range(12)} | {"a": rng.random()})
            kinds.append(kind)
            groups.append(str(number))
    labels = np.asarray(kinds)
    seen = fit_judge(rows, kinds, groups).defectiveness(rows)
    unseen = out_of_fold(rows, kinds, groups)
    assert area(seen[labels == GOOD], seen[labels == "bad"]) > 0.9
    assert area(unseen[labels == GOOD], unseen[labels == "bad"]) < 0.8


def test_a_signal_that_never_differs_does_no_harm():
    rows, kinds, groups = made(0)
    constant = [row | {"d": 7.0} for row in rows]
    found = fit_judge(constant, kinds, groups).p_good(constant)
    assert found == pytest.approx(fit_judge(rows, kinds, groups).p_good(rows), abs=0.02)


@pytest.mark.parametrize("kinds", [[GOOD] * 4, ["bad"] * 4])
def test_one_sort_alone_is_refused(kinds):
    with pytest.raises(ValueError, match="only pairs of one sort"):
        fit_judge([{"a": 0.0}] * 4, kinds, list("abcd"))
