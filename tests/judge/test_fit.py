"""Fitting the judge, on signals made by hand."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from humpback.judge.fit import GOOD, UNUSUAL, Judge, fit_judge, out_of_fold
from humpback.judge.fitness import area

SIGNALS = ("a", "b", "c")
FAR = ((0.0, 0.0, 0.0), (2.0, 1.0, -1.0), (-3.0, 0.0, 50.0))


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
    rows = [dict(zip(judge.signals, judge.centre + np.asarray(far) * judge.spread, strict=True)) for far in FAR]
    for row, unusual in zip(rows, ([0, 0, 0], [2, 1, 0], [0, 0, 9]), strict=True):
        odds = np.concatenate([judge.odds([row])[0], UNUSUAL + np.asarray(unusual)])
        assert judge.defectiveness([row])[0] == pytest.approx(np.log(np.exp(odds).sum()))


def test_a_defect_that_nobody_planted_is_found(judge):
    """No detector reads c, in which no kind shows; a pair far out in it is told from good ones all the same."""
    rows, kinds, _ = made(4)
    weights = judge.weights.copy()
    weights[:, 1 + judge.signals.index("c") :: len(SIGNALS)] = 0.0
    judge = replace(judge, weights=weights)
    good = [row for row, kind in zip(rows, kinds, strict=True) if kind == GOOD]
    strange = [row | {"c": row["c"] + 9.0} for row in good]
    assert judge.odds(strange) == pytest.approx(judge.odds(good))
    assert area(judge.defectiveness(good), judge.defectiveness(strange)) > 0.97


def test_a_likelier_output_is_better_where_no_defect_speaks():
    rows, kinds, groups = made(0)
    rng = random.Random(1)
    judge = fit_judge([row | {"unlikely": rng.gauss(3.0, 0.5)} for row in rows], kinds, groups)
    usual = dict(zip(judge.signals, judge.centre, strict=True))
    spread = judge.spread[judge.signals.index("unlikely")]
    steps = [usual | {"unlikely": usual["unlikely"] + number * spread} for number in (-9, -3, -1, 0)]
    unusual = np.full((len(steps), len(judge.signals)), UNUSUAL)
    found = judge.defectiveness(steps) - np.logaddexp.reduce(np.hstack([judge.odds(steps), unusual]), axis=1)
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
    """Signals of noise alone, the same in all copies of a pair: a judge that saw one copy tells the others."""
    rng = random.Random(0)
    rows, kinds, groups = [], [], []
    for number in range(12):
        for kind in (GOOD, "bad"):
            rows += 3 * [{f"noise {n}": rng.gauss(0.0, 1.0) for n in range(40)}]
            kinds += 3 * [kind]
            groups += 3 * [str(number)]
    labels = np.asarray(kinds)
    seen = fit_judge(rows, kinds, groups).defectiveness(rows)
    unseen = out_of_fold(rows, kinds, groups)
    assert area(seen[labels == GOOD], seen[labels == "bad"]) > 0.9
    assert area(unseen[labels == GOOD], unseen[labels == "bad"]) < 0.7


def test_a_signal_that_never_differs_does_no_harm():
    """Neither to the pairs that were fitted to nor to one in which it differs a little, as a rounded zero does."""
    rows, kinds, groups = made(0)
    constant = [row | {"d": 7.0} for row in rows]
    judge = fit_judge(constant, kinds, groups)
    found = judge.p_good(constant)
    assert found == pytest.approx(fit_judge(rows, kinds, groups).p_good(rows), abs=0.02)
    assert judge.p_good([row | {"d": 7.01} for row in rows]) == pytest.approx(found, abs=0.01)


@pytest.mark.parametrize("kinds", [[GOOD] * 4, ["bad"] * 4])
def test_one_sort_alone_is_refused(kinds):
    with pytest.raises(ValueError, match="only pairs of one sort"):
        fit_judge([{"a": 0.0}] * 4, kinds, list("abcd"))
