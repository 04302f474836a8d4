"""What a run would take at another size, on this machine or on rented GPUs: time, memory, and what gives way first.

The costs of a row are measured here: by the plan's probe, or, for steps that are done, from the time they took.
Reading, rating and writing grow with the rows; trainings follow table 18, whose steps grow slower than the rows; the
seed, its judge and the evaluation stay as they are.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from typing import Literal

from humpback.config import Config
from humpback.errors import InputError
from humpback.hardware import memory_bytes
from humpback.pipeline.accelerators import Cluster
from humpback.pipeline.plan import (
    CONTAMINATION_SECONDS,
    DUPLICATE_SECONDS,
    PROMPT_TOKENS,
    Sizes,
    evaluation_pairs,
    measure_sizes,
    plan_step,
)
from humpback.pipeline.probe import Speeds, probe_speeds
from humpback.pipeline.state import StepState, run_state
from humpback.stages.augment import DEFAULT_SAMPLES
from humpback.workspace import RunFolder
from humpback.workspace.pool import available_cores

INTERNET = 1_000_000_000  # segments; twice the paper's half million a thousand times over
DUPLICATE_BYTES = 610  # of memory a text's signature takes: docs/corpus-benchmark.md
CURATE_BYTES = 810  # of memory a candidate takes while it is chosen: docs/faults.md
START_SECONDS = 20.0  # ours: libraries and weights that a step loads, on a slow disk
STORED_COPIES = 3  # of a text on disk: passage, segment, and the kept ones; uncompressed, so an upper bound
INSTRUCTION_TOKENS = 20  # of an instruction that is written: OpenAssistant's first turns have a median of 15 words
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "B": 10**9}

Limit = Literal[
    "processor cores",
    "one processor core",
    "this machine's model speed",
    "GPU compute",
    "GPU memory bandwidth",
    "rows of a training batch",
]


@dataclass(frozen=True, slots=True)
class StepOutlook:
    """One step at the larger size: rows, seconds, and what it waits for; None where nothing is known."""

    name: str
    rows: int | None
    seconds: float | None
    limited_by: Limit | None
    gpu_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """A run at another size. `warnings` say what does not fit, the one that is exceeded most first."""

    documents: int
    segments: int
    steps: list[StepOutlook]
    warnings: list[str]
    memory: int
    disk: int

    @property
    def seconds(self) -> float:
        """All steps, one after the other."""
        return sum(step.seconds or 0.0 for step in self.steps)

    @property
    def gpu_hours(self) -> float:
        """Hours of GPUs, each counted for as long as its step holds it."""
        return sum(step.gpu_seconds for step in self.steps) / 3600

    @property
    def bottleneck(self) -> StepOutlook | None:
        """The step that takes longest."""
        timed = [step for step in self.steps if step.seconds]
        return max(timed, key=lambda step: step.seconds or 0.0, default=None)


def growth(at: str, segments: int) -> float:
    """The factor that `at` means for a run of so many segments: `10x`, `500k`, `1B` or `internet`.

    Raises:
        InputError: it means nothing.
    """
    if at == "internet":
        return INTERNET / segments
    times = re.fullmatch(r"(\d+(?:\.\d+)?)x", at)
    if times:
        return float(times[1])
    count = re.fullmatch(r"(\d+(?:\.\d+)?)([kMB]?)", at)
    if count:
        return float(count[1]) * _UNITS[count[2]] / segments
    raise InputError(f"--at {at}: give a multiple (10x), a number of segments (500k, 20M, 1B), or `internet`")


def plan_at(config: Config, at: str, cluster: Cluster | None = None) -> Outlook:
    """What the run would take at the size that `at` names (see `growth`), all of its steps anew.

    Without a cluster: this machine and the run's model, whose speed is taken from a probe or from the steps that are
    done. With one: a model of the cluster's shape on its GPUs, by `accelerators`; the processor's work by what it
    takes here, spread over the cluster's cores.

    Raises:
        HumpbackError: an input cannot be read, or `at` means nothing.
        InputError: the cluster's memory does not hold its model.
    """
    if cluster is not None and not cluster.replicas:
        raise InputError(
            f"--gpus {cluster.gpus}: one copy of the model takes {cluster.gpus_per_replica} such GPUs; "
            "give more, or GPUs with more memory"
        )
    now = measure_sizes(config)
    segments = round(now.segments * growth(at, max(1, now.segments)))
    # A run that takes but a part of its segments reads all documents for them, and has enough for some more.
    documents = max(now.documents, round(segments / now.per_document))
    sizes = replace(now, documents=documents, segments=segments)
    speeds = _speeds(config, now)
    if cluster is not None and (speeds is None or not speeds.evaluate):
        raise InputError(
            "--gpus: what a row costs is measured with the engine `transformers` or `vllm`; choose it by --engine"
        )
    steps = []
    for state in run_state(config):
        here = _here(state, config, now, sizes, speeds)
        if cluster is not None and speeds is not None:
            here = _on_cluster(here, state, config, sizes, speeds, cluster)
        steps.append(here)
    memory = sizes.segments * max(DUPLICATE_BYTES, CURATE_BYTES)
    disk = round(STORED_COPIES * sizes.segments * sum(len(s.text) for s in now.sample) / max(1, len(now.sample)))
    return Outlook(sizes.documents, sizes.segments, steps, _warnings(config, memory, disk, cluster), memory, disk)


def _speeds(config: Config, now: Sizes) -> Speeds | None:
    return probe_speeds(config, now.seed, now.sample) if config.engine.kind != "scripted" else None


def _here(state: StepState, config: Config, now: Sizes, sizes: Sizes, speeds: Speeds | None) -> StepOutlook:
    """The step on this machine; where it is done, the estimate is corrected by how long it really took."""
    to_do = replace(state, status="to do")
    planned = plan_step(to_do, config, sizes, speeds)
    seconds = planned.seconds
    done = RunFolder(config.folder).step(state.step.name).manifest() if state.status == "done" else None
    if done is not None and seconds is not None:
        seconds = corrected(seconds, plan_step(to_do, config, now, speeds).seconds or 0.0, done.seconds)
    return StepOutlook(planned.name, planned.rows, seconds, None if seconds is None else _limit_here(state))


def corrected(larger: float, smaller: float, took: float) -> float:
    """An estimate for the larger size, after that for the smaller one and what this took; all in seconds.

    What it took longer, up to `START_SECONDS`, is not thought to grow with the rows.
    """
    start = min(max(0.0, took - smaller), START_SECONDS)
    return start + larger * ((took - start) / smaller if smaller else 1.0)


def _limit_here(state: StepState) -> Limit:
    if state.step.name == "passages":
        return "processor cores"
    return (
        "one processor core"
        if state.step.name == "segments" or state.step.stage == "curate"
        else ("this machine's model speed")
    )


def _on_cluster(
    here: StepOutlook, state: StepState, config: Config, sizes: Sizes, speeds: Speeds, cluster: Cluster
) -> StepOutlook:
    name, stage = state.step.name, state.step.stage
    if here.limited_by == "processor cores" and here.seconds is not None:
        workers = config.ingest.workers or available_cores()
        return replace(here, seconds=here.seconds * workers / cluster.cores)
    if name == "segments" and here.seconds is not None:
        spread = here.seconds * DUPLICATE_SECONDS / (DUPLICATE_SECONDS + CONTAMINATION_SECONDS)
        return replace(here, seconds=here.seconds - spread + spread / cluster.cores)
    if here.seconds is None or here.limited_by == "one processor core":
        return here
    if stage == "train":
        return _training(here, config, sizes, cluster)
    # What a rating reads is counted in passes over a pair, as this machine took them: both are bound by compute.
    pair = sizes.pair_tokens(config.train.max_tokens)
    if stage == "augment":
        samples = config.augment.samples or DEFAULT_SAMPLES
        passes = 1 if samples == 1 else samples + 1
        read = cluster.seconds_to_read(sizes.segments * passes * (sizes.segment_tokens + PROMPT_TOKENS))
        written = cluster.seconds_to_write(sizes.segments * samples * INSTRUCTION_TOKENS)
        limit: Limit = "GPU memory bandwidth" if written > read else "GPU compute"
        return replace(here, seconds=read + written, limited_by=limit, gpu_seconds=cluster.gpus * (read + written))
    rows = here.rows or 0
    if name == "evaluation":
        rows = evaluation_pairs(config, sizes) * (1 + sum(need.startswith("models/") for need in state.step.needs))
        tokens = rows * pair
    else:
        tokens = rows * pair * speeds.rate / speeds.evaluate
    seconds = cluster.seconds_to_read(tokens)
    return replace(here, seconds=seconds, limited_by="GPU compute", gpu_seconds=cluster.gpus * seconds)


def _training(here: StepOutlook, config: Config, sizes: Sizes, cluster: Cluster) -> StepOutlook:
    from humpback.training import recipe_for

    recipe = recipe_for(here.rows or 0, round(cluster.shape.parameters), config.train)
    tokens = recipe.steps * recipe.batch_size * sizes.pair_tokens(config.train.max_tokens)
    seconds = cluster.seconds_to_train(tokens, recipe.batch_size)
    busy = cluster.gpus_at_work_in_training(recipe.batch_size)
    limit: Limit = "rows of a training batch" if busy < cluster.gpus else "GPU compute"
    return replace(here, seconds=seconds, limited_by=limit, gpu_seconds=busy * seconds)


def _warnings(config: Config, memory: int, disk: int, cluster: Cluster | None) -> list[str]:
    """What does not fit, the one that is exceeded most first."""
    existing = next(path for path in (config.folder, *config.folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    there = memory_bytes()
    found: list[tuple[float, str]] = [
        (
            memory / there,
            f"Choosing and near-duplicates need about {memory / 2**30:,.0f} GiB of memory in one process; "
            f"this machine has {there / 2**30:.0f}.",
        ),
        (disk / free, f"The texts need up to {disk / 1e9:,.0f} GB of disk; {free / 1e9:,.0f} are free here."),
    ]
    if cluster is not None:
        short = cluster.gpus_for_training / cluster.gpus
        found.append(
            (
                short,
                f"Full fine-tuning of this model needs the memory of {cluster.gpus_for_training} such GPUs; "
                "train with `train.method: lora`, or give more.",
            )
        )
    return [text for ratio, text in sorted(found, reverse=True) if ratio > 1]
