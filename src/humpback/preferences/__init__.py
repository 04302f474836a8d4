"""Pairs of a better and a worse answer from a run's own ratings, and tuning on them (DPO), beside what a run does.

So do self-rewarding models (Yuan et al. 2024, arXiv 2401.10020): a model answers several times, a judge rates the
answers, and the model learns to prefer what was rated highest over what was rated lowest.
"""

from humpback.preferences.answers import Wanted
from humpback.preferences.make import Made, make_preferences
from humpback.preferences.tune import Tuned, tune_on_preferences

__all__ = ["Made", "Tuned", "Wanted", "make_preferences", "tune_on_preferences"]
