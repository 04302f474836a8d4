"""Measures every model on answers that humans wrote and that none was trained on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from humpback.config import Config
from humpback.engines import Ability, Engine, LikelihoodRequest, require
from humpback.engines.fitting import fit_prompt
from humpback.errors import EngineError
from humpback.prompts import PromptContract
from humpback.randomness import derived_seed
from humpback.records import Example
from humpback.seed import read_seed
from humpback.stages.context import Outcome, StageContext
from humpback.workspace import read_rows, write_json

VERSION = 1
SEED_SET = "seed"
BASE, REFERENCE, BACKWARD = "base", "m0", "backward"
RESULT_FILE = "evaluation.json"
INSTEAD = "set evaluate.engine: transformers"


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """Pairs to measure on; `name` is `seed` for the seed's held-out pairs."""

    name: str
    pairs: list[Example]


def evaluate(context: StageContext) -> Outcome:
    """Writes `evaluation.json`: loss of each model on each set, and its difference from the seed model."""
    config = context.config
    sets = evaluation_sets(config, context.inputs["seed"] / "held-out")
    models = {BASE: context.base_model} | {
        name.removeprefix("models/"): folder for name, folder in context.inputs.items() if name.startswith("models/")
    }
    total = len(models) * sum(len(part.pairs) for part in sets)
    losses: dict[str, dict[str, list[float]]] = {}
    settings = config.engine
    if config.evaluate.engine != "same":
        settings = settings.model_copy(update={"kind": config.evaluate.engine})
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


def evaluation_sets(config: Config, held_out: Path) -> list[EvaluationSet]:
    """The seed's held-out pairs and the configured sets, each cut to `evaluate.max_pairs` by lot."""
    sets = [EvaluationSet(SEED_SET, list(read_rows(held_out, Example)))]
    for name, file in config.evaluate.sets.items():
        settings = config.ingest.model_copy(update={"seed_format": "auto"})
        sets.append(EvaluationSet(name, read_seed([file], settings).examples))
    limit = config.evaluate.max_pairs

    def lot(example: Example) -> int:
        return derived_seed(config.random_seed, "evaluate", example.id)

    return [EvaluationSet(part.name, sorted(part.pairs, key=lot)[:limit]) for part in sets]


def pair_losses(
    engine: Engine, prompts: PromptContract, part: EvaluationSet, config: Config, direction: str
) -> list[float]:
    """Negative log-likelihood per token, in nats, of each pair's answer (of its instruction for the backward model).

    Asked as the models are asked in use: with both tags. Answers are measured up to `train.max_tokens` tokens, or to
    half of a shorter context; a prompt that does not fit beside them loses the end of what it asks about.

    Raises:
        EngineError: the fixed part of a prompt alone fills the context.
    """
    longest = min(config.train.max_tokens, (engine.context or 2 * config.train.max_tokens) // 2)
    requests = []
    for pair in part.pairs:
        if direction == BACKWARD:
            text, render = engine.cut(pair.output, config.prompts.max_text_tokens), prompts.backward
        else:
            text, render = pair.instruction, partial(prompts.forward, tag=prompts.inference_tag)
        target = engine.cut(pair.instruction if direction == BACKWARD else pair.output, longest)
        prompt = fit_prompt(engine, text, render, engine.count(target))
        if prompt is None:
            raise EngineError(
                f"evaluate: pair {pair.id} of {part.name}: the prompt leaves no room in the model's context of "
                f"{engine.context} tokens; use a shorter prompts.backward_template, or a model with a longer context"
            )
        requests.append(LikelihoodRequest(pair.id, prompt.text, target))
    return [-answer.logprob / max(1, answer.tokens) for answer in engine.loglikelihood(requests)]


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
        result["sets"][part.name] = {"pairs": len(part.pairs), "models": rows}
    return result
