"""What a scaling experiment says, and values from elsewhere in the place of its trainings."""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from humpback.errors import InputError
from humpback.evaluation.scaling.fit import Estimate, Fits, Point, Series, fit_series
from humpback.randomness import derived_seed
from humpback.tables import BrokenRow, read_rows

LOSS = "loss, nats a token"
COLUMNS = ("set", "n", "value")
MEASURED = "measured"  # a column that may stand beside them


@dataclass(frozen=True, slots=True)
class Measured:
    """The fits on one held-out set, with the untrained model's value where that was measured."""

    name: str
    pairs: int
    base: Estimate | None
    fits: Fits


@dataclass(frozen=True, slots=True)
class Scaling:
    """A scaling experiment. Where `lower_is_better`, a negative alpha says that more data helps.

    `steps` says how long models were trained.
    """

    unit: str
    lower_is_better: bool
    steps: str
    measured: list[Measured]


def read_results(path: Path) -> dict[str, list[Series]]:
    """The values of a table with the columns `set`, `n` and `value`, by its column `measured` (empty: it has none).

    Several values of one set and n are repeats, in the order of the rows.

    Raises:
        InputError: the file cannot be read, a column is missing, or a value is no number; the message names the row.
    """
    found: dict[str, dict[str, dict[int, list[float]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for row in read_rows(path, max_broken_fraction=0.0):
        if isinstance(row, BrokenRow):
            raise InputError(f"{path}, row {row.line}: {row.detail}")
        values = {str(name).strip().lower(): value for name, value in row.values.items()}
        missing = [name for name in COLUMNS if values.get(name) in (None, "")]
        if missing:
            raise InputError(
                f"{path}, row {row.line}: no {' and no '.join(missing)}; each row needs set, n (rows trained on) and "
                "value"
            )
        n = _number(values["n"], path, row.line, "n")
        if n < 1 or n != int(n):
            raise InputError(f"{path}, row {row.line}: n is {values['n']}; it must be a number of rows, 1 or more")
        measured = str(values.get(MEASURED) or "")
        found[measured][str(values["set"])][int(n)].append(_number(values["value"], path, row.line, "value"))
    return {measured: [_series(name, by_n) for name, by_n in sets.items()] for measured, sets in found.items()}


def _number(value: object, path: Path, line: int, column: str) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{path}, row {line}: {column} is {value!r}, not a number")
    return number


def _series(name: str, by_n: Mapping[int, Sequence[float]]) -> Series:
    return Series(name, [Point(n, np.array(by_n[n])[:, None]) for n in sorted(by_n)])


def scaling_of_results(
    path: Path, unit: str, *, lower_is_better: bool, samples: int, random_seed: int
) -> tuple[Scaling, dict[str, list[Series]]]:
    """The fits of values that a file brings, and these; raises what `read_results` and `fit_series` do."""
    found = read_results(path)
    measured = []
    for name, series in found.items():
        try:
            fits = fit_series(series, samples=samples, seed=derived_seed(random_seed, "scaling", name))
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        measured.append(Measured(name or unit, 1, None, fits))
    return Scaling(unit, lower_is_better, "values from elsewhere", measured), found


def points_csv(found: Mapping[str, Sequence[Series]]) -> str:
    """All values as CSV, a row a repeat, its mean over pairs: what `read_results` reads."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([MEASURED, *COLUMNS])
    for measured, series in found.items():
        for part in series:
            for point in part.points:
                writer.writerows(
                    [measured, part.name, point.n, repr(float(mean))] for mean in point.values.mean(axis=1)
                )
    return text.getvalue()
