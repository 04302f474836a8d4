"""The line through log N against numpy's own, what its intervals cover, the steps of table 18, values from a file."""

from __future__ import annotations

import math

import numpy as np
import pytest

from humpback.errors import InputError
from humpback.evaluation.scaling import (
    Point,
    Series,
    fit_series,
    points_csv,
    read_results,
    scaling_of_results,
    scaling_steps,
)
from humpback.evaluation.scaling.fit import PAIRS, PAIRS_AND_TRAININGS, REPEATS, RESIDUALS, fit_line, mean_estimate

NS = [100, 200, 400, 800]


def series(name, alpha=-0.1, constant=2.0, *, pairs=50, repeats=3, seed=0, easy=0.3, luck=0.0):
    """Losses of a line, with easy and hard pairs that are the same at each N, and trainings with more or less luck."""
    shared, draw = np.random.default_rng(9), np.random.default_rng(seed)
    hardness = shared.normal(0, easy, pairs)
    points = []
    for n in NS:
        noise = draw.normal(0, 0.02, (repeats, pairs)) + draw.normal(0, luck, (repeats, 1))
        points.append(Point(n, alpha * math.log(n) + constant + hardness - hardness.mean() + noise))
    return Series(name, points)


def test_the_line_is_that_of_least_squares():
    values = np.array([[3.0, 2.5, 2.4, 1.9], [1.0, 1.0, 5.0, 2.0]])
    alpha, constant = fit_line(NS, values)
    for row in range(2):
        assert [alpha[row], constant[row]] == pytest.approx(np.polyfit(np.log(NS), values[row], 1))


def test_alpha_is_found_and_its_interval_holds_it():
    found = fit_series([series("a"), series("b", alpha=-0.2, seed=1)], samples=1000, seed=0)
    assert found.over == PAIRS_AND_TRAININGS
    first, second = found.series
    assert first.alpha.value == pytest.approx(-0.1, abs=0.005)
    assert first.alpha.low < first.alpha.value < first.alpha.high
    assert first.against_first is None
    assert second.against_first.value == pytest.approx(second.alpha.value - first.alpha.value)
    assert second.against_first.high < 0
    assert second.per_doubling.value == pytest.approx(second.alpha.value * math.log(2))
    assert [point.n for point in first.points] == NS and first.points[0].repeats == 3
    assert first.line[0].n == pytest.approx(100) and first.line[-1].n == pytest.approx(800)
    assert first.line[0].value.value == pytest.approx(first.alpha.value * math.log(100) + first.constant.value)


def test_pairs_are_drawn_together_at_all_n():
    """Hard pairs shift the whole line and not its slope: alpha is known far better than a point is."""
    found = fit_series([series("a", easy=1.0)], samples=1000, seed=0).series[0]
    point, slope = found.points[0].value, found.alpha
    assert point.high - point.low > 0.4
    assert slope.high - slope.low < 0.02


def test_repeats_are_drawn_at_each_n():
    """Chances of a training widen the interval of alpha, though no pair is harder than another."""
    calm = fit_series([series("a", easy=0, luck=0.0)], samples=1000, seed=0).series[0].alpha
    wild = fit_series([series("a", easy=0, luck=0.2)], samples=1000, seed=0).series[0].alpha
    assert wild.high - wild.low > 5 * (calm.high - calm.low)
    single = fit_series([series("a", easy=0, luck=0.2, repeats=1)], samples=1000, seed=0)
    assert single.over == PAIRS
    assert single.series[0].alpha.high - single.series[0].alpha.low < 0.05


def test_intervals_cover_the_truth_as_often_as_they_say():
    """Values about a line with residuals drawn anew: of 200 intervals, about 95 % hold alpha."""
    draw = np.random.default_rng(1)
    ns = [100 * 2**power for power in range(10)]
    held = 0
    for trial in range(200):
        values = 5 * np.log(ns) + 10 + draw.normal(0, 2, len(ns))
        points = [Point(n, np.array([[value]])) for n, value in zip(ns, values, strict=True)]
        alpha = fit_series([Series("a", points)], samples=400, seed=trial).series[0].alpha
        held += alpha.low <= 5 <= alpha.high
    assert 0.86 <= held / 200 <= 0.98


