"""Measures every model on answers that humans wrote and that none was trained on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from humpback.config import Config
from humpback.engines import Ability, require
from humpback.evaluation import BACKWARD, INSTEAD, EvaluationSet, evaluation_engine, evaluation_sets, pair_losses
from humpback.randomness import derived_seed
from humpback.stages.context import Outcome, StageContext
from humpback.workspace import fingerprint, write_json

VERSION = 2
BASE, REFERENCE = "base", "m0"
RESULT_FILE = "evaluation.json"


def evaluate(context: StageContext) -> Outcome:
    """Writes `evaluation.json`: loss of each model on each set, and its difference from the seed model."""
    config = context.config
    sets = evaluation_sets(config, context.inputs["seed"] / "held-out")
    models = {BASE: context.base_model} | {
        name.removeprefix("models/"): folder for name, folder in context.inputs.items() if name.startswith("models/")
    }
    total = len(models) * sum(len(part.pairs) for part in sets)
    losses: dict[str, dict[str, list[float]]] = {}
    settings = evaluation_engine(config)
    with context.progress.task("evaluating", total, "pairs") as task:
        for name, folder in models.items():
            file = context.output.path / f"losses-{name}.json"
            if not file.exists():
                direction = BACKWARD if name == BACKWARD else "forward"
                with context.engine(folder, settings) as engine:
                    require(engine, Ability.LOGLIKELIHOOD, f"evaluating {name}", INSTEAD)
                    values = {part.name: pair_losses(engine, context.prompts, part, config, direction) for part in sets}
                write_json(file, values)
            losses[name] = json.loads(file.read_text(encoding="utf-8"))
            task.advance(sum(len(part.pairs) for part in sets))
    result = summarise(losses, sets, config)
    write_json(context.output.path / RESULT_FILE, result)
    return Outcome({"sets": {part.name: len(part.pairs) for part in sets}})


def summarise(
    losses: Mapping[str, Mapping[str, list[float]]], sets: list[EvaluationSet], config: Config
) -> dict[str, Any]:
    """Means with intervals per model and set, and paired differences of each forward model from M_0."""
    from humpback.training.loss import held_out_loss, paired_difference

    samples = config.evaluate.bootstrap_samples
    result: dict[str, Any] = {"unit": "negative log-likelihood per token, nats", "sets": {}}
    for part in sets:
        seed = derived_seed(config.random_seed, "bootstrap", part.name)
        rows = {}
        for name, by_set in losses.items():
            values = by_set[part.name]
            row = {"loss": asdict(held_out_loss(values, samples=samples, seed=seed))}
            if name not in (REFERENCE, BACKWARD):
                difference = paired_difference(values, losses[REFERENCE][part.name], samples=samples, seed=seed)
                row["against_m0"] = asdict(difference)
            rows[name] = row
        digest = fingerprint([pair.id for pair in part.pairs])  # tells whether another run saw the same pairs
        result["sets"][part.name] = {"pairs": len(part.pairs), "digest": digest, "models": rows}
    return result
