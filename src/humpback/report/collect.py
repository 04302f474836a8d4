"""Gathers what the report shows from a run's folders, as plain frozen values."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from humpback.config import Config, config_as_yaml
from humpback.errors import WorkspaceError
from humpback.evaluation.diversity import Diversity
from humpback.report.fitness import FITNESS_FILE, JudgeKind, judge_kinds
from humpback.report.funnel import Funnel, Stage, funnel, seed_stage
from humpback.report.numbers import (
    Lengths,
    RatingRound,
    RoundChange,
    lengths,
    rating_edges,
    rating_round,
    round_change,
    round_numbers,
)
from humpback.report.outcome import EvaluationSet, Verdict, evaluation_sets, verdict, with_stop
from humpback.report.samples import Pairs, curated_pairs, licence_counts
from humpback.report.spread import Spread, spread
from humpback.report.text import short, visible
from humpback.workspace import Manifest, StepFolder

MAX_YAML_CHARS = 60_000
MAX_INPUTS = 40
MAX_LICENCES = 30


@dataclass(frozen=True, slots=True)
class Cost:
    """What the run took. `seconds` are those of all steps before the report; `tokens` None without training."""

    seconds: float
    planned_seconds: float | None
    tokens: int | None
    hardware: list[str]
    kept: int
    candidates: int


@dataclass(frozen=True, slots=True)
class Inputs:
    """What went in."""

    model: str
    seed_files: list[str]
    corpus: list[str]
    trained: int
    held_out: int
    documents: int | None
    seed: Stage


@dataclass(frozen=True, slots=True)
class Curve:
    """A loss by step."""

    steps: list[float]
    losses: list[float]


@dataclass(frozen=True, slots=True)
class Training:
    """One model's training; what is unknown (all of it for a scripted model) is None."""

    model: str
    examples: int
    curated: int
    steps: int | None
    batch_size: int | None
    rates: tuple[float, float] | None
    first_loss: float | None
    last_loss: float | None
    tokens: int | None
    tokens_per_second: float | None
    dtype: str | None
    texts_cut: int | None
    prompts_too_long: int | None
    curve: Curve | None


