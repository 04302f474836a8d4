"""A judge fitted to pairs with planted defects: one small detector a kind, and what they say together.

Each detector is a logistic regression of one kind of defect against good pairs. Its terms are how far a signal is from
that of good pairs, in parts, and none of its weights is negative: every signal grows with defects, and a detector that
may not think otherwise needs few examples. A pair's odds of being defective are the sum of the detectors' odds, as
those of a mixture of the kinds are; so a pair that one detector is sure of is found though all others see nothing.
Beside those that are fitted, one detector a signal fires where that is far beyond what good pairs show: it finds
defects of kinds that nobody planted.

Among answers without a defect people prefer those that a model finds likely, so the mean likelihood has a say of its
own beside the detectors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

GOOD = "good"

PENALTY = 0.01
"""Half the weight of the squared weights beside the mean loss (ours, `benchmarks/judge.py`)."""

BENDS = ((-2.0, 0.0), (0.0, 3.0), (3.0, 9.0))
"""The parts of a signal, in spreads of good pairs: better than usual, worse, and beyond anything usual (ours)."""

LIKELY, LIKELY_WEIGHT, LIKELY_MOST = "unlikely", 0.5, 3.0
"""The signal of the mean likelihood, log-odds of a defect for each of its spreads, and the most spreads that count
(ours: a larger weight follows people's order of replies more closely and tells defects less well, docs/curation.md)."""

UNUSUAL, UNUSUAL_MOST = -5.0, 9.0
"""Log-odds of a defect that was not planted at the centre of a signal, one more for each spread beyond it, and the most
spreads that count (ours, `benchmarks/judge.py`: a higher level finds a little more of what was not planted and less of
what was)."""

LEAST_SPREAD = 0.2
"""A signal's spread is at least this share of its standard deviation over all pairs: many are zero in nearly all good
ones (ours)."""

NORMAL_QUARTILES = 1.349
"""Quartiles of a normal distribution are so many standard deviations apart."""

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Judge:
    """What a fitted judge knows; arrays are (signals,) and (kinds, 1 + parts), the first weight a detector's level."""

    signals: tuple[str, ...]
    kinds: tuple[str, ...]
    centre: Array
    spread: Array
    weights: Array
    slope: float = 1.0
    level: float = 0.0

    def odds(self, rows: Sequence[Mapping[str, float]]) -> Array:
        """Log-odds of each kind of defect against a good pair, (rows, kinds)."""
        parts = _parts(_matrix(rows, self.signals), self.centre, self.spread)
        return np.asarray(self.weights[:, 0] + parts @ self.weights[:, 1:].T)

    def defectiveness(self, rows: Sequence[Mapping[str, float]]) -> Array:
        """Log-odds of any defect, (rows,); the lower the better the pair."""
        odds = np.hstack([self.odds(rows), self._unusualness(rows)])
        return np.asarray(np.logaddexp.reduce(odds, axis=1) + LIKELY_WEIGHT * self._unlikeliness(rows))

    def _unusualness(self, rows: Sequence[Mapping[str, float]]) -> Array:
        """Log-odds, signal by signal, of a defect of a kind that was not fitted to, (rows, signals)."""
        distance = (_matrix(rows, self.signals) - self.centre) / self.spread
        return np.asarray(UNUSUAL + np.clip(distance, 0.0, UNUSUAL_MOST))

    def _unlikeliness(self, rows: Sequence[Mapping[str, float]]) -> Array:
        """How much less likely than good pairs' the outputs are, in spreads, (rows,)."""
        if LIKELY not in self.signals:
            return np.zeros(len(rows))
        at = self.signals.index(LIKELY)
        values = np.asarray([row[LIKELY] for row in rows], dtype=float)
        return np.asarray(np.clip((values - self.centre[at]) / self.spread[at], -LIKELY_MOST, LIKELY_MOST))

    def p_good(self, rows: Sequence[Mapping[str, float]]) -> Array:
        """Probability of being good where as many pairs are good as are not, (rows,)."""
        return np.asarray(1 / (1 + np.exp(self.slope * self.defectiveness(rows) + self.level)))

    def to_json(self) -> str:
        """The judge as text; numbers keep all their digits."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return json.dumps(
            {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in values.items()}
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The judge that `to_json` turned into `text`."""
        found: dict[str, Any] = json.loads(text)
        arrays: dict[str, Any] = {name: np.asarray(found.pop(name), float) for name in ("centre", "spread", "weights")}
        return cls(tuple(found.pop("signals")), tuple(found.pop("kinds")), **arrays, **found)


def fit_judge(rows: Sequence[Mapping[str, float]], kinds: Sequence[str], groups: Sequence[str]) -> Judge:
    """The judge of some pairs' signals.

    Args:
        rows: the signals of each pair.
        kinds: the kind of its defect, or `GOOD`.
        groups: the seed pair that it was made from: what was made from one is never both fitted and tried.

    Raises:
        ValueError: there is no good pair, or none with a defect.
    """
    judge = _fit(rows, kinds)
    slope, level = _calibration(out_of_fold(rows, kinds, groups), [kind != GOOD for kind in kinds])
    return Judge(judge.signals, judge.kinds, judge.centre, judge.spread, judge.weights, slope, level)


def out_of_fold(
    rows: Sequence[Mapping[str, float]], kinds: Sequence[str], groups: Sequence[str], folds: int = 5
) -> Array:
    """Defectiveness of each pair by a judge that was fitted without all that shares its group, (rows,)."""
    from sklearn.model_selection import GroupKFold

    found = np.zeros(len(rows))
    count = min(folds, len(set(groups)))
    for fitted, tried in GroupKFold(count).split(np.zeros(len(rows)), groups=list(groups)):
        judge = _fit([rows[i] for i in fitted], [kinds[i] for i in fitted])
        found[tried] = judge.defectiveness([rows[i] for i in tried])
    return found


def _fit(rows: Sequence[Mapping[str, float]], kinds: Sequence[str]) -> Judge:
    labels = np.asarray(kinds)
    good, found = labels == GOOD, tuple(sorted(set(kinds) - {GOOD}))
    if not good.any() or not found:
        raise ValueError("a judge is fitted to good pairs and to pairs with defects; there are only pairs of one sort")
    signals = tuple(sorted(rows[0]))
    values = _matrix(rows, signals)
    centre, spread = _scale(values, good)
    parts = _parts(values, centre, spread)
    weights = [_detector(parts[good], parts[labels == kind]) for kind in found]
    return Judge(signals, found, centre, spread, np.asarray(weights))


def _matrix(rows: Sequence[Mapping[str, float]], signals: Sequence[str]) -> Array:
    return np.asarray([[row[name] for name in signals] for row in rows], dtype=float).reshape(len(rows), len(signals))


def _scale(values: Array, good: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """Median of the good pairs and their spread: the largest estimate, so that what a good pair in fifty shows, or a
    signal that was the same in all pairs, is not taken for something beyond anything usual."""
    among_good = values[good]
    quartiles = np.subtract(*np.percentile(among_good, [75, 25], axis=0)) / NORMAL_QUARTILES
    spread = np.maximum.reduce([quartiles, among_good.std(axis=0), LEAST_SPREAD * values.std(axis=0)])
    return np.median(among_good, axis=0), np.where(spread > 0, spread, 1.0)


def _parts(values: Array, centre: Array, spread: Array) -> Array:
    """Each signal in the parts that `BENDS` names, (rows, parts x signals), zero at the centre of the good pairs."""
    distance = (values - centre) / spread
    return np.hstack([np.clip(distance, low, high) - min(max(0.0, low), high) for low, high in BENDS])


def _detector(good: Array, bad: Array) -> Array:
    """Level and weights of the logistic regression of `bad` against `good`, both counting the same."""
    from scipy.optimize import minimize

    parts = np.vstack([good, bad])
    is_bad = np.repeat([0.0, 1.0], [len(good), len(bad)])
    share = np.where(is_bad == 1.0, 0.5 / len(bad), 0.5 / len(good))

    def loss(weights: Array) -> tuple[float, Array]:
        odds = weights[0] + parts @ weights[1:]
        value = share @ (np.logaddexp(0, odds) - is_bad * odds) + PENALTY / 2 * weights[1:] @ weights[1:]
        slope = share * (1 / (1 + np.exp(-odds)) - is_bad)
        return float(value), np.concatenate([[slope.sum()], parts.T @ slope + PENALTY * weights[1:]])

    bounds = [(None, None)] + [(0.0, None)] * parts.shape[1]
    found = minimize(loss, np.zeros(parts.shape[1] + 1), jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x, dtype=float)


def _calibration(defectiveness: Array, is_bad: Sequence[bool]) -> tuple[float, float]:
    """Slope and level that turn log-odds into those that hold on pairs not fitted to (Platt 1999)."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(class_weight="balanced").fit(defectiveness.reshape(-1, 1), list(is_bad))
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
