"""One point of a scaling experiment, as steps of a run: the rows of a set, a model trained on some, its losses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from humpback.config import Config
from humpback.engines import Ability, require
from humpback.evaluation import INSTEAD, evaluation_engine, evaluation_sets, pair_losses
from humpback.pipeline.steps import Step
from humpback.randomness import derived_seed
from humpback.records import Curated, Dropped, DropReason, Example
from humpback.seed import read_seed, seed_digest
from humpback.stages.context import Outcome, StageContext
from humpback.stages.train import train_forward
from humpback.workspace import read_rows, write_json, write_rows

VERSION = 1
LOSSES_FILE = "losses.json"
TRAINED_FILE = "training.json"  # what a training leaves last
SEED, BASE = "seed", "base"

Kind = Literal["alone", "augmented", "joint"]


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """A set to train on.

    `alone`: under the seed's tag S_a. `augmented`: under S_w. `joint`: under S_w, beside the whole seed of the
    configuration under S_a, as the models of a run are (figure 7).
    """

    name: str
    file: Path
    kind: Kind


@dataclass(frozen=True, slots=True)
class TrainedPoint:
    """One training: `size` rows of `part`, the lot and the order of number `repeat`, `steps` steps."""

    part: TrainingSet
    size: int
    repeat: int
    steps: int

    @property
    def step(self) -> str:
        """Name of its step."""
        return point_name(self.part, self.size, self.repeat)


def point_name(part: TrainingSet, size: int, repeat: int) -> str:
    """Name of the step of one training."""
    return f"points/{part.name}/{size}-{repeat}"


def set_step(part: TrainingSet, run: Mapping[str, Step]) -> Step:
    """The step that reads a set; `run` holds the run's own steps by name."""
    settings = {
        "file": seed_digest([str(part.file)]),
        "ingest": run[SEED].settings["ingest"],
        "measured": _measured(run),
    }
    return Step(f"sets/{part.name}", "ingest", (SEED,), settings, VERSION, partial(_read_set, part=part))


def base_step(run: Mapping[str, Step]) -> Step:
    """The step that measures the untrained model."""
    return Step(
        BASE, "evaluate", (SEED,), _measured(run), VERSION, _measure_base, uses_prompts=True, uses_base_model=True
    )


def point_step(point: TrainedPoint, run: Mapping[str, Step]) -> Step:
    """The step that trains and measures one model."""
    settings: dict[str, Any] = {
        "train": run["models/m0"].settings,
        "measured": _measured(run),
        "point": [point.part.kind, point.size, point.repeat, point.steps],
    }
    run_point = partial(_train_and_measure, point=point)
    needs = (SEED, f"sets/{point.part.name}")
    return Step(point.step, "train", needs, settings, VERSION, run_point, uses_prompts=True, uses_base_model=True)


def _measured(run: Mapping[str, Step]) -> dict[str, Any]:
    """What the losses of the held-out pairs depend on; the bootstrap comes after them."""
    settings = run["evaluation"].settings
    chosen = {name: value for name, value in settings["evaluate"].items() if name != "bootstrap_samples"}
    return settings | {"evaluate": chosen}


def set_rows(part: TrainingSet, config: Config) -> tuple[list[Example], list[Dropped]]:
    """The pairs of a set's file, each once, and the rows that hold none; raises InputError as `read_seed`."""
    found = read_seed([str(part.file)], config.ingest.model_copy(update={"seed_format": "auto"}))
    return found.examples, found.dropped


def _read_set(context: StageContext, part: TrainingSet) -> Outcome:
    """Writes the pairs of a set, but for those that the models are measured on."""
    found, dropped = set_rows(part, context.config)
    held_out = [pair for one in evaluation_sets(context.config, _held_out(context)) for pair in one.pairs]
    texts = {_plain(text) for pair in held_out for text in (pair.instruction, pair.output)}
    rows = []
    for row in found:
        if _plain(row.instruction) in texts or _plain(row.output) in texts:
            detail = "the models are measured on a pair with this instruction or answer"
            dropped.append(Dropped(row.id, DropReason.CONTAMINATED, detail, row.instruction, row.source))
        else:
            rows.append(row)
    write_rows(context.output.path / "dropped" / "part-00000.parquet", dropped, Dropped)
    write_rows(context.output.path / "part-00000.parquet", rows, Example)
    return Outcome()


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _held_out(context: StageContext) -> Path:
    return context.inputs[SEED] / "held-out"


def _measure_base(context: StageContext) -> Outcome:
    return Outcome(_measure(context, context.base_model))


def _train_and_measure(context: StageContext, point: TrainedPoint) -> Outcome:
    config = context.config
    rows = list(read_rows(context.inputs[f"sets/{point.part.name}"], Example))
    # Of one repeat, a smaller lot is part of every larger one.
    rows.sort(key=lambda row: derived_seed(config.random_seed, "scaling", point.repeat, row.id))
    inputs = _inputs(rows[: point.size], point.part.kind, context)
    model = context.output.work("model")
    if not (model.path / TRAINED_FILE).exists():
        train = config.train.model_copy(update={"steps": point.steps})
        model.path.mkdir(parents=True, exist_ok=True)
        changed = config.model_copy(update={"train": train})
        train_forward(replace(context, config=changed, output=model, inputs=inputs))
    losses = _measure(context, model.path)
    return Outcome({"rows": point.size, "steps": point.steps} | losses)


def _inputs(rows: list[Example], kind: Kind, context: StageContext) -> dict[str, Path]:
    """Folders from which a forward model's rows are read under the tags that they should have."""
    chosen = context.output.work("rows").path
    seed = chosen / "seed"
    write_rows(seed / "part-00000.parquet", rows if kind == "alone" else [], Example)
    if kind == "alone":
        return {SEED: seed}
    curated = [Curated(row.id, row.instruction, row.output, [], row.source, 0.0, 1) for row in rows]
    write_rows(chosen / "curated" / "part-00000.parquet", curated, Curated)
    return {SEED: context.inputs[SEED] if kind == "joint" else seed, "curated": chosen / "curated"}


def _measure(context: StageContext, model: Path) -> dict[str, float]:
    """Writes the loss of every held-out pair, by set; returns their means."""
    config = context.config
    sets = evaluation_sets(config, _held_out(context))
    with context.engine(model, evaluation_engine(config)) as engine:
        require(engine, Ability.LOGLIKELIHOOD, "humpback evaluate scaling", INSTEAD)
        losses = {part.name: pair_losses(engine, context.prompts, part, config, "forward") for part in sets}
    write_json(context.output.path / LOSSES_FILE, losses)
    return {name: float(np.mean(values)) for name, values in losses.items()}
