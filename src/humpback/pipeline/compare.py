"""Several runs side by side: what each says of itself, and their models pair by pair where they were asked the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from humpback.config import Config
from humpback.errors import InputError
from humpback.pipeline.steps import InputDigests, pipeline_steps
from humpback.randomness import derived_seed
from humpback.report import Report, collect_report
from humpback.workspace import RunFolder


@dataclass(frozen=True, slots=True)
class Run:
    """One finished run. `losses` are those of its last model, pair by pair, by the name of the set."""

    name: str
    config: Config
    report: Report
    losses: dict[str, list[float]]
    digests: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Difference:
    """The last model of `run` against that of the first run: below zero where it is better; with its 95 % interval."""

    set_name: str
    run: str
    mean: float
    low: float
    high: float
    pairs: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """`differences` are there for sets that the runs measured on the same pairs; `settings` differ between runs."""

    runs: list[Run]
    differences: list[Difference]
    settings: dict[str, list[str]]


def compare_runs(folders: Sequence[Path]) -> Comparison:
    """What several runs have in common and what not.

    Raises:
        InputError: there are fewer than two, or one is not finished.
        WorkspaceError: a folder is no run.
    """
    if len(folders) < 2:
        raise InputError("give at least two runs to compare")
    runs = [_run(folder, _label(folder, folders)) for folder in folders]
    first = runs[0]
    differences = [
        found for run in runs[1:] for name in first.losses if (found := _difference(first, run, name)) is not None
    ]
    return Comparison(runs, differences, _different_settings([run.config for run in runs]))


def _label(folder: Path, folders: Sequence[Path]) -> str:
    names = [other.resolve().name for other in folders]
    name = folder.resolve().name
    return name if names.count(name) == 1 else str(folder)


def _run(path: Path, name: str) -> Run:
    folder = RunFolder(path)
    config = folder.config()
    steps = [step.name for step in pipeline_steps(config, InputDigests("", "", {})) if step.stage != "report"]
    unfinished = next((step for step in steps if folder.step(step).manifest() is None), None)
    if unfinished is not None:
        raise InputError(f"{path}: {unfinished} is not finished; `humpback run` makes it")
    report = collect_report(config, {step: folder.step(step).path for step in steps}, folder.path)
    evaluation = folder.step("evaluation").path
    losses = _read(evaluation / f"losses-m{config.rounds}.json")
    sets = _read(evaluation / "evaluation.json")["sets"]
    return Run(name, config, report, losses, {name: part.get("digest") for name, part in sets.items()})


def _read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def _difference(first: Run, run: Run, name: str) -> Difference | None:
    from humpback.training.loss import paired_difference

    if first.digests.get(name) is None or first.digests[name] != run.digests.get(name):
        return None
    config = first.config
    seed = derived_seed(config.random_seed, "compare", name)
    samples = config.evaluate.bootstrap_samples
    found = paired_difference(run.losses[name], first.losses[name], samples=samples, seed=seed)
    return Difference(name, run.name, found.mean, found.low, found.high, found.pairs)


def _different_settings(configs: Sequence[Config]) -> dict[str, list[str]]:
    flat = [_flat(config.model_dump(mode="json")) for config in configs]
    names = list(dict.fromkeys(name for one in flat for name in one if name not in ("name", "runs_dir", "store")))
    values = {name: [json.dumps(one.get(name), ensure_ascii=False) for one in flat] for name in names}
    return {name: found for name, found in values.items() if len(set(found)) > 1}


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, dict) and value:
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found
