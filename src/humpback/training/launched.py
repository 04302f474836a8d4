"""One training in several processes, which share out weights, gradients and optimiser (FSDP, through accelerate).

The parent writes the job into a folder, starts `accelerate launch` on this module, and reads the steps and the result
from files. The processes end when the parent does, in whatever way it ends: their standard input is then closed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from humpback.config import TrainConfig
from humpback.errors import ConfigError, HumpbackError, ModelError, WorkspaceError
from humpback.models import is_out_of_memory
from humpback.prompts import TokenRow
from humpback.training.batches import plan_batches
from humpback.training.recipe import Recipe
from humpback.training.sft import Job, StepReport, TrainingResult, train_here

JOB, ROWS, HELD_OUT = "job.json", "rows.npz", "held-out.npz"
STEPS, RESULT, LOG = "steps.jsonl", "result.json", "log.txt"
POLL_SECONDS = 0.1
MODULE = "humpback.training.launched"  # what each process runs
PATIENCE_SECONDS = 10  # between asking the processes to end and ending them
LOG_CHARS = 2000  # of the log's end, in the message for an error that no process explained


def launch(job: Job, rows: Sequence[TokenRow], held_out: Sequence[TokenRow], on_step: StepReport) -> TrainingResult:
    """As `fine_tune`, in `job.config.processes` processes. Starts again with half the micro-batch where memory ran out.

    Raises:
        ModelError: a process failed; the message is its own where it has one.
        ConfigError: the settings do not go together.
    """
    config = job.config
    if config.method == "qlora":
        raise ConfigError(["train.processes: weights of 4 bits cannot be shared out; use train.method: lora, or 1"])
    plan_batches([len(row.input_ids) for row in rows], job.recipe, config, job.seed)  # fails here rather than there
    with tempfile.TemporaryDirectory(prefix="humpback-") as temporary:
        folder = Path(temporary)
        while True:
            _write_job(folder, job, rows, held_out)
            errors = _run(folder, config.processes, job.device, on_step)
            if not errors and (folder / RESULT).exists():
                return _result(folder)
            if not any(error.get("is_memory") for error in errors):
                raise _error(folder, errors)
            share = job.recipe.batch_size // config.processes
            micro = min(job.recipe.micro_batch_size, share)
            if micro == 1:
                raise _error(folder, errors)
            job = replace(job, recipe=replace(job.recipe, micro_batch_size=micro // 2))


def _run(folder: Path, processes: int, device: str, on_step: StepReport) -> list[dict[str, Any]]:
    """Runs the job in `folder` to its end, handing on its steps; returns the errors that its processes wrote."""
    for old in folder.glob("error-*.json"):
        old.unlink()
    steps = folder / STEPS
    steps.touch()
    with steps.open(encoding="utf-8") as stream:
        stream.seek(0, os.SEEK_END)  # behind the steps of an attempt that ran out of memory
        with _started(folder, processes, device) as process:
            while process.poll() is None:
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


@contextmanager
def _started(folder: Path, processes: int, device: str) -> Iterator[subprocess.Popen[bytes]]:
    """The launcher, in a process group of its own, which is ended with the block."""
    command = [
        *(sys.executable, "-m", "accelerate.commands.launch"),
        *("--num_processes", str(processes), "--num_machines", "1", "--main_process_port", "0"),
        *("--mixed_precision", "no", "--dynamo_backend", "no"),  # TRL sets the arithmetic in each process
        *("--use_fsdp", "--fsdp_version", "2", "--fsdp_auto_wrap_policy", "TRANSFORMER_BASED_WRAP"),
        *("--fsdp_state_dict_type", "FULL_STATE_DICT"),
        *("-m", MODULE, str(folder)),
    ]
    settings = os.environ | ({"ACCELERATE_USE_CPU": "true"} if device == "cpu" else {})
    with (folder / LOG).open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - arguments are ours
            command, env=settings, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield process
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


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
    log = (folder / LOG).read_text(encoding="utf-8", errors="replace").strip()
    return ModelError(f"the training processes ended without a result; the end of their log: {log[-LOG_CHARS:]}")


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
