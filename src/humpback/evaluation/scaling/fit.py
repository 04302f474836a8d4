"""The law of figures 3, 4, 5 and 7: value = alpha * log N + C, by least squares, with bootstrap intervals.

The logarithm is the natural one. The paper does not name its base.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from humpback.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

CURVE_POINTS = 25
"""Places at which the interval of a fitted line is given."""

PAIRS_AND_TRAININGS = "held-out pairs and trainings"
PAIRS = "held-out pairs; one training each, whose chances the intervals leave out"
REPEATS = "repeated values"
RESIDUALS = "residuals of the fit; a set of two values has no interval"


@dataclass(frozen=True, slots=True)
class Point:
    """What was measured after training on `n` rows: `values` are (repeats, pairs), a repeat a training."""

    n: int
    values: NDArray[Any]


@dataclass(frozen=True, slots=True)
class Series:
    """The points of one set."""

    name: str
    points: list[Point]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % bootstrap interval; None where there is none."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class FittedPoint:
    """The mean at one N."""

    n: int
    repeats: int
    value: Estimate


@dataclass(frozen=True, slots=True)
class FittedLine:
    """The fitted line at one N."""

    n: float
    value: Estimate


@dataclass(frozen=True, slots=True)
class FittedSeries:
    """One set: `alpha` and `constant` of its line, alpha less the first set's, its points, and the line at some N.

    `per_doubling` is what twice the rows change: alpha * log 2.
    """

    name: str
    alpha: Estimate
    constant: Estimate
    per_doubling: Estimate
    against_first: Estimate | None
    points: list[FittedPoint]
    line: list[FittedLine]


@dataclass(frozen=True, slots=True)
class Fits:
    """All sets, and what the bootstrap draws anew."""

    over: str
    series: list[FittedSeries]


@dataclass(frozen=True, slots=True)
class _Draws:
    """Bootstrap means of the points (samples, points), and the lines through them."""

    means: NDArray[Any]
    alpha: NDArray[Any]
    constant: NDArray[Any]


def fit_line(ns: Sequence[int], values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Slope and constant of the least-squares line through (log n, value), for each row of `values` (rows, points)."""
    logs = np.log(np.asarray(ns, dtype=float))
    centred = logs - logs.mean()
    alpha = values @ centred / (centred**2).sum()
    return alpha, values.mean(axis=-1) - alpha * logs.mean()


def fit_series(series: Sequence[Series], *, samples: int, seed: int) -> Fits:
    """The line of each set with percentile intervals (Efron 1979) from `samples` draws.

    Drawn anew are the held-out pairs, the same for all sets, and the repeats of each point by itself. Where there are
    neither several pairs nor several repeats everywhere, the residuals of each line are drawn instead.

    Raises:
        InputError: a set has fewer than two different N.
    """
    for part in series:
        if len({point.n for point in part.points}) < 2:
            raise InputError(f"{part.name}: a line through log N needs two different N, and there is one")
    generator = np.random.default_rng(seed)
    points = [point for part in series for point in part.points]
    pairs = points[0].values.shape[1]
    repeats = min(len(point.values) for point in points)
    if pairs == 1 and repeats == 1:
        return _fits(series, [_residual_draws(part, samples, generator) for part in series], RESIDUALS)
    weights = _weights(pairs, samples, generator)
    draws = [_resampled(part, weights, samples, generator) for part in series]
    over = REPEATS if pairs == 1 else PAIRS_AND_TRAININGS if repeats > 1 else PAIRS
    return _fits(series, draws, over)


def mean_estimate(values: NDArray[Any], *, samples: int, seed: int) -> Estimate:
    """The mean of `values` (pairs) with its interval over pairs."""
    weights = _weights(len(values), samples, np.random.default_rng(seed))
    return _estimate(float(values.mean()), weights @ values)


def _weights(count: int, samples: int, generator: np.random.Generator) -> NDArray[Any]:
    """How often each of `count` is drawn in each sample, as shares: (samples, count)."""
    return generator.multinomial(count, np.full(count, 1 / count), size=samples) / count


def _resampled(part: Series, pairs: NDArray[Any], samples: int, generator: np.random.Generator) -> _Draws:
    means = [
        np.einsum("sr,rp,sp->s", _weights(len(point.values), samples, generator), point.values, pairs, optimize=True)
        for point in part.points
    ]
    return _lines(part, np.stack(means, axis=1))


def _residual_draws(part: Series, samples: int, generator: np.random.Generator) -> _Draws | None:
    values = np.array([point.values.mean() for point in part.points])
    if len(values) < 3:
        return None
    ns = [point.n for point in part.points]
    alpha, constant = fit_line(ns, values[None])
    fitted = alpha * np.log(ns) + constant
    # Two parameters are fitted, so residuals are that much smaller than errors.
    residuals = (values - fitted) * math.sqrt(len(values) / (len(values) - 2))
    return _lines(part, fitted + generator.choice(residuals, size=(samples, len(values))))


def _lines(part: Series, means: NDArray[Any]) -> _Draws:
    return _Draws(means, *fit_line([point.n for point in part.points], means))


def _fits(series: Sequence[Series], draws: Sequence[_Draws | None], over: str) -> Fits:
    found = []
    first, first_draws = _slope(series[0])[0], draws[0]
    for index, (part, drawn) in enumerate(zip(series, draws, strict=True)):
        alpha, constant = _slope(part)
        alphas = None if drawn is None else drawn.alpha
        differences = None if drawn is None or first_draws is None else drawn.alpha - first_draws.alpha
        found.append(
            FittedSeries(
                part.name,
                alpha=_estimate(alpha, alphas),
                constant=_estimate(constant, None if drawn is None else drawn.constant),
                per_doubling=_estimate(alpha * math.log(2), None if alphas is None else alphas * math.log(2)),
                against_first=_estimate(alpha - first, differences) if index else None,
                points=_points(part, drawn),
                line=_line(part, drawn),
            )
        )
    return Fits(over, found)


def _slope(part: Series) -> tuple[float, float]:
    alpha, constant = fit_line([point.n for point in part.points], _means(part)[None])
    return float(alpha[0]), float(constant[0])


def _means(part: Series) -> NDArray[Any]:
    return np.array([point.values.mean() for point in part.points])


def _points(part: Series, drawn: _Draws | None) -> list[FittedPoint]:
    found = []
    for index, (point, mean) in enumerate(zip(part.points, _means(part), strict=True)):
        draws = None if drawn is None else drawn.means[:, index]
        found.append(FittedPoint(point.n, len(point.values), _estimate(float(mean), draws)))
    return found


def _line(part: Series, drawn: _Draws | None) -> list[FittedLine]:
    alpha, constant = _slope(part)
    ns = [point.n for point in part.points]
    found = []
    for place in np.geomspace(min(ns), max(ns), CURVE_POINTS).tolist():
        draws = None if drawn is None else drawn.alpha * math.log(place) + drawn.constant
        found.append(FittedLine(place, _estimate(alpha * math.log(place) + constant, draws)))
    return found


def _estimate(value: float, draws: NDArray[Any] | None) -> Estimate:
    if draws is None:
        return Estimate(value, None, None)
    low, high = np.percentile(draws, [2.5, 97.5])
    return Estimate(value, float(low), float(high))
