"""`humpback evaluate`: a run's models by default, or one measurement by its name.

Each measurement's commands stand in a module of their own, which adds them to `evaluate_app`.
"""

from __future__ import annotations

from humpback.cli.evaluate import benchmarks as benchmarks
from humpback.cli.evaluate import diversity as diversity
from humpback.cli.evaluate import following as following
from humpback.cli.evaluate import generate as generate
from humpback.cli.evaluate import judge as judge
from humpback.cli.evaluate import leaderboard as leaderboard
from humpback.cli.evaluate import safety as safety
from humpback.cli.evaluate import scaling as scaling
from humpback.cli.evaluate import winrate as winrate
from humpback.cli.evaluate.group import RUN as RUN
from humpback.cli.evaluate.group import evaluate_app as evaluate_app
