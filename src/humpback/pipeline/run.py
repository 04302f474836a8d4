"""Running what is stale, one step after another."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from humpback.cluster import open_executor
from humpback.config import ClusterConfig, Config
from humpback.engines import chat_format
from humpback.errors import ConfigError
from humpback.hardware import hardware_line, versions
from humpback.pipeline.preflight import preflight
from humpback.pipeline.state import StepState, run_state, step_status
from humpback.pipeline.steps import select_steps
from humpback.pipeline.tracker import Tracker
from humpback.progress import Progress, SilentProgress
from humpback.prompts import PromptContract
from humpback.stages.context import StageContext, base_folder
from humpback.workspace import Executor, Manifest, RunFolder, disk_errors_explained, dropped_counts, row_count
from humpback.workspace.store import Copying, WantedStep, open_copy

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run did: the steps that were run and those that were there already, by name."""

    folder: Path
    executed: list[str]
    reused: list[str]


def run_pipeline(config: Config, *, target: str | None = None, progress: Progress | None = None) -> RunResult:
    """Brings a run up to date, or a part of it with all that this needs.

    Args:
        config: the configuration.
        target: a stage, one of `STAGES`, or a step, e.g. `models/m0`; None runs everything.
        progress: where long steps show how far they are.

    Raises:
        HumpbackError: an input, the model, or the folder cannot be used; all that can be known beforehand is
            checked before the first step.
    """
    problems = preflight(config)
    if problems:
        raise problems[0] if len(problems) == 1 else _together(problems)
    folder = RunFolder(config.folder)
    with folder.locked(), open_copy(config.copy_url, folder) as copy:
        folder.create(config)
        states = run_state(config)
        if target is not None:
            wanted = {step.name for step in select_steps([state.step for state in states], target)}
            states = [state for state in states if state.step.name in wanted]
        copy.fetch([WantedStep(state.step.name, state.fingerprint, state.step.needs) for state in states])
        states = [replace(state, status=step_status(folder, state.step.name, state.fingerprint)) for state in states]
        return run_steps(config, folder, states, progress or SilentProgress(), copy)


def run_steps(
    config: Config, folder: RunFolder, states: Sequence[StepState], progress: Progress, copy: Copying | None = None
) -> RunResult:
    """Runs those of the steps that are not done, in order, in a folder that is locked and of which `copy` is kept.

    The page of progress in the folder tells how far it is.
    """
    is_up_to_date = all(state.status == "done" for state in states)
    cluster = ClusterConfig() if is_up_to_date else config.cluster
    with (
        Tracker(config, folder, states, progress) as tracker,
        open_executor(cluster, folder.path, copy, tracker.worked) as executor,
    ):
        return _run_steps(config, folder, states, tracker, executor, copy or Copying())


def _run_steps(
    config: Config,
    folder: RunFolder,
    states: Sequence[StepState],
    tracker: Tracker,
    executor: Executor,
    copy: Copying,
) -> RunResult:
    executed: list[str] = []
    reused: list[str] = []
    prompts: PromptContract | None = None
    base_model = Path()
    for state in states:
        name = state.step.name
        if state.status == "done":
            folder.step(name).tidy()
            reused.append(name)
            continue
        if prompts is None:  # only now, so that an unchanged run loads nothing
            base_model = base_folder(config)
            prompts = PromptContract(chat_format(config.engine, config.prompts, base_model), config.prompts)
        context = StageContext(
            config=config,
            output=folder.step(name),
            inputs={need: folder.step(need).path for need in state.step.needs},
            prompts=prompts,
            base_model=base_model,
            progress=tracker,
            log_metrics=folder.log_metrics,
            executor=executor,
        )
        copy.begins(name)
        with tracker.step(state):
            manifest = _run_step(state, context)
        folder.log_metrics(name, rows=manifest.rows, dropped=manifest.dropped, seconds=round(manifest.seconds, 2))
        tracker.finished(manifest)
        executed.append(name)
    return RunResult(folder.path, executed, reused)


def _run_step(state: StepState, context: StageContext) -> Manifest:
    output = context.output
    output.begin(state.fingerprint)
    started = time.monotonic()
    with disk_errors_explained(output.path):
        outcome = state.step.run(context)
    manifest = Manifest(
        step=output.name,
        fingerprint=state.fingerprint,
        depends_on=state.depends_on,
        rows=row_count(output.path),
        dropped=dropped_counts(output.path),
        seconds=time.monotonic() - started,
        facts=outcome.facts,
        versions=versions(),
        hardware=hardware_line(),
    )
    output.finish(manifest)
    log.info("%s", summary_line(manifest))
    return manifest


def summary_line(manifest: Manifest) -> str:
    """One line about a finished step: rows kept, rows set aside, seconds."""
    dropped = sum(manifest.dropped.values())
    parts = [f"{manifest.rows} rows"] if manifest.rows else []
    parts += [f"{dropped} set aside"] if dropped else []
    if "last_loss" in manifest.facts:
        parts.append(
            f"{manifest.facts['examples']} examples, {manifest.facts['steps']} steps, "
            f"loss {manifest.facts['first_loss']:.3f} -> {manifest.facts['last_loss']:.3f}"
        )
    return f"{manifest.step}: {', '.join([*parts, f'{manifest.seconds:.1f} s'])}"


def _together(problems: Sequence[Exception]) -> Exception:
    return ConfigError([str(problem) for problem in problems])
