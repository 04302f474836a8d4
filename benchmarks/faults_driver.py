"""Runs of a configuration in which something goes wrong at a chosen moment: `drive` starts them, this script is them.

Each run is a child of one process that has paid for the imports. A moment is the number of a call of the operating
system on the run's own folder: a file opened, moved, made or removed. So it can be repeated, and it lies between any
two files as well as in the middle of one.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

EVENTS = frozenset({"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"})
WRITTEN_BY_THE_CLOCK = ("progress.", ".progress.")  # how often differs from run to run
KILL, GROUP, WORKER = "kill", "group", "worker"
LIMIT_S = 300  # a run of seconds that lasts longer hangs
WORKERS_LIVE_S = 0.5  # about as long as the workers of so small a run live


@dataclass(frozen=True, slots=True)
class Order:
    """One run: its configuration with changes, and what happens at the moment `moment` (0: nothing does).

    `fault` is `kill` (the process), `group` (it and all of its children at once) or `worker` (one of its children),
    unless the clock jumps by `clock_s` at the moment. Each flush takes `flush_s`.
    """

    config: str
    folder: str
    moment: int = 0
    fault: str = KILL
    flush_s: float = 0.0
    clock_s: float = 0.0
    changes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended: its exit code (minus the signal), what it said, and the step that each moment was in.

    `did` says of a fault that is no kill whether it was done.
    """

    code: int
    said: str
    steps: list[str]
    did: str
    seconds: float


def drive(orders: Sequence[Order], scratch: Path) -> list[End]:
    """The ends of runs, one after another. `scratch` holds what they write beside their folders."""
    scratch.mkdir(parents=True, exist_ok=True)
    listed = json.dumps([asdict(order) for order in orders])
    command = [sys.executable, "-W", "ignore", __file__, str(scratch)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(command, input=listed, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return [End(**end) for end in json.loads(done.stdout.splitlines()[-1])]


def step_of(path: str, folder: str) -> str:
    """The step in whose folder `path` is, of the run in `folder`."""
    parts = Path(path).relative_to(folder).parts
    names = parts[:2] if parts and parts[0] == "models" else parts[:1]
    return "/".join(names)


class Moments:
    """Counts what the run does to its folder, and acts at the chosen moment."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.steps: list[str] = []
        self.did = ""

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in EVENTS or not arguments or isinstance(arguments[0], int) or arguments[0] is None:
            return
        path = os.fsdecode(arguments[0])
        if path.startswith(self.order.folder + "/") and not Path(path).name.startswith(WRITTEN_BY_THE_CLOCK):
            self.steps.append(step_of(path, self.order.folder))
            if len(self.steps) == self.order.moment:
                self.act()

    def act(self) -> None:
        if self.order.clock_s:
            now = time.time
            time.time = lambda: now() + self.order.clock_s
        elif self.order.fault == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.order.fault == GROUP:
            os.killpg(0, signal.SIGKILL)
        else:
            threading.Thread(target=self.kill_worker, daemon=True).start()

    def kill_worker(self) -> None:
        """Waits until there are workers, a little longer, and kills one."""
        generator = random.Random(self.order.moment)
        deadline = time.monotonic() + 20
        while not workers(os.getpid()):
            if time.monotonic() > deadline:
                return
            time.sleep(0.02)
        time.sleep(generator.uniform(0, WORKERS_LIVE_S))
        found = workers(os.getpid())
        if found:
            os.kill(generator.choice(found), signal.SIGKILL)
            self.did = "killed a worker"


def workers(parent: int) -> list[int]:
    """The processes that work on shards: the children of the fork server, which is a child of the run."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    servers = {process for process, above in parents.items() if above == parent}
    return sorted(process for process, above in parents.items() if above in servers)


def child(order: Order, scratch: Path, number: int) -> None:
    """Becomes the run; does not return."""
    from humpback.cli.app import main

    if order.fault == GROUP:
        os.setpgid(0, 0)  # or the kill would reach the one that drives it
    output = os.open(scratch / f"{number}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    wait = order.flush_s
    os.fsync = lambda descriptor: time.sleep(wait)  # type: ignore[assignment]  # the machine stays up
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.alarm(LIMIT_S)
    place = Path(order.folder)
    changes = [f"runs_dir={place.parent}", f"name={place.name}", *order.changes]
    sys.argv = ["humpback", "run", order.config, *(word for one in changes for word in ("-s", one))]
    moments = Moments(order)
    sys.addaudithook(moments)
    code = 0
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    # Not through Path, so that a clock that jumps or a disk that fills touches nothing here.
    with (scratch / f"{number}.json").open("w") as file:
        json.dump({"steps": moments.steps, "did": moments.did}, file)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def end_of(scratch: Path, number: int, code: int, seconds: float) -> End:
    """What is known of a run that has ended."""
    said = (scratch / f"{number}.log").read_text(encoding="utf-8", errors="replace")
    told: Mapping[str, Any] = {"steps": [], "did": ""}
    with contextlib.suppress(OSError):
        told = json.loads((scratch / f"{number}.json").read_text())
        (scratch / f"{number}.json").unlink()
    return End(code, said, told["steps"], told["did"], seconds)


def main() -> None:
    """Runs the orders that come in; prints their ends."""
    import pyarrow.parquet  # noqa: F401 - paid for once
    import transformers.utils.chat_template_utils  # noqa: F401

    import humpback.cli.app
    import humpback.cli.console
    import humpback.pipeline
    import humpback.report
    import humpback.training.loss  # noqa: F401

    scratch = Path(sys.argv[1])
    ends = []
    for number, order in enumerate(json.load(sys.stdin)):
        began = time.monotonic()
        process = os.fork()
        if process == 0:
            child(Order(**order), scratch, number)
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        ends.append(asdict(end_of(scratch, number, code, time.monotonic() - began)))
    print(json.dumps(ends))


if __name__ == "__main__":
    main()
