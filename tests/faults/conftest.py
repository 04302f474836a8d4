"""The campaign of `benchmarks/faults.py`, of which the tests here run a short part."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
