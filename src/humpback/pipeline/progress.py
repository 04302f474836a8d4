"""What a run has done, does and has left, and what that costs: gathered here, shown by the page and by `status`."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from humpback.cluster import Figures
from humpback.config import Config
from humpback.hardware import gpu_count
from humpback.pipeline.plan import PLAN_FILE
from humpback.pipeline.state import Status
from humpback.report.progress_page import Bar, Cost, Message, RunProgress, RunState, StepProgress
from humpback.workspace import Manifest

RECORD_FILE = "progress.json"
PAGE_FILE = "progress.html"


@dataclass(frozen=True, slots=True)
class Spent:
    """What a step took: seconds, those of every machine and of every GPU, and its work on a cluster in sum."""

    seconds: float = 0.0
    machine_seconds: float = 0.0
    gpu_seconds: float = 0.0
    cluster: Figures | None = None

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.seconds + other.seconds,
            self.machine_seconds + other.machine_seconds,
            self.gpu_seconds + other.gpu_seconds,
            _together(self.cluster, other.cluster),
        )


@dataclass(slots=True)
class Record:
    """What stands in no manifest: how the last start went, and what all starts took.

    `spent` is by step, `before` for outputs that were made again since. `step` is the one that ran last.
    """

    state: Literal["running", "done", "stopped", "failed"] = "running"
    started: float = 0.0
    updated: float = 0.0
    step: str | None = None
    bar: Bar | None = None
    spent: dict[str, Spent] = field(default_factory=dict)
    before: Spent = Spent()
    messages: list[Message] = field(default_factory=list)
    error: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """Seconds by step, of those that `humpback plan` timed, and the price of a GPU's hour where it was told."""

    seconds: Mapping[str, float]
    gpu_hour: float | None = None


def read_record(folder: Path) -> Record | None:
    """What the last start left; None where there was none, or it cannot be read."""
    from pydantic import TypeAdapter

    try:
        return TypeAdapter(Record).validate_json((folder / RECORD_FILE).read_bytes())
    except (OSError, ValueError):
        return None


def read_planned(folder: Path) -> Planned:
    """What `humpback plan` left; nothing where it was not called."""
    try:
        found = json.loads((folder / PLAN_FILE).read_text(encoding="utf-8"))
        seconds = {name: float(step["seconds"]) for name, step in found["steps"].items() if step.get("seconds")}
        price = found.get("gpu_hour")
        return Planned(seconds, None if price is None else float(price))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Planned({})


def gather(
    config: Config,
    statuses: Mapping[str, Status],
    manifests: Mapping[str, Manifest],
    record: Record | None,
    planned: Planned,
    *,
    is_running: bool,
) -> RunProgress:
    """All that is to be shown.

    Args:
        config: of the run.
        statuses: of the steps that count, in order.
        manifests: of those that are done.
        record: what the last start says of itself, or None.
        planned: what was planned.
        is_running: whether a process works on the run.
    """
    found = record or Record(updated=time.time())
    costs = _Costs(config, manifests, found, planned)
    steps = [_step(name, status, costs, is_running=is_running) for name, status in statuses.items()]
    done = [step for step in steps if step.status == "done"]
    compared = [step for step in done if step.planned is not None]
    left = [step.left for step in steps if step.left is not None]
    to_do = [step for step in steps if step.status != "done"]
    return RunProgress(
        name=config.name,
        state=_state(record, is_running=is_running),
        updated=found.updated,
        elapsed=max(0.0, found.updated - found.started) if record is not None else 0.0,
        spent=costs.all.seconds,
        step=found.step,
        steps=steps,
        bar=found.bar if is_running else None,
        planned=sum(step.planned or 0.0 for step in compared) if compared else None,
        taken=sum(step.seconds or 0.0 for step in compared or done),
        left=sum(left) if left or not to_do else None,
        untimed=len(to_do) - len(left),
        cost=_cost(costs.all, planned),
        forecast=_cost(costs.all + costs.left(steps), planned) if left and planned.seconds else None,
        messages=found.messages,
        error=found.error,
        has_report="report" in manifests,
    )


def _state(record: Record | None, *, is_running: bool) -> RunState:
    if is_running:
        return "running"
    if record is None:
        return "not started"
    return "killed" if record.state == "running" else record.state


