"""`accelerate launch`, on each machine that takes part in a training."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from humpback.cluster.place import Place, Poll

LOG = "log-{}.txt"
PATIENCE_SECONDS = 10  # between asking the processes to end and ending them


@dataclass(frozen=True, slots=True)
class Launch:
    """The processes that each run `module` on the job in a folder; `processes` on all machines together."""

    folder: Path
    processes: int
    device: str
    module: str

    @contextmanager
    def open(self, place: Place) -> Iterator[Poll]:
        """The launcher, in a process group of its own, which is ended with the block."""
        where = ["--num_machines", str(place.machines), "--main_process_port", str(place.port)]
        if place.machines > 1:
            where += ["--machine_rank", str(place.rank), "--main_process_ip", place.address, "--same_network"]
        command = [
            *(sys.executable, "-m", "accelerate.commands.launch", "--num_processes", str(self.processes), *where),
            *("--mixed_precision", "no", "--dynamo_backend", "no"),  # TRL sets the arithmetic in each process
            *("--use_fsdp", "--fsdp_version", "2", "--fsdp_auto_wrap_policy", "TRANSFORMER_BASED_WRAP"),
            *("--fsdp_state_dict_type", "FULL_STATE_DICT"),
            *("-m", self.module, str(self.folder)),
        ]
        settings = os.environ | ({"ACCELERATE_USE_CPU": "true"} if self.device == "cpu" else {})
        with (self.folder / LOG.format(place.rank)).open("wb") as log_file:
            process = subprocess.Popen(  # noqa: S603 - arguments are ours
                command,
                env=settings,
                stdin=subprocess.PIPE,
                stdout=log_file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                yield process.poll
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
