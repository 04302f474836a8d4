"""What of a run is done, half done or still to do, for one configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from humpback.config import Config
from humpback.corpus import corpus_digest
from humpback.corpus.contamination import sets_digest
from humpback.errors import ConfigError
from humpback.evaluation.benchmarking import configured_plan, measured_files
from humpback.models import model_digest
from humpback.pipeline.steps import InputDigests, Step, pipeline_steps
from humpback.prompts import ChatFormat
from humpback.prompts.contract import contract_digest, load_templates
from humpback.seed import seed_digest
from humpback.workspace import RunFolder, file_digest, fingerprint

Status = Literal["done", "started", "to do"]


@dataclass(frozen=True, slots=True)
class StepState:
    """A step, the fingerprint its output must have, and how far that output is."""

    step: Step
    fingerprint: str
    depends_on: dict[str, object]
    status: Status


def run_state(config: Config) -> list[StepState]:
    """The state of every step of the run, in order. Reads inputs and manifests; loads no weights, writes nothing."""
    return step_states(config, pipeline_steps(config, input_digests(config)))


def input_digests(config: Config) -> InputDigests:
    """Fingerprints of what the configuration names: seed, corpus, evaluation sets, lists."""
    return InputDigests(
        seed=seed_digest(config.seed),
        corpus=corpus_digest(config.corpus),
        evaluation_sets={name: seed_digest([file]) for name, file in config.evaluate.sets.items()},
        contamination=sets_digest(config.ingest.decontaminate, measured_files(config.evaluate)),
        blocked_words=_file_digest("ingest.quality.blocked_words", config.ingest.quality.blocked_words),
        labels=_file_digest("curate.labels", config.curate.labels),
        asked=_asked_digests(config),
        benchmarks=_benchmark_digests(config),
    )


def _asked_digests(config: Config) -> tuple[str, ...]:
    """Of the files of prompts, and of the judge."""
    chosen = config.evaluate.answers
    files = [f"{name} {_file_digest('evaluate.answers.prompts', Path(file))}" for name, file in chosen.prompts.items()]
    has_weights = chosen.judge is not None and config.engine.kind != "scripted"
    judge = model_digest(chosen.judge) if chosen.judge is not None and has_weights else ""
    return (*files, _file_digest("evaluate.answers.following", chosen.following), judge)


def _benchmark_digests(config: Config) -> tuple[str, ...]:
    sources = configured_plan(config.evaluate.benchmarks).sources
    return tuple(f"{source.benchmark.name} {file_digest(file)}" for source in sources for file in source.files)


def _file_digest(option: str, path: Path | None) -> str:
    if path is None:
        return ""
    if not path.is_file():
        raise ConfigError([f"{option}: {path}: no such file"])
    return file_digest(path)


def step_states(config: Config, steps: Sequence[Step]) -> list[StepState]:
    """The states of given steps; each must come after those it needs."""
    folder = RunFolder(config.folder)
    scripted = config.engine.kind == "scripted"
    base_model = "scripted" if scripted else model_digest(config.model)
    # The chat template belongs to the model, whose digest stands beside it; only a replaced one counts by itself.
    replaced = config.prompts.chat_template
    if replaced and not replaced.is_file():
        raise ConfigError([f"prompts.chat_template: {replaced}: no such file"])
    template = replaced.read_text(encoding="utf-8") if replaced else ChatFormat.plain().template
    prompts = contract_digest(load_templates(config.prompts), template, config.prompts)
    found: dict[str, str] = {}
    states = []
    for step in steps:
        depends_on: dict[str, object] = {
            "stage": step.stage,
            "version": step.version,
            "settings": step.settings,
            "needs": {name: found[name] for name in step.needs},
        }
        if step.uses_prompts:
            depends_on["prompts"] = prompts
        if step.uses_base_model:
            depends_on["base_model"] = base_model
        found[step.name] = fingerprint(depends_on)
        status = step_status(folder, step.name, found[step.name])
        states.append(StepState(step, found[step.name], depends_on, status))
    return states


def step_status(folder: RunFolder, name: str, fingerprint: str) -> Status:
    """How far the output of the step called `name` is that `fingerprint` names."""
    output = folder.step(name)
    if output.is_finished(fingerprint):
        return "done"
    return "started" if output.is_started(fingerprint) else "to do"