def test_what_is_drawn_for_values_alone():
    one = [Series("a", [Point(n, np.array([[float(n)]])) for n in NS])]
    assert fit_series(one, samples=50, seed=0).over == RESIDUALS
    several = [Series("a", [Point(n, np.array([[float(n)], [n + 1.0]])) for n in NS])]
    assert fit_series(several, samples=50, seed=0).over == REPEATS
    two = fit_series([Series("a", one[0].points[:2])], samples=50, seed=0).series[0]
    assert (two.alpha.low, two.alpha.high, two.points[0].value.low) == (None, None, None)
    assert two.alpha.value == pytest.approx(100 / math.log(2))


def test_one_n_is_no_line():
    with pytest.raises(InputError, match="a: a line through log N needs two different N"):
        fit_series([Series("a", [Point(100, np.array([[1.0]]))])], samples=10, seed=0)


def test_the_mean_of_the_untrained_model():
    found = mean_estimate(np.array([1.0, 2.0, 3.0]), samples=500, seed=0)
    assert found.value == 2 and 1 <= found.low < 2 < found.high <= 3


@pytest.mark.parametrize(
    ("rows", "steps"),
    [(100, 30), (800, 300), (1600, 600), (3200, 500), (51200, 1600), (50, 15), (1, 1), (102400, 3200)],
)
def test_steps_of_table_18(rows, steps):
    assert scaling_steps(rows) == steps


def test_steps_between_its_rows_are_linear_in_log_n():
    assert scaling_steps(round(math.sqrt(100 * 800))) == 165  # half way between 30 and 300
    assert scaling_steps(2263) == 550
    assert scaling_steps(800, 10) == 30
    assert scaling_steps(100, 100) == 1


def test_values_from_a_file_and_back(tmp_path):
    file = tmp_path / "r.csv"
    file.write_text("Set,N,value,seed\nb,200,50,1\na,100,20.5,1\na,100,21.5,2\na,400,30,1\nb,100,40,1\nb,400,61,1\n")
    found, values = scaling_of_results(file, "win rate", lower_is_better=False, samples=100, random_seed=0)
    (measured,) = found.measured
    assert (measured.name, measured.base, measured.fits.over) == ("win rate", None, RESIDUALS)
    assert [part.name for part in measured.fits.series] == ["b", "a"]
    assert [(point.n, point.value.value, point.repeats) for point in measured.fits.series[1].points] == [
        (100, 21, 2),
        (400, 30, 1),
    ]
    again = tmp_path / "again.csv"
    again.write_text(points_csv(values))
    read = read_results(again)[""]
    assert [part.name for part in read] == ["b", "a"]
    assert read[1].points[0].values.tolist() == [[20.5], [21.5]]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("set,value\na,1\n", "row 2: no n; each row needs set, n"),
        ("set,n,value\na,100,1\na,200,\n", "row 3: no value"),
        ("set,n,value\na,100,high\n", "row 2: value is 'high', not a number"),
        ("set,n,value\na,100,nan\n", "row 2: value is 'nan', not a number"),
        ("set,n,value\na,0,1\n", "row 2: n is 0; it must be a number of rows"),
        ("set,n,value\na,1.5,1\n", "row 2: n is 1.5; it must be a number of rows"),
        ("set,n,value\na,100,1\nb,100,1\nb,200,1\n", "r.csv: a: a line through log N needs two different N"),
    ],
)
def test_values_that_cannot_be_read(tmp_path, text, told):
    file = tmp_path / "r.csv"
    file.write_text(text)
    with pytest.raises(InputError) as raised:
        scaling_of_results(file, "win rate", lower_is_better=False, samples=10, random_seed=0)
    assert told in str(raised.value)
