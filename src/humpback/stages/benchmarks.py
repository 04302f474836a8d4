"""Measures the base model, M_0 and the last model on the paper's benchmarks."""

from __future__ import annotations

from typing import Any

from humpback.evaluation.asking import Model
from humpback.evaluation.benchmarking import configured_plan, run_benchmarks
from humpback.evaluation.losses import evaluation_engine
from humpback.stages.context import Outcome, StageContext
from humpback.workspace import write_json

VERSION = 1
BASE = "base"
BENCHMARKS_FILE = "benchmarks.json"


def measure(context: StageContext) -> Outcome:
    """Writes `benchmarks.json`: the paper's tables 5, 6 and 10 for each model.

    Raises:
        HumpbackError: a file cannot be read, the harness is not installed, or the engine gives no likelihoods.
    """
    chosen = context.config.evaluate.benchmarks
    plan = configured_plan(chosen)
    config = context.config.model_copy(update={"engine": evaluation_engine(context.config)})
    folders = {BASE: context.base_model} | {
        name.removeprefix("models/"): folder for name, folder in context.inputs.items()
    }
    found: dict[str, Any] = {}
    for name, folder in folders.items():
        results = run_benchmarks(
            Model(name, folder, config, context.prompts),
            plan,
            context.output.work("benchmarks").path,
            context.progress,
            limit=chosen.limit,
            shots=chosen.mmlu_shots,
        )
        found[name] = results.as_json()
    settings = {"limit": chosen.limit, "mmlu_shots": chosen.mmlu_shots, "missing": plan.missing}
    write_json(context.output.path / BENCHMARKS_FILE, settings | {"models": found})
    return Outcome({"models": list(found), "missing": plan.missing})
