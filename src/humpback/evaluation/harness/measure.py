"""Running the harness on our task files, and what comes out for each task."""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from humpback.evaluation.asking import Model
from humpback.evaluation.harness.files import Source
from humpback.evaluation.harness.models import harness_model
from humpback.evaluation.harness.suites import Benchmark
from humpback.evaluation.harness.task_files import PREFIX, harness_tasks, write_task_files
from humpback.progress import Progress
from humpback.workspace import fingerprint


@dataclass(frozen=True, slots=True)
class Measured:
    """One task's marks by metric, one a row in the rows' order, and the mean difference of log-likelihoods.

    `acc` says whether the likeliest answer is right; `acc_norm` the same of log-likelihoods divided by the answers'
    lengths in bytes; `pct_stereotype` whether the more stereotypical sentence is the likelier one.
    """

    benchmark: str
    part: str
    split: str
    marks: dict[str, list[bool]]
    likelihood_difference: float | None

    def figures(self) -> dict[str, Any]:
        """Its rows counted, and the mean of each metric."""
        means = {metric: fmean(found) for metric, found in self.marks.items() if found}
        return {"benchmark": self.benchmark, "part": self.part, "split": self.split, "rows": self.rows, **means}

    @property
    def rows(self) -> int:
        """How many rows were measured."""
        return len(next(iter(self.marks.values())))


def measure_benchmarks(
    model: Model,
    sources: Sequence[Source],
    work: Path,
    progress: Progress,
    *,
    limit: int | None = None,
    shots: int = 0,
    batch_size: int = 8,
) -> list[Measured]:
    """What the model does on each task of the sources; `limit` takes so many rows of a task, the first.

    Answers stand in folder `work` as soon as they are there, until the caller removes it, so that a run that was
    stopped goes on.

    Raises:
        HumpbackError: a file cannot be read or the harness is not installed; nothing has been asked yet.
    """
    tasks = [
        (source, name, part)
        for source in sources
        for name, part in write_task_files(work / "tasks" / source.benchmark.name, source, shots)
    ]
    harness_tasks()
    _quieten()
    from lm_eval.tasks import TaskManager

    manager = TaskManager(
        include_path=[work / "tasks" / source.benchmark.name for source in sources], include_defaults=False
    )
    cache = work / f"answers-{fingerprint([*model.identity, str(model.config.engine.dtype)])}.jsonl"
    found = []
    with (
        progress.task(f"benchmarks of {model.name}", None, "answers") as task,
        harness_model(model, batch_size, cache, task.advance) as asked,
    ):
        for source, name, part in tasks:
            task.note(name.removeprefix(PREFIX))
            samples = _run(asked, manager, name, limit)
            found.append(_measured(source.benchmark, part, source.split, samples))
    return found


def _run(asked: Any, manager: Any, name: str, limit: int | None) -> list[dict[str, Any]]:
    """The harness's record of each row of one task, in order."""
    from lm_eval.evaluator import evaluate

    loaded = manager.load([name])
    for task in loaded["tasks"].values():
        task.set_fewshot_seed(seed=0)
    random.seed(0)
    results = evaluate(asked, loaded, limit=limit, bootstrap_iters=0, log_samples=True)
    samples: list[dict[str, Any]] = results["samples"][name]
    return sorted(samples, key=lambda sample: int(sample["doc_id"]))


def _measured(benchmark: Benchmark, part: str, split: str, samples: list[dict[str, Any]]) -> Measured:
    marks = {str(metric): [bool(sample[metric]) for sample in samples] for metric in benchmark.metrics}
    differences = [float(sample["likelihood_diff"]) for sample in samples if "likelihood_diff" in sample]
    return Measured(benchmark.name, part, split, marks, fmean(differences) if differences else None)


def _quieten() -> None:
    """The harness reports what it loads at length; what matters to a user is said by the command."""
    import datasets
    from lm_eval.api import task
    from tqdm import tqdm  # type: ignore[import-untyped]

    datasets.disable_progress_bars()
    task.tqdm = partial(tqdm, disable=True)
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