class _Costs:
    """What each step took and is to take."""

    def __init__(self, config: Config, manifests: Mapping[str, Manifest], record: Record, planned: Planned) -> None:
        self.manifests = manifests
        self.record = record
        self.planned = planned.seconds
        self._gpus = _gpus_here(config) or (config.cluster.replica_gpus if config.cluster.address else 0.0)
        done = {name: Spent(found.seconds, found.seconds, 0.0) for name, found in manifests.items()}
        self.spent = {**done, **record.spent}  # a run of an older version has no record of it
        self.all = sum(self.spent.values(), record.before)

    def ratio(self, name: str) -> Spent:
        """What done steps of the same kind took for a second of their plan; the plan itself where there are none."""
        alike = [one for one in self.manifests if _kind(one) == _kind(name) and one in self.planned]
        total = sum((self.spent[one] for one in alike), Spent())
        seconds = sum(self.planned[one] for one in alike)
        if not seconds or not total.seconds:
            return Spent(1.0, 1.0, self._gpus)
        return Spent(total.seconds / seconds, total.machine_seconds / seconds, total.gpu_seconds / seconds)

    def seconds_left(self, name: str) -> float | None:
        """Of a step that is not done."""
        bar = self.record.bar if self.record.step == name else None
        if bar is not None and bar.left is not None:
            return bar.left
        if name not in self.planned:
            return None
        taken = self.spent[name].seconds if name in self.spent else 0.0
        return max(0.0, self.planned[name] * self.ratio(name).seconds - taken)

    def left(self, steps: list[StepProgress]) -> Spent:
        """Of all that is not done."""
        total = Spent()
        for step in steps:
            if step.left:
                ratio = self.ratio(step.name)
                share = step.left / ratio.seconds
                total += Spent(step.left, share * ratio.machine_seconds, share * ratio.gpu_seconds)
        return total


def _step(name: str, status: Status, costs: _Costs, *, is_running: bool) -> StepProgress:
    planned = costs.planned.get(name)
    spent = costs.spent.get(name)
    cluster = "" if spent is None or spent.cluster is None else str(spent.cluster)
    seconds = None if spent is None else spent.seconds
    if status == "done" and name in costs.manifests:
        found = costs.manifests[name]
        rows = found.rows or int(found.facts.get("examples") or 0)
        return StepProgress(name, "done", rows, sum(found.dropped.values()), seconds, planned, None, cluster)
    shown: Literal["running", "started", "to do"] = "started" if status == "started" else "to do"
    if is_running and costs.record.step == name:
        shown = "running"
    seconds = None if shown == "to do" else seconds
    return StepProgress(name, shown, 0, 0, seconds, planned, costs.seconds_left(name), cluster if seconds else "")


def _cost(spent: Spent, planned: Planned) -> Cost:
    return Cost(spent.machine_seconds, spent.gpu_seconds, planned.gpu_hour)


def _gpus_here(config: Config) -> float:
    """GPUs that the run holds while it works on this machine."""
    return 0.0 if config.engine.kind == "scripted" or config.engine.device == "cpu" else float(gpu_count())


def spent_in(name: str, seconds: float, work: list[Figures], config: Config) -> Spent:
    """What `seconds` of the step took, of which pieces of work on a cluster were a part.

    A machine counts for as long as it works: this one, or all nodes that do. So do this machine's GPUs, or those that
    the workers reserve.
    """
    apart = min(seconds, sum(one.seconds for one in work))
    machines = config.train.machines if name.startswith("models/") else 1
    gpus = _gpus_here(config)
    if machines > 1 and (gpus or config.cluster.replica_gpus):
        gpus = float(config.train.processes)
    total = Spent(seconds, machines * (seconds - apart), gpus * (seconds - apart))
    for one in work:
        total += Spent(0.0, max(1, one.nodes) * one.seconds, one.gpus * one.seconds, one)
    return total


def _together(one: Figures | None, other: Figures | None) -> Figures | None:
    if one is None or other is None:
        return one or other
    return replace(
        one,
        shards=one.shards + other.shards,
        workers=max(one.workers, other.workers),
        nodes=max(one.nodes, other.nodes),
        work_seconds=one.work_seconds + other.work_seconds,
        repeated=one.repeated + other.repeated,
        seconds=one.seconds + other.seconds,
        gpus=max(one.gpus, other.gpus),
    )


def _kind(name: str) -> str:
    """What steps of all rounds have in common; trainings of all models are one."""
    return "models" if name.startswith("models/") else re.sub(r"-\d+$", "", name)
