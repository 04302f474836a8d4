"""One training in several processes, which share out weights, gradients and optimiser (FSDP, through accelerate).

The parent writes the job into a folder, starts `accelerate launch` on this module, on this machine or on several of a
cluster, and reads the steps and the result from files. The processes end when the parent does, in whatever way it ends:
their standard input is then closed.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from humpback.cluster.place import MachineLostError, Place, Poll
from humpback.config import ClusterConfig, TrainConfig
from humpback.errors import ConfigError, EngineError, HumpbackError, ModelError, WorkspaceError
from humpback.models import is_out_of_memory
from humpback.prompts import TokenRow
from humpback.training.batches import plan_batches
from humpback.training.job import Job, StepReport, TrainingResult
from humpback.training.launcher import LOG, Launch
from humpback.training.recipe import Recipe
from humpback.training.sft import train_here

JOB, ROWS, HELD_OUT = "job.json", "rows.npz", "held-out.npz"
STEPS, RESULT = "steps.jsonl", "result.json"
FOLDER = "launched"  # in the output's folder, which all machines see, while it is trained on several
POLL_SECONDS = 0.1
MODULE = "humpback.training.launched"  # what each process runs
MOST_LOST = 4  # machines that may go during one training before it stops; as for a shard
LOG_CHARS = 2000  # of the log's end, in the message for an error that no process explained

log = logging.getLogger(__name__)


def launch(
    job: Job,
    rows: Sequence[TokenRow],
    held_out: Sequence[TokenRow],
    on_step: StepReport,
    cluster: ClusterConfig | None = None,
) -> TrainingResult:
    """As `fine_tune`, in `job.config.processes` processes. Starts again with half the micro-batch where memory ran out,
    and from the last checkpoint where a machine of the cluster went.

    Raises:
        ModelError: a process failed; the message is its own where it has one.
        ConfigError: the settings do not go together.
    """
    config = job.config
    if config.method == "qlora":
        raise ConfigError(["train.processes: weights of 4 bits cannot be shared out; use train.method: lora, or 1"])
    plan_batches(rows, job.recipe, config, job.seed)  # fails here rather than there
    with _job_folder(job) as folder:
        while True:
            _write_job(folder, job, rows, held_out)
            errors = _run_to_the_end(folder, job, cluster, on_step)
            if not errors and (folder / RESULT).exists():
                return _result(folder)
            if not any(error.get("is_memory") for error in errors):
                raise _error(folder, errors)
            share = job.recipe.batch_size // config.processes
            micro = min(job.recipe.micro_batch_size, share)
            if micro == 1:
                raise _error(folder, errors)
            job = replace(job, recipe=replace(job.recipe, micro_batch_size=micro // 2))


@contextmanager
def _job_folder(job: Job) -> Iterator[Path]:
    """An empty folder that every process sees, removed with the block."""
    if job.config.machines == 1:
        with tempfile.TemporaryDirectory(prefix="humpback-") as temporary:
            yield Path(temporary)
        return
    folder = job.output.resolve() / FOLDER
    shutil.rmtree(folder, ignore_errors=True)  # of a parent that was killed
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run_to_the_end(folder: Path, job: Job, cluster: ClusterConfig | None, on_step: StepReport) -> list[dict[str, Any]]:
    """As `_run`, once more after each machine that went, which is no fault of the job."""
    if job.config.machines == 1:
        return _run(folder, _here(folder, job), on_step)
    why = ""
    for _ in range(MOST_LOST):
        try:
            return _run(folder, _on_machines(folder, job, cluster), on_step)
        except MachineLostError as error:
            why = str(error)
            log.warning("a machine went during training, which goes on from its last checkpoint: %s", why)
    raise EngineError(
        f"{MOST_LOST} times a machine went during training: {why}. Run the same command again: it goes on from the "
        "last checkpoint"
    )


def _run(folder: Path, started: AbstractContextManager[Poll], on_step: StepReport) -> list[dict[str, Any]]:
    """Runs the job in `folder` to its end, handing on its steps; returns the errors that its processes wrote."""
    for old in folder.glob("error-*.json"):
        old.unlink()
    steps = folder / STEPS
    steps.touch()
    with steps.open(encoding="utf-8") as stream:
        stream.seek(0, os.SEEK_END)  # behind the steps of an attempt that ended early
        with started as poll:
            while poll() is None:
                time.sleep(POLL_SECONDS)
                _hand_on(stream, on_step)
        _hand_on(stream, on_step)
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("error-*.json"))]


def _hand_on(stream: Any, on_step: StepReport) -> None:
    while True:
        place = stream.tell()
        line = stream.readline()
        if not line.endswith("\n"):
            stream.seek(place)
            return
        on_step(json.loads(line))


def _here(folder: Path, job: Job) -> AbstractContextManager[Poll]:
    return Launch(folder, job.config.processes, job.device, MODULE).open(Place())


def _on_machines(folder: Path, job: Job, cluster: ClusterConfig | None) -> AbstractContextManager[Poll]:
    if cluster is None or cluster.address is None:
        raise ConfigError(["train.machines: more than one needs a cluster: set cluster.address, or run with --ray"])
    from humpback.cluster.machines import Reserved, on_machines

    each = job.config.processes // job.config.machines
    gpus = each if job.device.startswith("cuda") else 0
    work = Launch(folder, job.config.processes, job.device, MODULE)
    return on_machines(work, cluster, folder, Reserved(job.config.machines, each, gpus))


def _error(folder: Path, errors: Sequence[dict[str, Any]]) -> HumpbackError:
    """The first error that a process explained, or else the end of the log."""
    kinds = {kind.__name__: kind for kind in (ModelError, ConfigError, WorkspaceError)}
    for error in errors:
        if error["kind"] == "ConfigError":
            return ConfigError([error["message"]])
        if error["kind"] in kinds:
            return kinds[error["kind"]](error["message"])
    if errors:
        return ModelError(f"a training process failed: {errors[0]['kind']}: {errors[0]['message']}")
    files = sorted(folder.glob(LOG.format("*")))
    logs = "\n".join(file.read_text(encoding="utf-8", errors="replace").strip()[-LOG_CHARS:] for file in files)
    return ModelError(f"the training processes ended without a result; the end of their log: {logs}")


def _write_job(folder: Path, job: Job, rows: Sequence[TokenRow], held_out: Sequence[TokenRow]) -> None:
    settings = asdict(job) | {"config": job.config.model_dump(mode="json")}
    settings |= {"base": str(job.base.resolve()), "output": str(job.output.resolve())}
    (folder / JOB).write_text(json.dumps(settings), encoding="utf-8")
    _write_rows(folder / ROWS, rows)
    _write_rows(folder / HELD_OUT, held_out)


def _read_job(folder: Path) -> Job:
    settings = json.loads((folder / JOB).read_text(encoding="utf-8"))
    recipe = settings["recipe"] | {"rates": tuple(settings["recipe"]["rates"])}
    return Job(
        **settings
        | {
            "base": Path(settings["base"]),
            "output": Path(settings["output"]),
            "config": TrainConfig.model_validate(settings["config"]),
            "recipe": Recipe(**recipe),
        }
    )


def _write_rows(file: Path, rows: Sequence[TokenRow]) -> None:
    np.savez(
        file,
        lengths=np.array([len(row.input_ids) for row in rows], dtype=np.int64),
        input_ids=np.array([token for row in rows for token in row.input_ids], dtype=np.int64),
        labels=np.array([label for row in rows for label in row.labels], dtype=np.int64),
        is_cut=np.array([row.is_cut for row in rows], dtype=np.bool_),
        row_ids=np.array([row.row_id for row in rows], dtype=np.str_),
    )


def _read_rows(file: Path) -> list[TokenRow]:
    with np.load(file) as found:
        ends = np.cumsum(found["lengths"])[:-1]
        parts = [[part.tolist() for part in np.split(found[name], ends)] for name in ("input_ids", "labels")]
        flags, names = found["is_cut"].tolist(), found["row_ids"].tolist()
    return [TokenRow(*row) for row in zip(*parts, flags, names, strict=False)]


def _result(folder: Path) -> TrainingResult:
    found = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    recipe = found["recipe"] | {"rates": tuple(found["recipe"]["rates"])}
    return TrainingResult(**found | {"recipe": Recipe(**recipe)})


def work(folder: Path) -> None:
    """What each of the processes does: trains its share of the job in `folder`; the first one reports."""
    rank = int(os.environ["RANK"])
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def report(entry: dict[str, float]) -> None:
        if rank == 0:
            with (folder / STEPS).open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(entry) + "\n")

    try:
        result = train_here(_read_job(folder), _read_rows(folder / ROWS), _read_rows(folder / HELD_OUT), report)
    except Exception as error:
        written = {"kind": type(error).__name__, "message": str(error), "is_memory": is_memory_error(error)}
        (folder / f"error-{rank}.json").write_text(json.dumps(written), encoding="utf-8")
        raise
    if rank == 0:
        (folder / RESULT).write_text(json.dumps(asdict(result)), encoding="utf-8")


def is_memory_error(error: BaseException) -> bool:
    """Whether `error`, or the one that it was raised from, says that memory ran out."""
    cause = error.__cause__
    return is_out_of_memory(error) or (cause is not None and is_out_of_memory(cause))


def _end_with_parent() -> None:
    """Waits for the end of standard input, which the parent holds open for as long as it lives."""
    while os.read(0, 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    work(Path(sys.argv[1]))
