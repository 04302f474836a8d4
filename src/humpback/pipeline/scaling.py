"""Training on more and more rows of given sets, with the steps of a run, and what each of the models is worth.

A point is a step: it draws its rows by lot, trains from the base model, measures, and keeps the losses; the weights go
when these are written. So a stopped experiment goes on at its last checkpoint, and a point is trained once.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from humpback.config import Config
from humpback.corpus.contamination import sets_digest
from humpback.errors import ConfigError, InputError, WorkspaceError
from humpback.evaluation.scaling import LOSS, Measured, Point, Scaling, Series, fit_series, scaling_steps
from humpback.evaluation.scaling.fit import mean_estimate
from humpback.pipeline.preflight import preflight
from humpback.pipeline.run import run_steps
from humpback.pipeline.scaling_points import (
    BASE,
    LOSSES_FILE,
    SEED,
    TrainedPoint,
    TrainingSet,
    base_step,
    point_name,
    point_step,
    set_rows,
    set_step,
)
from humpback.pipeline.state import step_states
from humpback.pipeline.steps import InputDigests, pipeline_steps
from humpback.progress import Progress, SilentProgress
from humpback.randomness import derived_seed
from humpback.seed import seed_digest
from humpback.workspace import RunFolder, row_count

log = logging.getLogger(__name__)

TABLE_18 = "table 18 of the paper, linear in log N between its rows"
LEAST_SIZES = 2

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # it becomes the name of a folder

Values = dict[str, list[Series]]


@dataclass(frozen=True, slots=True)
class ScalingPlan:
    """Which models are trained: `sizes` rows of each set, each `repeats` times with another lot and another order.

    Steps are those of table 18 divided by `factor`.
    """

    sets: Sequence[TrainingSet]
    sizes: Sequence[int]
    repeats: int
    factor: float

    def steps(self, rows: int) -> int:
        """Steps of a model that is trained on so many rows."""
        return scaling_steps(rows, self.factor)


def run_scaling(
    plan: ScalingPlan, out: Path, config: Config, progress: Progress | None = None
) -> tuple[Scaling, Values]:
    """Trains and measures what is missing in folder `out`; returns the fits and the values, by held-out set.

    The held-out pairs are those of `config`: the seed's and `evaluate.sets`. Rows of a set that share an instruction
    or an answer with them are set aside.

    Raises:
        HumpbackError: an input or the model cannot be used, or a set is too small for two of the sizes; all of it is
            known before the first training.
    """
    config = config.model_copy(update={"runs_dir": out.parent, "name": out.name})
    _refuse(plan, config)
    folder = RunFolder(config.folder)
    with folder.locked():
        folder.create(config)
        run = {step.name: step for step in pipeline_steps(config, _digests(config))}
        shown = progress or SilentProgress()
        reading = [run[SEED], *(set_step(part, run) for part in plan.sets)]
        run_steps(config, folder, step_states(config, reading), shown)
        points = [point for part in plan.sets for point in _points(part, plan, folder)]
        steps = [*reading, base_step(run), *(point_step(point, run) for point in points)]
        run_steps(config, folder, step_states(config, steps), shown)
        return _result(plan, points, folder, config)


def _refuse(plan: ScalingPlan, config: Config) -> None:
    """Raises what is wrong with the folder, the names and files, and the configuration."""
    try:
        RunFolder(config.folder).check_version()
    except WorkspaceError as error:
        raise WorkspaceError(str(error).replace("`name`", "--out")) from None  # here it is this that names the folder
    names = [part.name for part in plan.sets]
    for part in plan.sets:
        if not _NAME.fullmatch(part.name):
            raise InputError(
                f"{part.name}={part.file}: a name is made of letters, digits, dots, dashes and underscores"
            )
        if names.count(part.name) > 1:
            raise InputError(f"{part.name}: two sets have this name; give each its own, as NAME=FILE")
        if not part.file.is_file():
            raise InputError(f"{part.name}={part.file}: no such file; give a set to train on as NAME=FILE")
        if not set_rows(part, config)[0]:
            raise InputError(f"{part.name}={part.file}: holds no usable pair")
    # The configuration's documents are not read here, and the sets can be read as such. One model stands on the disk
    # at a time, with a checkpoint, which takes as much as two more: the models of one round.
    ingest = config.ingest.model_copy(update={"text_column": "output"})
    files = [str(part.file) for part in plan.sets]
    problems = preflight(config.model_copy(update={"corpus": files, "ingest": ingest, "rounds": 1}))
    if problems:
        raise problems[0] if len(problems) == 1 else ConfigError([str(problem) for problem in problems])


def _digests(config: Config) -> InputDigests:
    """Those of the inputs that are read here: documents are not."""
    sets = config.evaluate.sets
    return InputDigests(
        seed=seed_digest(config.seed),
        corpus="",
        evaluation_sets={name: seed_digest([file]) for name, file in sets.items()},
        contamination=sets_digest(config.ingest.decontaminate, sets),
    )


def _points(part: TrainingSet, plan: ScalingPlan, folder: RunFolder) -> list[TrainedPoint]:
    there = row_count(folder.step(f"sets/{part.name}").path)
    sizes = sorted({size for size in plan.sizes if size <= there})
    if len(sizes) < LEAST_SIZES:
        raise InputError(
            f"{part.name}={part.file}: has {there} rows to train on, and a line needs two of the sizes "
            f"{', '.join(map(str, plan.sizes))}; give smaller --sizes, or a larger file"
        )
    if len(sizes) < len(set(plan.sizes)):
        log.warning("%s: has %d rows to train on; larger sizes are left out", part.name, there)
    return [
        TrainedPoint(part, size, repeat, plan.steps(_rows(part, size, folder)))
        for size in sizes
        for repeat in range(1, plan.repeats + 1)
    ]


def _rows(part: TrainingSet, size: int, folder: RunFolder) -> int:
    """All rows that a model is trained on: N of the law."""
    return size + (row_count(folder.step(SEED).path) if part.kind == "joint" else 0)


def _result(
    plan: ScalingPlan, points: Sequence[TrainedPoint], folder: RunFolder, config: Config
) -> tuple[Scaling, Values]:
    losses = {name: _losses(folder, name) for name in (BASE, *(point.step for point in points))}
    sizes = {part.name: sorted({point.size for point in points if point.part == part}) for part in plan.sets}
    values: Values = {
        name: [
            Series(part.name, [_point(part, size, losses, name, plan, folder) for size in sizes[part.name]])
            for part in plan.sets
        ]
        for name in losses[BASE]
    }
    samples = config.evaluate.bootstrap_samples
    measured = []
    for name, series in values.items():
        seed = derived_seed(config.random_seed, "scaling", name)
        untrained = np.array(losses[BASE][name])
        base = mean_estimate(untrained, samples=samples, seed=seed)
        measured.append(Measured(name, len(untrained), base, fit_series(series, samples=samples, seed=seed)))
    steps = TABLE_18 if plan.factor == 1 else f"{TABLE_18}, divided by {plan.factor:g}"
    return Scaling(LOSS, True, steps, measured), values


def _point(
    part: TrainingSet,
    size: int,
    losses: Mapping[str, Mapping[str, list[float]]],
    measured: str,
    plan: ScalingPlan,
    folder: RunFolder,
) -> Point:
    names = [point_name(part, size, repeat) for repeat in range(1, plan.repeats + 1)]
    return Point(_rows(part, size, folder), np.array([losses[name][measured] for name in names]))


def _losses(folder: RunFolder, step: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = json.loads((folder.step(step).path / LOSSES_FILE).read_text(encoding="utf-8"))
    return found