@dataclass(frozen=True, slots=True)
class StepTime:
    """One step's wall time, and what the plan had foreseen."""

    name: str
    seconds: float
    planned: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything on the page."""

    name: str
    is_scripted: bool
    method: str
    verdict: Verdict
    cost: Cost
    evaluation: list[EvaluationSet]
    inputs: Inputs
    funnel: Funnel
    lengths: list[Lengths]
    ratings: list[RatingRound]
    changes: list[RoundChange]
    spreads: list[Spread]
    judge: list[JudgeKind]
    trainings: list[Training]
    diversity: Diversity | None
    answers: dict[str, Any] | None
    benchmarks: dict[str, Any] | None
    pairs: Pairs
    licences: list[tuple[str, int]]
    times: list[StepTime]
    config_yaml: str
    versions: list[tuple[str, str]]


def collect_report(config: Config, inputs: Mapping[str, Path], run_folder: Path) -> Report:
    """What the report of a run shows.

    Args:
        config: the resolved configuration.
        inputs: the folder of every finished step, by its name, in the order in which they ran.
        run_folder: where `plan.json` stands, if the run was planned.

    Raises:
        WorkspaceError: a step is not finished or a file of it is damaged.
    """
    manifests = {name: _manifest(name, path) for name, path in inputs.items()}
    last = config.rounds
    product = next(inputs[name] for name in (f"rewritten-{last}", f"curated-{last}") if name in inputs)
    sets = evaluation_sets(_json(inputs["evaluation"] / "evaluation.json"))
    is_scripted = config.engine.kind == "scripted"
    trainings = [_training(name, inputs[name], manifests) for name in inputs if name.startswith("models/")]
    ratings, changes = _ratings(config, inputs, manifests)
    times = _times(manifests, run_folder)
    return Report(
        name=config.name,
        is_scripted=is_scripted,
        method="calibrated" if config.rate.judge == "calibrated" else config.rate.method,
        verdict=with_stop(verdict(sets, f"m{last}", is_scripted=is_scripted), _facts(manifests, "verdict-")),
        cost=_cost(manifests, trainings, times, last),
        evaluation=sets,
        inputs=_inputs(config, inputs, manifests),
        funnel=funnel(config, inputs, manifests),
        lengths=_lengths(config, inputs),
        ratings=ratings,
        changes=changes,
        spreads=_spreads(config, manifests),
        judge=judge_kinds([_json(path / FITNESS_FILE) for name, path in inputs.items() if name.startswith("judge-")]),
        trainings=trainings,
        diversity=_diversity(inputs),
        answers=_json(inputs["answers"] / "answers.json") if "answers" in inputs else None,
        benchmarks=_json(inputs["benchmarks"] / "benchmarks.json") if "benchmarks" in inputs else None,
        pairs=curated_pairs(
            product,
            [inputs[f"ratings-{number}"] for number in range(1, last + 1)],
            config.report.examples,
            config.random_seed,
        ),
        licences=_licences(inputs[f"curated-{last}"]),
        times=times,
        config_yaml=_cut_yaml(config),
        versions=_versions(manifests),
    )


def _manifest(name: str, path: Path) -> Manifest:
    manifest = StepFolder(path, name).manifest()
    if manifest is None:
        raise WorkspaceError(f"{path}: is not finished, or its files were changed; run `humpback run` again")
    return manifest


def _facts(manifests: Mapping[str, Manifest], prefix: str) -> list[dict[str, Any]]:
    return [manifest.facts for name, manifest in manifests.items() if name.startswith(prefix)]


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WorkspaceError(
            f"{file}: cannot be read ({error}); remove its folder and run `humpback run` again"
        ) from None


def _cost(manifests: Mapping[str, Manifest], trainings: list[Training], times: list[StepTime], last: int) -> Cost:
    tokens = [training.tokens for training in trainings if training.tokens is not None]
    planned = [time.planned for time in times if time.planned is not None]
    return Cost(
        seconds=sum(time.seconds for time in times),
        planned_seconds=sum(planned) if planned else None,
        tokens=sum(tokens) if tokens else None,
        hardware=list(dict.fromkeys(manifest.hardware for manifest in manifests.values() if manifest.hardware)),
        kept=manifests[f"curated-{last}"].rows,
        candidates=manifests["candidates"].rows,
    )


def _inputs(config: Config, inputs: Mapping[str, Path], manifests: Mapping[str, Manifest]) -> Inputs:
    seed = manifests["seed"]
    return Inputs(
        model=short(config.model, 240),
        seed_files=_listed(config.seed),
        corpus=_listed(config.corpus),
        trained=seed.rows,
        held_out=int(seed.facts.get("held_out", 0)),
        documents=manifests["passages"].facts.get("documents"),
        seed=seed_stage(config, inputs["seed"], seed),
    )


def _listed(values: list[str]) -> list[str]:
    shown = [short(value, 240) for value in values[:MAX_INPUTS]]
    return shown if len(values) <= MAX_INPUTS else [*shown, f"and {len(values) - MAX_INPUTS} more"]


def _lengths(config: Config, inputs: Mapping[str, Path]) -> list[Lengths]:
    rows = [lengths("seed, trained on", inputs["seed"]), lengths("all candidates", inputs["candidates"])]
    rounds = itertools.product(range(1, config.rounds + 1), ("curated", "rewritten"))
    sets = ((kind, number, f"{kind}-{number}") for number, kind in rounds)
    return [*rows, *(lengths(f"{kind}, round {number}", inputs[name]) for kind, number, name in sets if name in inputs)]


def _diversity(inputs: Mapping[str, Path]) -> Diversity | None:
    if "diversity" not in inputs:
        return None
    from pydantic import TypeAdapter

    return TypeAdapter(Diversity).validate_python(_json(inputs["diversity"] / "diversity.json"))


def _ratings(
    config: Config, inputs: Mapping[str, Path], manifests: Mapping[str, Manifest]
) -> tuple[list[RatingRound], list[RoundChange]]:
    numbers = [
        round_numbers(number, inputs[f"ratings-{number}"], inputs[f"curated-{number}"])
        for number in range(1, config.rounds + 1)
    ]
    edges = rating_edges(numbers)
    rounds = []
    for one in numbers:
        facts = manifests[f"ratings-{one.round}"].facts
        rounds.append(rating_round(one, edges, facts, str(manifests[f"curated-{one.round}"].facts.get("rule", ""))))
    changes = []
    for earlier, later in itertools.pairwise(numbers):
        shift = manifests[f"curated-{later.round}"].facts.get("topic_shift")
        changes.append(round_change(earlier, later, shift))
    return rounds, changes


def _spreads(config: Config, manifests: Mapping[str, Manifest]) -> list[Spread]:
    rounds = [(number, manifests[f"curated-{number}"]) for number in range(1, config.rounds + 1)]
    found = [spread(number, manifest.rows, manifest.facts) for number, manifest in rounds]
    return [one for one in found if one is not None]


def _training(name: str, folder: Path, manifests: Mapping[str, Manifest]) -> Training:
    facts = manifests[name].facts
    model = name.removeprefix("models/")
    number = model.removeprefix("m")
    curated = manifests[f"curated-{number}"].rows if f"curated-{number}" in manifests else 0
    file = folder / "training.json"
    result = _json(file) if file.exists() else {}
    rates = result.get("recipe", {}).get("rates")
    return Training(
        model=model,
        examples=int(facts.get("examples", 0)),
        curated=curated,
        steps=facts.get("steps"),
        batch_size=facts.get("batch_size"),
        rates=(rates[0], rates[1]) if rates else None,
        first_loss=facts.get("first_loss"),
        last_loss=facts.get("last_loss"),
        tokens=facts.get("tokens"),
        tokens_per_second=facts.get("tokens_per_second"),
        dtype=facts.get("dtype"),
        texts_cut=facts.get("texts_cut") if model == "backward" else facts.get("answers_cut"),
        prompts_too_long=facts.get("prompts_too_long"),
        curve=_curve(result.get("history", [])),
    )


def _curve(history: list[dict[str, Any]]) -> Curve | None:
    points = [
        (float(entry.get("step", index)), float(entry["loss"]))
        for index, entry in enumerate(history, start=1)
        if isinstance(entry.get("loss"), int | float) and math.isfinite(entry["loss"])
    ]
    return Curve([step for step, _ in points], [loss for _, loss in points]) if len(points) > 1 else None


def _times(manifests: Mapping[str, Manifest], run_folder: Path) -> list[StepTime]:
    plan: dict[str, Any] = {}
    file = run_folder / "plan.json"
    if file.exists():
        found = _json(file)
        plan = found.get("steps", {}) if isinstance(found, dict) else {}
    return [StepTime(name, manifest.seconds, _planned(plan.get(name))) for name, manifest in manifests.items()]


def _planned(entry: object) -> float | None:
    seconds = entry.get("seconds") if isinstance(entry, dict) else None
    return float(seconds) if isinstance(seconds, int | float) else None


def _licences(curated: Path) -> list[tuple[str, int]]:
    counts = licence_counts(curated).most_common()
    rows = [(name or "not stated", count) for name, count in counts[:MAX_LICENCES]]
    rest = counts[MAX_LICENCES:]
    return [*rows, (f"{len(rest)} more", sum(count for _, count in rest))] if rest else rows


def _cut_yaml(config: Config) -> str:
    text = visible(config_as_yaml(config))
    return text if len(text) <= MAX_YAML_CHARS else text[:MAX_YAML_CHARS] + "\n… (the rest is in humpback.yaml)"


def _versions(manifests: Mapping[str, Manifest]) -> list[tuple[str, str]]:
    found: dict[str, dict[str, None]] = {}
    for manifest in manifests.values():
        for name, version in manifest.versions.items():
            found.setdefault(name, {})[version] = None
    return [(name, ", ".join(versions)) for name, versions in found.items()]
