"""How much better models get with more data (figures 3, 4, 5 and 7 of the paper)."""

from humpback.evaluation.scaling.fit import Estimate, Fits, FittedPoint, FittedSeries, Point, Series, fit_series
from humpback.evaluation.scaling.result import (
    LOSS,
    Measured,
    Scaling,
    points_csv,
    read_results,
    scaling_of_results,
)
from humpback.evaluation.scaling.steps import scaling_steps

__all__ = [
    "LOSS",
    "Estimate",
    "Fits",
    "FittedPoint",
    "FittedSeries",
    "Measured",
    "Point",
    "Scaling",
    "Series",
    "fit_series",
    "points_csv",
    "read_results",
    "scaling_of_results",
    "scaling_steps",
]
