"""Whether a round's model is worse than the one before, and what the rounds after that then do: nothing."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from humpback.engines import Ability, require
from humpback.evaluation import INSTEAD, EvaluationSet, evaluation_engine, pair_losses
from humpback.randomness import derived_seed
from humpback.records import Example
from humpback.stages.context import Outcome, StageContext
from humpback.workspace import StepFolder, read_rows, write_json

VERSION = 1
CALIBRATION = "calibration"  # the seed's pairs that no model is trained on
VERDICT_FILE = "verdict.json"
CARRIED = "carried_over"  # the fact that names the step whose output this is
Run = Callable[[StageContext], Outcome]


def verdict(context: StageContext, before: str, after: str, earlier: str | None = None) -> Outcome:
    """Compares two models on seed pairs that neither was trained on.

    `after` is worse where the whole interval of the difference says so. Then `before` is kept and the loop stops; a
    loop that `earlier`, the verdict of the round before, has stopped stays so, and what it kept goes by both names.
    """
    if earlier is not None and (said := read_verdict(context.inputs[earlier]))["stop"]:
        facts = said | {"kept": after, CARRIED: said.get(CARRIED, earlier)}
    else:
        facts = _compared(context, before, after)
    write_json(context.output.path / VERDICT_FILE, facts)
    return Outcome(facts)


def read_verdict(folder: Path) -> dict[str, Any]:
    """The verdict in a step's folder: `stop`, the `kept` model's step, and the `difference` that says so."""
    found: dict[str, Any] = json.loads((folder / VERDICT_FILE).read_text(encoding="utf-8"))
    return found


def _compared(context: StageContext, before: str, after: str) -> dict[str, Any]:
    from humpback.training.loss import paired_difference

    config = context.config
    pairs = EvaluationSet(CALIBRATION, list(read_rows(context.inputs["seed"] / CALIBRATION, Example)))
    losses = {}
    with context.progress.task(f"comparing {after} with {before}", 2 * len(pairs.pairs), "pairs") as task:
        for name in (before, after):
            losses[name] = model_losses(context, name, pairs)
            task.advance(len(pairs.pairs))
    seed = derived_seed(config.random_seed, "bootstrap", context.output.name)
    found = paired_difference(losses[after], losses[before], samples=config.evaluate.bootstrap_samples, seed=seed)
    is_worse = found.low > 0
    return {"kept": before if is_worse else after, "stop": is_worse, "difference": asdict(found)}


def model_losses(context: StageContext, model: str, pairs: EvaluationSet) -> list[float]:
    """Loss of each pair under the model of step `model`."""
    with context.engine(context.inputs[model], evaluation_engine(context.config)) as engine:
        require(engine, Ability.LOGLIKELIHOOD, "stop_when_worse", INSTEAD)
        return pair_losses(engine, context.prompts, pairs, context.config, "forward")


def unless_stopped(run: Run, needs: Sequence[str], verdict_step: str, source: str | None) -> Run:
    """`run` with what it needs or, where the loop has stopped, the output of step `source` once more.

    Without `source` it is the kept model's.
    """

    def run_or_carry(context: StageContext) -> Outcome:
        said = read_verdict(context.inputs[verdict_step])
        if said["stop"]:
            return carry_over(context, source or said["kept"])
        return run(replace(context, inputs={name: context.inputs[name] for name in needs}))

    return run_or_carry


def carry_over(context: StageContext, source: str) -> Outcome:
    """The output of step `source` as this step's own: the same files, linked where the disk can."""
    found = StepFolder(context.inputs[source], source)
    manifest = found.manifest()
    assert manifest is not None, source
    for name in manifest.files:
        _link(found.path / name, context.output.path / name)
    return Outcome(manifest.facts | {CARRIED: manifest.facts.get(CARRIED, source)})


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without links
        shutil.copy2(source, target)
